#include "engine/column_walk.hpp"

#include <numeric>

namespace weir {
namespace {

constexpr unsigned long sys_uptime[] = {1, 3, 6, 1, 2, 1, 1, 3};

bool is_within(std::span<const unsigned long> name, std::span<const unsigned long> column) {
  return name.size() > column.size() && std::equal(column.begin(), column.end(), name.begin());
}

}  // namespace

std::span<const unsigned long> ColumnWalk::uptime_column() noexcept {
  return sys_uptime;
}

void ColumnWalk::begin() {
  uptime_.reset();
  values_ = 0;
  cursors_.assign(columns_.begin(), columns_.end());
  live_.resize(columns_.size());
  std::iota(live_.begin(), live_.end(), std::size_t{0});
}

std::size_t ColumnWalk::repetitions() const noexcept {
  return most_answered_ / std::max<std::size_t>(1, questions());
}

void ColumnWalk::take_uptime(const SnmpVariable& variable) {
  if (is_within(variable.name, sys_uptime) && variable.number) uptime_ = variable.number;
}

std::size_t ColumnWalk::advance(std::size_t column, const SnmpVariable& variable) {
  const ObjectId& prefix = columns_[column];
  ObjectId& cursor = cursors_[column];
  const auto& now = variable.name;
  if (variable.nothing || !is_within(now, prefix) ||
      !std::lexicographical_compare(cursor.begin(), cursor.end(), now.begin(), now.end())) {
    done_[column] = true;
    return 0;
  }
  cursor.assign(now.begin(), now.end());
  ++values_;
  return prefix.size();
}

bool ColumnWalk::end_answer(bool empty) {
  std::erase_if(live_, [&](std::size_t c) { return done_[c]; });
  if (empty || values_ > most_values_) live_.clear();
  return !live_.empty();
}

bool ColumnWalk::end_question(std::size_t i) {
  if (i >= questions())
    live_.clear();
  else
    live_.erase(live_.begin() + static_cast<std::ptrdiff_t>(i));
  return !live_.empty();
}

bool ColumnWalk::too_big() noexcept {
  const std::size_t asked = questions() * repetitions();
  if (asked < 2) return false;
  most_answered_ = asked / 2;
  return true;
}

}  // namespace weir
