// Questions that sum up records by keys, from the command line to the records of the answer: weir top and
// weir flows -A.
#pragma once

#include "cli/front/data.hpp"
#include "filter/filter.hpp"
#include "store/rollup_choice.hpp"

namespace weir {

// What may rank: the count, and whatever can be summed up or comes of it.
struct RankingQuestion {
  Question question;
  RollupWish wish;
  std::string where;  // as it was written
  std::shared_ptr<const Filter> filter;

  // With question.where as the archive says it.
  RankingQuestion for_archive(const Archive& archive) const;
};

// --limit.
Result<std::uint64_t> rows_limit(const Arguments& arguments);

// From KEY, --by, -n, --where, --last, --from, --to, --raw, --approximate.
Result<RankingQuestion> ranking_question(const Arguments& arguments, const RecordType& type,
                                         std::string_view keys, std::string_view keys_option,
                                         std::string_view by, std::string_view by_option);

// The type of an answer: keys, count, sums, share, time, duration, rates.
class AnswerType {
 public:
  AnswerType(const Question& question, bool series);
  const RecordType& type() const noexcept { return type_; }

 private:
  void add(std::string name, std::string_view doc, Kind kind, Unit unit = Unit::none);
  std::vector<std::unique_ptr<std::string>> names_;
  RecordType type_;
};

struct Totals {
  std::uint64_t count = 0;
  std::vector<std::pair<std::string, std::uint64_t>> sums;  // those that were asked for
};

struct Ranking {
  QuestionSources sources;
  std::unique_ptr<AnswerType> type;
  Batch stored;  // as the database told them; the rows' texts are here
  Batch rows;
  std::optional<Totals> totals;
};

// Asks, again over a fresh listing when a file is gone.
Result<Ranking> ask_ranking(Archive& archive, const RankingQuestion& asked, Waiting& waiting);
// The ranking by its sums alone, whatever ranks, with the values of the keys that are at the top.
Result<Ranking> ask_sums(Archive& archive, const RankingQuestion& asked, Waiting& waiting,
                         std::vector<KeyValues>& values);
// The question has a step. Rows by time and key; their type has `time`, the step's start, first.
Result<Ranking> ask_series(Archive& archive, const RankingQuestion& asked, Waiting& waiting);

// What would be asked, for --explain.
Result<std::string> explain_ranking(Archive& archive, const RankingQuestion& asked);

// Asks, and writes the answer as -o says; or explains. The exit code.
Result<int> answer_ranking(const Arguments& arguments, const RankingQuestion& asked);

std::uint64_t number(const FieldInfo* field, const void* record) noexcept;

}  // namespace weir
