// What NetFlow v9 and IPFIX share: observation domains with their templates, data that waits for its
// template, and state that survives a restart. The protocols' message formats are in the plugins that derive
// from it.
#pragma once

#include <deque>
#include <memory>
#include <utility>

#include "sources/export_sequence.hpp"
#include "sources/export_state.hpp"
#include "sources/template_flow.hpp"

namespace weir {

class TemplateDecoder : public ExportDecoder {
 public:
  bool take_changed() noexcept override { return std::exchange(changed_, false); }
  void save(std::vector<std::uint8_t>& out) const override;
  void restore(Bytes state) override;

 protected:
  struct Domain {
    std::uint32_t id = 0;
    Time used;                 // by the last message
    std::uint32_t uptime = 0;  // in the last message, NetFlow v9
    ExportSequence sequence;
    Time init;  // when the device was started, as it said; 0: it did not
    SamplingRates sampling;
    std::vector<std::unique_ptr<ExportTemplate>> templates;  // sorted by id
  };

  // What a template says, before it is learned.
  struct Definition {
    std::uint16_t id;
    std::uint16_t scopes;
    bool options;
    std::vector<TemplateField> fields;
  };

  // RFC 7011 §8.4 lets templates that came by UDP expire after three times the interval in which they are
  // sent again; routers do that every 30 minutes or more often.
  static constexpr Duration template_lifetime = seconds(3 * 30 * 60);
  // Data waits as long as one such interval.
  static constexpr Duration pending_lifetime = seconds(30 * 60);

  static void malformed(const ExportContext& context, std::string_view name) {
    context.add(ExportCount::malformed);
    context.oddity(name, {});
  }
  // nullptr: there are too many; counted.
  Domain* domain(const ExportContext& context, std::uint32_t id);
  // Takes a template, or refuses and counts it. Data that waited for it is decoded.
  void learn(ExportContext& context, Domain& domain, Definition definition);
  void withdraw(const ExportContext& context, Domain& domain, std::uint16_t id);
  void withdraw_all(const ExportContext& context, Domain& domain, bool options);
  // A set of data records: emits flows, takes options to heart, or keeps it until its template comes.
  // Returns how many records there were; nullopt when that cannot be told.
  std::optional<std::uint32_t> data_set(ExportContext& context, Domain& domain, const MessageHeader& header,
                                        std::uint16_t id, Bytes body);
  // To be called once a message: forgets data whose template did not come.
  void expire_pending(const ExportContext& context);

 private:
  // A set of data records that came before its template. Eight bytes are in front of its body: a number's
  // load may begin before it.
  struct Pending {
    MessageHeader header;
    Time received;
    std::uint16_t id;
    std::vector<std::uint8_t> bytes;
  };
  static constexpr std::size_t load_room = 8;
  static constexpr std::size_t fields_per_template = 16;  // of all templates together, on average

  // A small one counts as much as a medium one, so that there are never many to look through.
  static std::size_t cost(const Pending& p) noexcept { return std::max<std::size_t>(p.bytes.size(), 1024); }

  Domain* make_domain(std::uint32_t id);
  ExportTemplate* find_template(const ExportContext& context, Domain& domain, std::uint16_t id);
  void erase(Domain& domain, std::vector<std::unique_ptr<ExportTemplate>>::iterator at);
  void drop_domain(const ExportContext& context, std::size_t index);
  bool put(const ExportLimits& limits, Domain& domain, ExportTemplate made);
  void keep(ExportContext& context, const MessageHeader& header, std::uint16_t id, Bytes body);
  void decode_pending(ExportContext& context, Domain& domain, std::uint16_t id);
  std::optional<std::uint32_t> records(ExportContext& context, Domain& domain, const MessageHeader& header,
                                       const ExportTemplate& t, Bytes body);
  void take_options(ExportContext& context, Domain& domain, const ExportTemplate& t, const RecordReading& r);
  void take_rate(ExportContext& context, Domain& domain, const ExportTemplate& t, const RecordReading& r);
  std::optional<bool> set_rate(const ExportLimits& limits, Domain& domain, bool of_interface,
                               std::uint64_t id, std::uint32_t rate);
  void restore(const SavedEntry& entry);

  std::vector<std::unique_ptr<Domain>> domains_;  // sorted by id
  Domain* recent_ = nullptr;                      // the domain found last
  ApplicationNames applications_;
  std::deque<Pending> pending_;
  std::size_t pending_cost_ = 0, templates_ = 0, fields_ = 0, rates_ = 0;  // of all domains
  bool changed_ = false;
  std::vector<Layer> layers_;
};

inline TemplateDecoder::Domain* TemplateDecoder::make_domain(std::uint32_t id) {
  const auto at = std::ranges::lower_bound(domains_, id, {}, [](const auto& d) { return d->id; });
  if (at != domains_.end() && (*at)->id == id) return at->get();
  auto made = std::make_unique<Domain>();
  made->id = id;
  return domains_.insert(at, std::move(made))->get();
}

inline TemplateDecoder::Domain* TemplateDecoder::domain(const ExportContext& context, std::uint32_t id) {
  if (recent_ == nullptr || recent_->id != id) {
    const auto at = std::ranges::lower_bound(domains_, id, {}, [](const auto& d) { return d->id; });
    const bool is_known = at != domains_.end() && (*at)->id == id;
    if (!is_known && domains_.size() >= std::max<std::size_t>(context.limits.domains, 1)) {
      // One that fell silent makes room.
      const auto oldest = std::ranges::min_element(domains_, {}, [](const auto& d) { return d->used; });
      if (context.received - (*oldest)->used < template_lifetime) {
        context.add(ExportCount::limited);
        context.oddity("too_many_domains", {});
        return nullptr;
      }
      drop_domain(context, static_cast<std::size_t>(oldest - domains_.begin()));
    }
    recent_ = make_domain(id);
  }
  recent_->used = context.received;
  return recent_;
}

inline void TemplateDecoder::drop_domain(const ExportContext& context, std::size_t index) {
  Domain& gone = *domains_[index];
  context.add(ExportCount::withdrawn, gone.templates.size());
  while (!gone.templates.empty()) erase(gone, gone.templates.end() - 1);
  rates_ -= gone.sampling.rates().size();
  domains_.erase(domains_.begin() + static_cast<std::ptrdiff_t>(index));
  recent_ = nullptr;
  changed_ = true;
}

inline void TemplateDecoder::erase(Domain& domain,
                                   std::vector<std::unique_ptr<ExportTemplate>>::iterator at) {
  --templates_;
  fields_ -= (*at)->fields.size();
  domain.templates.erase(at);
  changed_ = true;
}

inline ExportTemplate* TemplateDecoder::find_template(const ExportContext& context, Domain& domain,
                                                      std::uint16_t id) {
  const auto at = std::ranges::lower_bound(domain.templates, id, {}, [](const auto& t) { return t->id; });
  if (at == domain.templates.end() || (*at)->id != id) return nullptr;
  ExportTemplate& t = **at;
  if (t.refreshed.ns == 0) t.refreshed = context.received;
  // RFC 7011 §8.4; in a stream templates live as long as the connection.
  if (!context.stream && context.received - t.refreshed > template_lifetime) {
    context.add(ExportCount::withdrawn);
    erase(domain, at);
    return nullptr;
  }
  return &t;
}

// False when a bound refuses it.
inline bool TemplateDecoder::put(const ExportLimits& limits, Domain& domain, ExportTemplate made) {
  const auto at =
      std::ranges::lower_bound(domain.templates, made.id, {}, [](const auto& t) { return t->id; });
  const bool is_known = at != domain.templates.end() && (*at)->id == made.id;
  const std::size_t before = is_known ? (*at)->fields.size() : 0;
  if (!is_known && templates_ >= limits.templates) return false;
  if (fields_ - before + made.fields.size() > limits.templates * fields_per_template) return false;
  fields_ += made.fields.size() - before;
  changed_ = true;
  if (is_known) {
    **at = std::move(made);
    return true;
  }
  domain.templates.insert(at, std::make_unique<ExportTemplate>(std::move(made)));
  ++templates_;
  return true;
}

inline void TemplateDecoder::learn(ExportContext& context, Domain& domain, Definition definition) {
  if (definition.fields.size() > context.limits.template_fields) {
    context.add(ExportCount::limited);
    return context.oddity("too_many_fields", {});
  }
  ExportTemplate made;
  made.id = definition.id;
  made.scopes = definition.scopes;
  made.options = definition.options;
  made.fields = std::move(definition.fields);
  made.refreshed = context.received;
  if (ExportTemplate* known = find_template(context, domain, made.id);
      known != nullptr && known->same_definition(made)) {
    known->refreshed = context.received;
    return context.add(ExportCount::templates);
  }
  const std::uint16_t id = made.id;
  if (!compile(made)) return malformed(context, "empty_template");
  if (!put(context.limits, domain, std::move(made))) {
    context.add(ExportCount::limited);
    return context.oddity("too_many_templates", {});
  }
  context.add(ExportCount::templates);
  decode_pending(context, domain, id);
}

inline void TemplateDecoder::withdraw(const ExportContext& context, Domain& domain, std::uint16_t id) {
  const auto at = std::ranges::lower_bound(domain.templates, id, {}, [](const auto& t) { return t->id; });
  if (at == domain.templates.end() || (*at)->id != id) return context.oddity("unknown_withdrawal", {});
  context.add(ExportCount::withdrawn);
  erase(domain, at);
}

inline void TemplateDecoder::withdraw_all(const ExportContext& context, Domain& domain, bool options) {
  for (std::size_t i = domain.templates.size(); i-- > 0;) {
    if (domain.templates[i]->options != options) continue;
    context.add(ExportCount::withdrawn);
    erase(domain, domain.templates.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

inline std::optional<std::uint32_t> TemplateDecoder::data_set(ExportContext& context, Domain& domain,
                                                              const MessageHeader& header, std::uint16_t id,
                                                              Bytes body) {
  if (const ExportTemplate* t = find_template(context, domain, id))
    return records(context, domain, header, *t, body);
  context.add(ExportCount::unknown_templates);
  keep(context, header, id, body);
  return std::nullopt;
}

inline void TemplateDecoder::keep(ExportContext& context, const MessageHeader& header, std::uint16_t id,
                                  Bytes body) {
  Pending p{.header = header, .received = context.received, .id = id, .bytes = {}};
  p.bytes.reserve(load_room + body.size());
  p.bytes.resize(load_room);
  p.bytes.insert(p.bytes.end(), body.begin(), body.end());
  if (cost(p) > context.limits.pending_bytes) return context.add(ExportCount::pending_dropped);
  while (pending_cost_ + cost(p) > context.limits.pending_bytes) {
    context.add(ExportCount::pending_dropped);
    pending_cost_ -= cost(pending_.front());
    pending_.pop_front();
  }
  pending_cost_ += cost(p);
  pending_.push_back(std::move(p));
}

inline void TemplateDecoder::expire_pending(const ExportContext& context) {
  while (!pending_.empty() && context.received - pending_.front().received > pending_lifetime) {
    context.add(ExportCount::pending_dropped);
    pending_cost_ -= cost(pending_.front());
    pending_.pop_front();
  }
}

inline void TemplateDecoder::decode_pending(ExportContext& context, Domain& domain, std::uint16_t id) {
  const auto waits = [&](const Pending& p) { return p.id == id && p.header.domain == domain.id; };
  for (const Pending& p : pending_) {
    if (!waits(p)) continue;
    ExportContext then{context.out,    p.received,     context.exporter, context.counts,
                       context.limits, context.oddity, context.stream};
    if (const ExportTemplate* t = find_template(context, domain, id))
      records(then, domain, p.header, *t, Bytes(p.bytes).subspan(load_room));
    pending_cost_ -= cost(p);
  }
  std::erase_if(pending_, waits);
}

inline std::optional<std::uint32_t> TemplateDecoder::records(ExportContext& context, Domain& domain,
                                                             const MessageHeader& header,
                                                             const ExportTemplate& t, Bytes body) {
  const std::uint8_t* p = body.data();
  const std::uint8_t* const last = p + body.size();
  const bool flows = t.is_flow();
  const FlowSetting setting{header, domain.sampling, applications_, domain.init, layers_};
  std::uint32_t count = 0;
  while (static_cast<std::size_t>(last - p) >= t.minimum) {
    RecordReading r;
    const std::size_t length = read_record(r, t, p, last);
    if (length == 0) break;
    p += length;
    ++count;
    if (flows) {
      emit_flow(context, r, t, setting);
    } else {
      context.add(ExportCount::options);
      take_options(context, domain, t, r);
    }
  }
  // RFC 7011 §3.3.1: padding is shorter than a record. In practice it fills up to four bytes.
  if (last - p >= 4 && (count == 0 || t.varies)) {
    malformed(context, "short_record");
    return std::nullopt;
  }
  return count;
}

inline void TemplateDecoder::take_options(ExportContext& context, Domain& domain, const ExportTemplate& t,
                                          const RecordReading& r) {
  if (r.init.ns != 0 && is_plausible(r.init, context.received)) {
    changed_ |= domain.init != r.init;
    domain.init = r.init;
  }
  if (r.application_id_length != 0 && !r.application.empty()) {
    const auto set =
        applications_.set(r.application_id, r.application_id_length, r.application, context.limits.templates);
    changed_ |= set.value_or(false);
    if (!set) context.add(ExportCount::limited);
  }
  if (sampling_rate(r, t) != 0) take_rate(context, domain, t, r);
}

inline void TemplateDecoder::take_rate(ExportContext& context, Domain& domain, const ExportTemplate& t,
                                       const RecordReading& r) {
  Domain* of = &domain;
  if (t.has(FieldOp::observation_domain) && r.observation_domain != domain.id) {
    const auto at = std::ranges::find(domains_, r.observation_domain, [](const auto& d) { return d->id; });
    if (at == domains_.end() && domains_.size() >= context.limits.domains)
      return context.add(ExportCount::limited);
    of = make_domain(r.observation_domain);
    of->used = context.received;
  }
  const std::uint32_t rate = sampling_rate(r, t);
  const auto scopes = std::span(t.fields).first(std::min<std::size_t>(t.scopes, t.fields.size()));
  const bool of_interface = r.flow.in_interface && std::ranges::any_of(scopes, [](const TemplateField& f) {
                              const InformationElement* e = find_element(f.enterprise, f.id);
                              return e != nullptr && e->op == FieldOp::in_interface;
                            });
  std::optional<bool> set;
  if (t.has(FieldOp::sampler))
    set = set_rate(context.limits, *of, false, r.sampler, rate);
  else if (of_interface)
    set = set_rate(context.limits, *of, true, *r.flow.in_interface, rate);
  else
    set = of->sampling.set_all(rate);
  changed_ |= set.value_or(false);
  if (!set) context.add(ExportCount::limited);
}

inline std::optional<bool> TemplateDecoder::set_rate(const ExportLimits& limits, Domain& domain,
                                                     bool of_interface, std::uint64_t id,
                                                     std::uint32_t rate) {
  const std::size_t before = domain.sampling.rates().size();
  const auto set = domain.sampling.set(of_interface, id, rate,
                                       before + (limits.templates > rates_ ? limits.templates - rates_ : 0));
  rates_ += domain.sampling.rates().size() - before;
  return set;
}

inline void TemplateDecoder::save(std::vector<std::uint8_t>& out) const {
  begin_state(out);
  for (const auto& d : domains_) {
    if (d->init.ns != 0) save_init(out, d->id, d->init);
    if (d->sampling.all() != 0) save_rate(out, d->id, d->sampling.all());
    for (const SamplingRates::Rate& r : d->sampling.rates()) save_rate(out, d->id, r);
    for (const auto& t : d->templates) save_template(out, d->id, *t);
  }
  for (const ApplicationNames::Entry& e : applications_.entries()) save_application(out, e);
}

inline void TemplateDecoder::restore(Bytes state) {
  for_each_saved(state, [this](const SavedEntry& entry) { restore(entry); });
  changed_ = false;
}

inline void TemplateDecoder::restore(const SavedEntry& entry) {
  const ExportLimits limits;
  if (const auto* name = std::get_if<ApplicationNames::Entry>(&entry.what)) {
    applications_.set(name->id, name->length, name->name, limits.templates);
    return;
  }
  const bool is_known =
      std::ranges::find(domains_, entry.domain, [](const auto& d) { return d->id; }) != domains_.end();
  if (!is_known && domains_.size() >= limits.domains) return;
  Domain& of = *make_domain(entry.domain);
  if (const auto* init = std::get_if<Time>(&entry.what)) of.init = *init;
  if (const auto* rate = std::get_if<std::uint32_t>(&entry.what)) of.sampling.set_all(*rate);
  if (const auto* rate = std::get_if<SamplingRates::Rate>(&entry.what))
    set_rate(limits, of, rate->of_interface, rate->id, rate->rate);
  if (const auto* t = std::get_if<ExportTemplate>(&entry.what)) {
    ExportTemplate made = *t;
    if (made.fields.size() <= limits.template_fields && compile(made)) put(limits, of, std::move(made));
  }
}

}  // namespace weir
