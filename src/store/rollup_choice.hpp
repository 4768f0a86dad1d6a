// Which tables answer a question: the coarsest rollups that can answer exactly, hour by hour, and the records
// themselves for the rest.
#pragma once

#include "store/question.hpp"

namespace weir {

struct RollupWish {
  bool allowed = true;       // --raw: no
  bool approximate = false;  // by address: what the rollups left out is null in their rows
};

struct QuestionSources {
  std::vector<QuestionPart> parts;  // never empty: without files one part of records with none
  std::string why;                  // for --explain: "flow_1h and flow: …"
  bool approximate = false;         // answered from rows that leave addresses out
  bool rolled = false;
  TimeRange hours;  // that files are there of
};

// Lists the lake under `data`. Fails when a folder cannot be read.
Result<QuestionSources> choose_sources(const Question& question, const std::string& data,
                                       const RollupWish& wish);

}  // namespace weir
