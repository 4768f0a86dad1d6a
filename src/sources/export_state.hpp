// How the state of a decoder of templates is written down: a magic number, then entries with their kind and
// length in front. Readers skip what they do not know, and stop where it is damaged. For the plugins of this
// folder.
#pragma once

#include <variant>

#include "sources/export_options.hpp"

namespace weir {

struct SavedEntry {
  std::uint32_t domain = 0;
  // The time the device was started, the rate of the whole device, one rate, a template that is not compiled
  // yet, a name.
  std::variant<Time, std::uint32_t, SamplingRates::Rate, ExportTemplate, ApplicationNames::Entry> what;
};

namespace detail {

inline constexpr std::uint32_t state_magic = 0x77787031;  // "wxp1"
enum class SavedKind : std::uint8_t { init = 1, rate_of_all, rate, export_template, application };

template <class T>
void append_be(std::vector<std::uint8_t>& out, T v) {
  for (std::size_t i = sizeof(T); i-- > 0;) out.push_back(static_cast<std::uint8_t>(v >> (8 * i)));
}

// Writes what is in front of an entry now, and its length at the end of the scope.
class EntryWriter {
 public:
  EntryWriter(std::vector<std::uint8_t>& out, SavedKind kind, std::uint32_t domain) : out_(out) {
    out.push_back(static_cast<std::uint8_t>(kind));
    append_be(out, std::uint32_t{0});
    start_ = out.size();
    append_be(out, domain);
  }
  EntryWriter(const EntryWriter&) = delete;
  EntryWriter& operator=(const EntryWriter&) = delete;
  ~EntryWriter() {
    const std::uint32_t length = __builtin_bswap32(static_cast<std::uint32_t>(out_.size() - start_));
    std::memcpy(&out_[start_ - 4], &length, 4);
  }

 private:
  std::vector<std::uint8_t>& out_;
  std::size_t start_ = 0;
};

inline ExportTemplate read_template(ByteReader& r) {
  ExportTemplate t;
  t.id = r.u16();
  t.options = r.u8() != 0;
  t.scopes = r.u16();
  const std::size_t count = std::min<std::size_t>(r.u16(), r.remaining() / 8);
  for (std::size_t i = 0; i < count; ++i) {
    TemplateField f;
    f.enterprise = r.u32();
    f.id = r.u16();
    f.length = r.u16();
    t.fields.push_back(f);
  }
  return t;
}

// False for a kind of a later version.
inline bool read_entry(std::uint8_t kind, ByteReader& r, SavedEntry& entry) {
  entry.domain = r.u32();
  switch (SavedKind{kind}) {
    case SavedKind::init: entry.what = Time{static_cast<std::int64_t>(r.u64())}; return true;
    case SavedKind::rate_of_all: entry.what = r.u32(); return true;
    case SavedKind::rate: {
      SamplingRates::Rate rate{};
      rate.of_interface = r.u8() != 0;
      rate.id = r.u64();
      rate.rate = r.u32();
      entry.what = rate;
      return true;
    }
    case SavedKind::export_template: entry.what = read_template(r); return true;
    case SavedKind::application: {
      ApplicationNames::Entry name{};
      name.id = r.u64();
      name.length = r.u8();
      name.name = as_text(r.rest());
      entry.what = std::move(name);
      return true;
    }
  }
  return false;
}

}  // namespace detail

inline void begin_state(std::vector<std::uint8_t>& out) {
  detail::append_be(out, detail::state_magic);
}
inline void save_init(std::vector<std::uint8_t>& out, std::uint32_t domain, Time init) {
  const detail::EntryWriter entry(out, detail::SavedKind::init, domain);
  detail::append_be(out, static_cast<std::uint64_t>(init.ns));
}
inline void save_rate(std::vector<std::uint8_t>& out, std::uint32_t domain, std::uint32_t rate) {
  const detail::EntryWriter entry(out, detail::SavedKind::rate_of_all, domain);
  detail::append_be(out, rate);
}
inline void save_rate(std::vector<std::uint8_t>& out, std::uint32_t domain, const SamplingRates::Rate& rate) {
  const detail::EntryWriter entry(out, detail::SavedKind::rate, domain);
  out.push_back(rate.of_interface ? 1 : 0);
  detail::append_be(out, rate.id);
  detail::append_be(out, rate.rate);
}
inline void save_template(std::vector<std::uint8_t>& out, std::uint32_t domain, const ExportTemplate& t) {
  const detail::EntryWriter entry(out, detail::SavedKind::export_template, domain);
  detail::append_be(out, t.id);
  out.push_back(t.options ? 1 : 0);
  detail::append_be(out, t.scopes);
  detail::append_be(out, static_cast<std::uint16_t>(t.fields.size()));
  for (const TemplateField& f : t.fields) {
    detail::append_be(out, f.enterprise);
    detail::append_be(out, f.id);
    detail::append_be(out, f.length);
  }
}
inline void save_application(std::vector<std::uint8_t>& out, const ApplicationNames::Entry& e) {
  const detail::EntryWriter entry(out, detail::SavedKind::application, 0);
  detail::append_be(out, e.id);
  out.push_back(e.length);
  out.insert(out.end(), e.name.begin(), e.name.end());
}

// Calls f with every entry that can be read.
template <class F>
void for_each_saved(Bytes state, F&& f) {
  ByteReader r(state);
  if (r.u32() != detail::state_magic) return;
  while (!r.empty()) {
    const std::uint8_t kind = r.u8();
    ByteReader body(r.bytes(r.u32()));
    SavedEntry entry;
    if (r.ok() && detail::read_entry(kind, body, entry) && body.ok()) f(entry);
  }
}

}  // namespace weir
