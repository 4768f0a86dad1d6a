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

ScanStage::ScanStage(StageKind kind, TargetSet hosts, PortSet ports, unsigned kinds)
    : kind_(kind),
      hosts_(std::move(hosts)),
      ports_(std::move(ports)),
      slots_(ports_.empty() ? kinds : ports_.size()),
      bits_((things() / 64 + 1) * sizeof(Word)),
      heard_((this->kinds() > 1 ? cells() / 64 + 1 : 1) * sizeof(Word)) {}

void ScanStage::take_shard(std::uint64_t shard, std::uint64_t shards) noexcept {
  shard_ = shard;
  shards_ = shards;
}

std::uint64_t ScanStage::things() const noexcept {
  if (kind_ == StageKind::ports) return cells();
  return hosts_.size() / shards_ + (shard_ < hosts_.size() % shards_ ? 1 : 0);
}

std::optional<std::uint64_t> ScanStage::cell(const Addr& host, unsigned kind) const noexcept {
  const auto index = hosts_.index_of(host);
  if (!index) return std::nullopt;
  return *index * slots_ + kind;
}

void ScanStage::hear(std::uint64_t cell) noexcept {
  const std::uint64_t mask = std::uint64_t{1} << cell % 64;
  if ((heard()[cell / 64].fetch_or(mask, std::memory_order_relaxed) & mask) != 0) return;
  unsigned count = 0;
  for (std::uint64_t at = group(cell) * slots_, end = at + slots_; at < end; ++at)
    count += static_cast<unsigned>(heard()[at / 64].load(std::memory_order_relaxed) >> at % 64 & 1);
  if (count == 1) once_.fetch_add(1, std::memory_order_relaxed);
  if (count == 2) once_.fetch_sub(1, std::memory_order_relaxed);
}

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
