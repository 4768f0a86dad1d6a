// Columns of an SNMP agent's tables, walked in step: what to ask next, and what an answer has of them.
// Nothing here knows of messages; what agents say is not trusted.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace weir {

using ObjectId = std::vector<unsigned long>;  // as net-snmp has them

struct SnmpVariable {
  std::span<const unsigned long> name;
  std::optional<std::uint64_t> number{};   // integers, counters, time ticks
  std::optional<std::string_view> text{};  // octets, which addresses are, too
  bool nothing = false;                    // endOfMibView, noSuchObject, noSuchInstance
};

class ColumnWalk {
 public:
  // The columns are borrowed. `most_values`: of one round; beyond, it ends with what there is.
  ColumnWalk(std::span<const ObjectId> columns, std::size_t most_values) noexcept
      : columns_(columns), most_values_(most_values) {}

  // A round: all columns from their starts.
  void begin();
  // To be asked for in front of the questions, once: sysUpTime, and behind them what follows each, so many
  // times. All columns at once, as long as the agent does not find that too big.
  static std::span<const unsigned long> uptime_column() noexcept;
  std::size_t questions() const noexcept { return std::min(live_.size(), most_answered_); }
  const ObjectId& question(std::size_t i) const noexcept { return cursors_[live_[i]]; }
  std::size_t repetitions() const noexcept;

  // An answer: sysUpTime, then a value for each question, and again. f(column, index, variable) for each that
  // is of its column and further on; the index is what stands behind the column's identifier. False when the
  // round is over.
  template <class F>
  bool take(std::span<const SnmpVariable> answer, F&& f);
  // Version 1 says that nothing follows a question. False when the round is over.
  bool end_question(std::size_t i);
  // The agent says that its answer does not fit into a message: from now on half of it is asked for. False
  // when there is no half.
  bool too_big() noexcept;
  // In hundredths of a second, as this round's answers said.
  std::optional<std::uint64_t> uptime() const noexcept { return uptime_; }

 private:
  void take_uptime(const SnmpVariable& variable);
  // Where the index begins; 0 when the variable is past its column, or not past what was asked for.
  std::size_t advance(std::size_t column, const SnmpVariable& variable);
  bool end_answer(bool empty);

  std::span<const ObjectId> columns_;
  std::vector<ObjectId> cursors_;  // by column
  std::vector<std::size_t> live_;  // columns that go on
  std::vector<bool> done_;         // with this answer, by column
  std::size_t most_values_, values_ = 0;
  // About what fits into one Ethernet frame; agents cut off what does not.
  std::size_t most_answered_ = 60;
  std::optional<std::uint64_t> uptime_;
};

template <class F>
bool ColumnWalk::take(std::span<const SnmpVariable> answer, F&& f) {
  const std::size_t asked = questions();
  done_.assign(columns_.size(), false);
  if (!answer.empty()) take_uptime(answer.front());
  for (std::size_t i = 1; i < answer.size() && asked != 0; ++i) {
    const std::size_t column = live_[(i - 1) % asked];
    if (done_[column]) continue;
    if (const std::size_t index = advance(column, answer[i]); index != 0)
      f(column, answer[i].name.subspan(index), answer[i]);
  }
  return end_answer(answer.size() < 2);
}

}  // namespace weir
