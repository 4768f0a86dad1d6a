// Stored records, wherever they are: the lake or ClickHouse. What is asked is SQL in the archive's dialect.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/batch.hpp"
#include "core/sql.hpp"
#include "store/duckdb.hpp"
#include "store/rollup_choice.hpp"

namespace weir {

// The rows of one answer; refers to the archive. One thread at a time.
class AnswerRows {
 public:
  virtual ~AnswerRows() = default;
  // Called "row"; every column may be null. Lives as long as the rows.
  virtual const RecordType& type() const noexcept = 0;
  // Adds the next rows to the batch, in order. False when there are none left.
  virtual Result<bool> read(Batch& batch) = 0;
};

// One question, with one answer that is read to its end, at a time. One thread.
class Archive {
 public:
  virtual ~Archive() = default;
  virtual const SqlDialect& sql() const noexcept = 0;
  // From now on sql() sums up numbers of any size, if it did not before. False: it did.
  virtual bool sum_large_numbers() noexcept { return false; }
  // Which tables answer the question.
  virtual Result<QuestionSources> sources(const Question& question, const RollupWish& wish) = 0;
  // The records of a type themselves, of that time.
  virtual Result<QuestionPart> records(const RecordType& type, const TimeRange& range) = 0;
  // What stands after FROM for a part: a table with at least these columns.
  virtual Result<std::string> from(const RecordType& type, const QuestionPart& part,
                                   const std::vector<std::string>& columns) = 0;
  // One statement that reads. `where` names it in errors.
  virtual Result<std::unique_ptr<AnswerRows>> ask(const std::string& statement, const QueryWatch& watch,
                                                  std::string_view where) = 0;
};

}  // namespace weir
