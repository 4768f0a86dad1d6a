// Records that a command makes itself, written as the options of the output and --where say.
#pragma once

#include <memory>

#include "cli/front/data.hpp"
#include "cli/front/output.hpp"
#include "cli/front/selection.hpp"

namespace weir {

// One thread at a time.
class RecordWriter {
 public:
  // A table on a terminal, JSON in a pipe, unless -o says otherwise. Fails with Code::usage.
  static Result<std::unique_ptr<RecordWriter>> open(const Arguments& arguments, const RecordTypes& types);

  // For the texts of the record that is put next.
  Arena& arena() noexcept { return batch_.arena(); }
  template <Record R>
  Result<void> put(const R& record) {
    Emitter(wants_, batch_).emit(record);
    return write_batch();
  }
  Result<void> flush() { return sink_->flush(); }
  Result<void> close() { return sink_->close(); }

 private:
  explicit RecordWriter(Filter filter) : filter_(std::move(filter)) {}
  Result<void> write_batch();

  Filter filter_;
  Emitter::Wants wants_{};
  Batch batch_;
  std::unique_ptr<Sink> sink_;
};

}  // namespace weir
