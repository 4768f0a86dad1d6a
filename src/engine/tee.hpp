// Several sinks as one, each with record types of its own.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "plugin/sink.hpp"

namespace weir {

struct TeeOutput {
  std::unique_ptr<Sink> sink;
  std::vector<const RecordType*> types;  // that it gets; others pass it by
  // Of those, which; empty: all. Called by several threads at once.
  std::function<bool(const RecordType& type, const void* record)> keep{};
};

// As a sink: the first failure of any is its own, and leaves the files of all unfinished.
std::unique_ptr<Sink> make_tee(std::vector<TeeOutput> outputs);

}  // namespace weir
