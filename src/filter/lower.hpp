// A folded tree into the steps that run.
#pragma once

#include "filter/fold.hpp"
#include "filter/program.hpp"

namespace weir::filter {

struct Lowered {
  Program program;
  struct Note {
    std::string text;  // the step in the language
    bool headers;      // decided by the flow's addresses, ports and protocol: known with its first packet
  };
  std::vector<Note> notes;  // as many as steps
};

// Steps borrow the part's operands, not the part.
Lowered lower(const Part& part);

}  // namespace weir::filter
