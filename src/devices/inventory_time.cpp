// Devices settle, leave and come back; who of them may be there; what makes room for others.
#include <algorithm>
#include <utility>

#include "devices/inventory.hpp"

namespace weir {
namespace {

constexpr Duration check_every = seconds(1);
constexpr Duration day = seconds(86'400);
constexpr std::size_t most_absences = 8;

std::string mac_text(const Mac& mac) {
  char text[mac_text_max];
  return {text, write_mac(text, mac)};
}

}  // namespace

const Inventory::Said& Inventory::said() const noexcept {
  if (said_) return *said_;
  said_.emplace();
  for (const auto& [id, identity] : devices_) {
    if (identity.policy != Policy::approved) continue;
    said_->approved = true;
    said_->trust |= identity.trust;
  }
  return *said_;
}
std::optional<bool> Inventory::authorised(const KnownDevice& identity) const {
  if (identity.policy == Policy::approved || identity.policy == Policy::ignored) return true;
  if (identity.policy == Policy::forbidden) return false;
  if (!allowed_ && !said().approved) return std::nullopt;
  return is_self(identity) || (allowed_ && allowed_(identity));
}
std::optional<bool> Inventory::may_be(const KnownDevice& identity, std::string_view role) const {
  if (identity.policy == Policy::ignored) return true;
  if (authorised(identity) == false) return false;
  if (identity.policy == Policy::approved && identity.trust.has(role)) return true;
  if (trusted_ && trusted_(identity).has(role)) return true;
  if (!said().trust.has(role) && !list_trusts_.has(role)) return std::nullopt;
  return is_self(identity);
}

void Inventory::set_policy(std::uint64_t id, Policy policy, std::string label, std::vector<std::string> tags,
                           Trust trust) {
  KnownDevice* const identity = at(id);
  if (identity == nullptr) return;
  identity->policy = policy;
  identity->trust = trust;
  identity->label = std::move(label);
  identity->tags = std::move(tags);
  said_.reset();
  // One that is approved makes others unauthorised.
  for (auto& [number, other] : devices_) other.judged = false;
  reviewed_ = false;
}

// Tells once that it may not be there, and once that this is over.
void Inventory::judge(KnownDevice& identity, Time time) {
  if (std::exchange(identity.judged, true)) return;
  const AlertKey key{DeviceChange::unauthorised, identity.id, {}};
  const bool told = alerts_.contains(key);
  if ((authorised(identity) == false) == told) return;
  const bool forbidden = identity.policy == Policy::forbidden;
  const std::string_view why = told && identity.policy == Policy::ignored ? "ignored"
                               : told                                     ? "approved, or on the allow list"
                               : forbidden                                ? "forbidden"
                                           : "neither approved nor on the allow list";
  Change& change =
      report(told ? DeviceChange::authorised : DeviceChange::unauthorised, identity, time, std::string(why));
  change.after = identity.name();
  if (!told) return void(raise(change));
  const std::string evidence = change.evidence;
  end_alert(key, time, evidence);
}

void Inventory::review(Time now) {
  reviewed_ = true;
  for (auto& [id, identity] : devices_)
    if (identity.settled && !identity.gone) judge(identity, now);
  now_ = std::max(now_, now);
  review_alerts();
}

void Inventory::settle(std::uint64_t id) {
  KnownDevice* const found = at(id);
  if (found == nullptr || found->settled || &join_rotated(*found) != found) return;
  KnownDevice& identity = *found;
  identity.settled = identity.changed = true;
  const Time time = identity.seen.first;
  std::string evidence = identity.macs.empty() ? "" : mac_text(*identity.mac());
  if (const auto ip = identity.address()) evidence += (evidence.empty() ? "" : " has ") + to_string(*ip);
  report(DeviceChange::appeared, identity, time, evidence).after = identity.name();
  judge(identity, time);
}

void Inventory::settle_since(Time latest) {
  std::vector<std::uint64_t> due;
  for (const auto& [id, identity] : devices_)
    if (!identity.settled && identity.seen.first <= latest) due.push_back(id);
  for (const std::uint64_t id : due) settle(id);
}

void Inventory::finish() {
  settle_since(now_);
  review_alerts();
}

bool Inventory::is_self(const KnownDevice& identity) const noexcept {
  return std::ranges::any_of(self_, [&](const Mac& mac) { return identity.macs.contains(mac); });
}

// A sleeper is known by its longest sleep, with half of it again; one that comes and goes all the time is
// missed after a day.
Duration Inventory::patience(const KnownDevice& identity) const noexcept {
  const std::int64_t learned = std::min(identity.longest_gap.ns, options_.most_learned.ns);
  const Duration patience{std::max(options_.gone_after.ns, learned / 2 * 3)};
  const auto lately = std::ranges::count_if(
      identity.absences, [&](const Span& absence) { return now_ - absence.last < options_.quiet; });
  return static_cast<std::size_t>(lately) < options_.flaps ? patience : std::max(patience, day);
}

void Inventory::leave(KnownDevice& identity, Time time, std::string evidence) {
  identity.gone = identity.changed = true;
  end_alerts_of(identity, time, "gone, " + evidence);
  report(DeviceChange::gone, identity, time, std::move(evidence));
  identity.judged = false;
}

void Inventory::advance(Time now) {
  if (!std::exchange(watching_, true)) {
    checked_ = now;
    was_blind(now);
  }
  now_ = std::max(now_, now);
  if (now_ < checked_ + check_every) return;
  checked_ = now_;
  settle_since({now_.ns - options_.settle.ns});
  if (!reviewed_) review(now_);
  review_alerts();
  if (options_.gone_after.ns == 0) return;
  for (auto& [id, identity] : devices_) {
    if (!identity.settled || identity.gone || is_self(identity)) continue;
    const Time missed = std::max(identity.seen.last, watched_since_) + patience(identity);
    if (missed <= now_) leave(identity, missed, "quiet for longer than it ever was");
  }
}

void Inventory::swept(Time began, Time now, const std::function<bool(const Addr&)>& covers) {
  now_ = std::max(now_, now);
  for (auto& [id, identity] : devices_) {
    if (began <= identity.seen.last) {
      // It is there, but some of its addresses may not be. Of IPv6 ones a host answers from one alone.
      const bool answered = std::ranges::any_of(identity.addresses, [&](const auto& entry) {
        return entry.first.is_v4() && began <= entry.second.last;
      });
      for (auto& [ip, held] : identity.addresses)
        if (answered && ip.is_v4() && held.last < began && !held.retired && covers(ip))
          held.retired = identity.changed = true;
      continue;
    }
    const std::optional<Addr> ip = identity.address();
    if (!ip || !covers(*ip) || !identity.settled || identity.gone || is_self(identity)) continue;
    const Duration waited = options_.gone_after.ns == 0 ? Duration{} : patience(identity);
    if (identity.seen.last + waited <= now_) leave(identity, now_, "no answer to the sweep");
  }
  end_quiet_conflicts(now_, covers);
}

void Inventory::note_alive(KnownDevice& identity, Time time, const std::string& evidence) {
  const Duration gap = time - identity.seen.last;
  // What nobody watched is no sleep, unless it was missed.
  if (identity.gone || watched_since_ <= identity.seen.last)
    identity.longest_gap = std::max(identity.longest_gap, gap);
  if (identity.gone && identity.seen.last < time) {
    identity.gone = identity.judged = false;
    identity.absences.push_back({identity.seen.last, time});
    if (identity.absences.size() > most_absences) identity.absences.erase(identity.absences.begin());
    report(DeviceChange::back, identity, time, evidence);
  }
  identity.seen.first = std::min(identity.seen.first, time);
  identity.seen.last = std::max(identity.seen.last, time);
  identity.changed = true;
}

void Inventory::saved() noexcept {
  for (auto& [id, identity] : devices_) identity.changed = identity.changed && !identity.settled;
  for (auto& [ip, holder] : holders_) holder.changed = false;
  for (auto& [key, alert] : alerts_) alert.changed = false;
  ended_alerts_.clear();
  removed_.clear();
}

// Forgets some of those that are gone longest and that nobody has said anything of.
bool Inventory::make_room() {
  constexpr std::size_t at_a_time = 1000;
  constexpr Duration patience = seconds(60);
  if (full_since_ != Time{} && now_ < full_since_ + patience) return false;
  std::vector<std::pair<Time, std::uint64_t>> gone;
  for (const auto& [id, identity] : devices_)
    if (identity.gone && identity.policy == Policy::none && identity.label.empty() && identity.tags.empty())
      gone.emplace_back(identity.seen.last, id);
  const std::size_t most = std::min(gone.size(), at_a_time);
  std::ranges::partial_sort(gone, gone.begin() + static_cast<std::ptrdiff_t>(most));
  for (std::size_t i = 0; i < most; ++i) {
    const auto it = devices_.find(gone[i].second);
    for (const auto& [mac, seen] : it->second.macs) by_mac_.erase(mac);
    for (const auto& [ip, held] : it->second.addresses)
      if (const auto owner = by_address_.find(ip); owner != by_address_.end() && owner->second == it->first)
        by_address_.erase(owner);
    std::erase_if(by_key_, [&](const auto& entry) { return entry.second == it->first; });
    servers_.erase(it->first);
    removed_.push_back(it->first);
    devices_.erase(it);
  }
  forgotten_ += most;
  full_since_ = most == 0 ? now_ : Time{};
  return most != 0;
}

}  // namespace weir
