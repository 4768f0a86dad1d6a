// What exporters tell about themselves in options data, and flows are read by: sampling rates, the time the
// device was started, names of applications. For the plugins of this folder.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "sources/template_record.hpp"

namespace weir {

// Rates of one observation domain: one packet in so many.
class SamplingRates {
 public:
  struct Rate {
    bool of_interface;  // else of a sampler
    std::uint64_t id;
    std::uint32_t rate;
    bool operator==(const Rate&) const = default;
  };

  bool empty() const noexcept { return rates_.empty() && all_ == 0; }
  std::uint32_t all() const noexcept { return all_; }
  const std::vector<Rate>& rates() const noexcept { return rates_; }

  // Each is true if it changed something.
  bool set_all(std::uint32_t rate) noexcept {
    const bool changed = all_ != rate;
    all_ = rate;
    return changed;
  }
  // nullopt: no more than `most` are kept.
  std::optional<bool> set(bool of_interface, std::uint64_t id, std::uint32_t rate, std::size_t most) {
    const auto at = find(of_interface, id);
    if (at != rates_.end() && at->of_interface == of_interface && at->id == id) {
      if (at->rate == rate) return false;
      rates_[static_cast<std::size_t>(at - rates_.begin())].rate = rate;
    } else {
      if (rates_.size() >= most) return std::nullopt;
      rates_.insert(at, {of_interface, id, rate});
    }
    common_ = common_rate();
    return true;
  }

  // The rate that holds for a flow; 0: not known. What is nearest to the flow counts: its sampler, its
  // interface, the whole device. A flow that names no sampler has the rate of all samplers if they agree.
  std::uint32_t of(const RecordReading& r, bool has_sampler) const noexcept {
    if (has_sampler)
      if (const std::uint32_t rate = lookup(false, r.sampler); rate != 0) return rate;
    if (r.flow.in_interface)
      if (const std::uint32_t rate = lookup(true, *r.flow.in_interface); rate != 0) return rate;
    if (all_ != 0) return all_;
    return has_sampler ? 0 : common_;
  }

 private:
  static std::pair<bool, std::uint64_t> key(const Rate& r) noexcept { return {r.of_interface, r.id}; }
  std::vector<Rate>::const_iterator find(bool of_interface, std::uint64_t id) const noexcept {
    return std::ranges::lower_bound(rates_, std::pair{of_interface, id}, {}, key);
  }
  std::uint32_t lookup(bool of_interface, std::uint64_t id) const noexcept {
    const auto at = find(of_interface, id);
    return at != rates_.end() && at->of_interface == of_interface && at->id == id ? at->rate : 0;
  }
  std::uint32_t common_rate() const noexcept {
    std::uint32_t common = 0;
    for (const Rate& r : rates_) {
      if (r.of_interface || (common != 0 && r.rate != common)) return 0;
      common = r.rate;
    }
    return common;
  }

  std::vector<Rate> rates_;   // sorted by key()
  std::uint32_t all_ = 0;     // of the device; 0: not known
  std::uint32_t common_ = 0;  // of all samplers, if it is one
};

// Names by applicationId (RFC 6759), of one exporter.
class ApplicationNames {
 public:
  struct Entry {
    std::uint64_t id;
    std::uint8_t length;  // of the id: a longer one is another
    std::string name;
  };
  static constexpr std::size_t name_max = 64;

  const std::vector<Entry>& entries() const noexcept { return entries_; }
  std::string_view find(std::uint64_t id, std::uint8_t length) const noexcept {
    const auto at = place(id, length);
    return at != entries_.end() && at->id == id && at->length == length ? std::string_view(at->name)
                                                                        : std::string_view{};
  }
  // True if it changed something; nullopt: no more than `most` are kept.
  std::optional<bool> set(std::uint64_t id, std::uint8_t length, std::string_view name, std::size_t most) {
    name = name.substr(0, name_max);
    const auto at = place(id, length);
    if (at != entries_.end() && at->id == id && at->length == length) {
      if (at->name == name) return false;
      entries_[static_cast<std::size_t>(at - entries_.begin())].name = name;
      return true;
    }
    if (entries_.size() >= most) return std::nullopt;
    entries_.insert(at, {id, length, std::string(name)});
    return true;
  }

 private:
  std::vector<Entry>::const_iterator place(std::uint64_t id, std::uint8_t length) const noexcept {
    return std::ranges::lower_bound(entries_, std::pair{id, length}, {},
                                    [](const Entry& e) { return std::pair{e.id, e.length}; });
  }

  std::vector<Entry> entries_;  // sorted
};

}  // namespace weir
