// weir top --over: what the keys at the top did over time.
#pragma once

#include "cli/front/ranking.hpp"

namespace weir {

// --over: a step, or "auto", which is chosen when the time is known.
Result<std::optional<Duration>> step_from(std::string_view over);

// Asks and writes: a chart on a terminal, records (time, keys, measures) otherwise. The exit code.
Result<int> answer_series(const Arguments& arguments, RankingQuestion asked, std::optional<Duration> step);

}  // namespace weir
