// Files that hold records already (plugin/record_file.hpp): which they are, and their records into a sink.
#pragma once

#include <atomic>

#include "engine/pipeline.hpp"
#include "plugin/record_file.hpp"

namespace weir {

struct RecordInput {
  std::string path;
  const RecordFileSpec* format;
};

// The paths with their formats, told by the first bytes. Empty when none is a file of records; an error when
// only some are, or one cannot be read. Standard input, which cannot be looked at beforehand, never is.
Result<std::vector<RecordInput>> find_record_files(std::span<const std::string> paths);

// An error when no format has any of the types: `-r dns` of files that hold flows.
Result<void> check_record_types(std::span<const RecordInput> inputs,
                                std::span<const RecordType* const> types);

// run() of engine/pipeline.hpp for such files, one after the other, each in its order. `progress` counts
// records. The outcome's packets and bytes are those of the flows.
Result<Outcome> run_record_files(std::span<const RecordInput> inputs, const Emitter::Wants& wants, Sink* sink,
                                 const Observer& observer,
                                 const std::function<void(const Progress&)>& progress,
                                 const std::atomic<bool>& stop);

}  // namespace weir
