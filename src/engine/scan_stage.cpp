#include "engine/scan_stage.hpp"

#include "engine/scan_answer.hpp"

namespace weir {

std::string_view name_of(CellState state) noexcept {
  switch (state) {
    case CellState::open: return "open";
    case CellState::closed: return "closed";
    case CellState::filtered: return "filtered";
    case CellState::unfiltered: return "unfiltered";
    case CellState::up: return "up";
  }
  return {};
}

ScanStage::ScanStage(StageKind kind, TargetSet hosts, PortSet ports)
    : kind_(kind),
      hosts_(std::move(hosts)),
      ports_(std::move(ports)),
      slots_(std::max<std::size_t>(ports_.size(), 1)),
      bits_((things() / 64 + 1) * sizeof(Word)) {}

std::optional<std::uint64_t> ScanStage::cell(const Addr& host, ProtoPort port) const noexcept {
  const auto index = hosts_.index_of(host);
  if (!index) return std::nullopt;
  if (ports_.empty()) return *index;
  const auto slot = ports_.index_of(port);
  if (!slot) return std::nullopt;
  return *index * slots_ + *slot;
}

bool ScanStage::settle(std::uint64_t cell, unsigned pass, bool counted) noexcept {
  const std::uint64_t bit = bit_of(cell), mask = std::uint64_t{1} << bit % 64;
  if ((words()[bit / 64].fetch_or(mask, std::memory_order_relaxed) & mask) != 0) return false;
  if (counted) first_[std::min(pass, most_passes - 1)].fetch_add(1, std::memory_order_relaxed);
  answered_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

std::vector<std::uint64_t> ScanStage::first_answers(unsigned passes) const {
  std::vector<std::uint64_t> out;
  for (unsigned pass = 0; pass < std::min(passes, most_passes); ++pass)
    out.push_back(first_[pass].load(std::memory_order_relaxed));
  return out;
}

}  // namespace weir
