// Limits to what goes through interfaces: 'out > 80% for 5m'.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "records/alert.hpp"
#include "records/counter.hpp"

namespace weir {

struct RateLimit {
  enum class Measure : std::uint8_t { in, out, total, errors, drops };
  std::string text;  // as it was written
  Measure measure = Measure::in;
  bool above = true;  // it must not be above; else not below
  double value = 0;   // % of the link's speed; bits, or packets of errors and drops, a second
  bool percent = false;
  Duration hold;  // for so long

  // MEASURE (>|<) NUMBER(%|k|M|G|T|bit/s) [for TIME]; measures are in, out, total, errors, drops.
  static Result<RateLimit> parse(std::string_view text, std::string_view where);
  // What there is to compare; nothing when it is not known: no speed, no rates.
  std::optional<double> measured(const Counter& counter) const noexcept;
};

// Alerts once when a limit has been passed for its time, and once when it has held again for as long. A
// reading without rates changes nothing. One thread.
class LimitWatch {
 public:
  explicit LimitWatch(std::vector<RateLimit> limits) : limits_(std::move(limits)) {}

  // What is to be told after this reading; texts live until the next call, those of the counter as it does.
  std::vector<Alert> take(const Counter& counter);
  bool raised() const noexcept { return raised_; }  // ever

 private:
  struct State {
    bool raised = false;
    std::optional<Time> turned;  // since when it has been the other way
    Time since;                  // of what was raised
  };
  std::optional<Alert> judge(const RateLimit& limit, State& state, const Counter& counter);

  std::vector<RateLimit> limits_;
  std::map<std::string, State> states_;
  std::vector<std::string> messages_;
  bool raised_ = false;
};

}  // namespace weir
