#include "probe/canaries.hpp"

#include <algorithm>

#include "core/hash.hpp"

namespace weir {
namespace {

// One of so many probes: at first more often, until something can be said.
constexpr std::uint64_t usual_gap = 32, first_gap = 10, first_ones = 300;
constexpr std::size_t most_under_way = 128;
constexpr Duration least_apart = milliseconds(1), idle_apart = milliseconds(4);

}  // namespace

void Canaries::begin(Duration apart) {
  const std::lock_guard lock(mutex_);
  apart_ = apart;
  cells_.clear();
  by_id_.clear();
  by_group_.clear();
  sent_.clear();
  tally_ = {};
  sample_sent_ = sample_answered_ = sample_probes_ = 0;
  sample_time_ = {};
  before_.reset();
  next_cell_ = 0;
}

void Canaries::begin_pass(unsigned pass, double rate) {
  const std::lock_guard lock(mutex_);
  pass_ = pass;
  stretches_.assign(1, {.rate = rate, .first = serial_ + 1});
}

void Canaries::forget_above(double rate) {
  const std::lock_guard lock(mutex_);
  CanaryCounts& all = tally_.passes[pass_];
  for (Stretch& s : stretches_) {
    if (s.rate <= rate) continue;
    all = {all.sent - s.counts.sent, all.answered - s.counts.answered};
    s.counts = {};
  }
}

bool Canaries::replace_spare(const Cell& cell) {
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    Cell& old = cells_[i];
    if (!old.spare || old.under_way != std::array<std::uint64_t, marks>{}) continue;
    by_id_.erase(old.id);
    old = cell;
    by_id_[cell.id] = i;
    return true;
  }
  return false;
}

void Canaries::add(std::uint64_t id, std::uint64_t group) {
  const std::lock_guard lock(mutex_);
  if (by_id_.contains(id)) return;
  Cell cell{.id = id, .group = group, .spare = by_group_.contains(group)};
  if (cells_.size() < most_cells) {
    by_id_[id] = cells_.size();
    cells_.push_back(cell);
  } else if (cell.spare || !replace_spare(cell)) {
    return;
  }
  if (!cell.spare) by_group_[group] = by_id_[id];
}

void Canaries::answered(std::uint64_t id, std::optional<unsigned> mark, Time received) {
  const std::lock_guard lock(mutex_);
  const auto it = by_id_.find(id);
  if (it == by_id_.end() || (mark && *mark >= marks)) return;
  Cell& cell = cells_[it->second];
  for (unsigned m = 0; m < marks; ++m) {
    if ((mark && m != *mark) || cell.under_way[m] == 0) continue;
    Sent& sent = sent_[cell.under_way[m] - sent_.front().serial];
    cell.under_way[m] = 0;
    sent.answered = true;
    const Duration rtt = std::max(received - sent.wall, Duration{});
    rtt_.sample(std::min(rtt, patience_));
    slowest_ = std::max(slowest_.value_or(rtt), rtt);
    return;
  }
}

Canaries::Cell* Canaries::due(Time now) {
  for (std::size_t tries = 0; tries < cells_.size(); ++tries) {
    Cell& cell = cells_[next_cell_++ % cells_.size()];
    if (now - cell.last >= apart_ && std::ranges::find(cell.under_way, 0U) != cell.under_way.end())
      return &cell;
  }
  return nullptr;
}

std::optional<Canaries::Probe> Canaries::next(Time now, Time wall, std::uint64_t probes, bool idle) {
  const std::lock_guard lock(mutex_);
  if (cells_.empty() || now < next_at_ || sent_.size() >= most_under_way) return std::nullopt;
  if (!idle && probes < due_at_) return std::nullopt;
  Cell* const cell = due(now);
  if (cell == nullptr) return std::nullopt;
  const std::uint64_t gap = tally_.passes[pass_].sent < first_ones ? first_gap : usual_gap;
  random_ = mix(random_, probes);
  due_at_ = probes + 1 + random_ % (2 * gap - 1);
  next_at_ = now + (idle ? idle_apart : least_apart);
  cell->last = now;
  const auto mark = static_cast<unsigned>(std::ranges::find(cell->under_way, 0U) - cell->under_way.begin());
  cell->under_way[mark] = ++serial_;
  sent_.push_back({.cell = static_cast<std::size_t>(cell - cells_.data()),
                   .mark = mark,
                   .pass = pass_,
                   .idle = idle,
                   .answered = false,
                   .at = now,
                   .wall = wall,
                   .probes = probes,
                   .serial = serial_});
  return Probe{cell->id, mark};
}

void Canaries::decide(const Sent& sent) {
  CanaryCounts& counts = sent.idle ? tally_.idle : tally_.passes[sent.pass];
  ++counts.sent;
  counts.answered += sent.answered ? 1 : 0;
  if (!sent.idle && sent.pass == pass_ && !stretches_.empty() && sent.serial >= stretches_.front().first) {
    const auto behind = std::ranges::upper_bound(stretches_, sent.serial, {}, &Stretch::first);
    CanaryCounts& at_rate = std::prev(behind)->counts;
    ++at_rate.sent;
    at_rate.answered += sent.answered ? 1 : 0;
  }
  if (sent.idle || sent.serial < first_valid_) return;
  ++sample_sent_;
  sample_answered_ += sent.answered ? 1 : 0;
  if (before_ && before_->pass == sent.pass) {  // not the pause between passes
    sample_probes_ += sent.probes - before_->probes;
    sample_time_ = sample_time_ + (sent.at - before_->at);
  }
  before_ = sent;
}

void Canaries::judge(Time looked) {
  const std::lock_guard lock(mutex_);
  while (!sent_.empty()) {
    const Sent& sent = sent_.front();
    if (!sent.answered) {
      if (sent.at + rtt_.timeout() > looked) return;
      cells_[sent.cell].under_way[sent.mark] = 0;
    }
    decide(sent);
    sent_.pop_front();
  }
}

CanarySample Canaries::sample() const {
  const std::lock_guard lock(mutex_);
  const double seconds = static_cast<double>(sample_time_.ns) / 1e9;
  return {sample_sent_, sample_answered_, seconds > 0 ? static_cast<double>(sample_probes_) / seconds : 0};
}

void Canaries::restart(std::optional<double> new_rate) {
  const std::lock_guard lock(mutex_);
  sample_sent_ = sample_answered_ = sample_probes_ = 0;
  sample_time_ = {};
  if (!new_rate) return;
  before_.reset();
  first_valid_ = serial_ + 1;
  stretches_.push_back({.rate = *new_rate, .first = serial_ + 1});
}

CanaryTally Canaries::tally() const {
  const std::lock_guard lock(mutex_);
  return tally_;
}

std::optional<Duration> Canaries::slowest() const {
  const std::lock_guard lock(mutex_);
  return slowest_;
}

}  // namespace weir
