// The typed tree, for one record type, into steps. What a missing field decides is folded away; what is left
// runs cheap tests first.
#pragma once

#include "filter/operands.hpp"
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

// Steps borrow their operands.
Lowered lower(const Node& tree, const RecordType& type, const Operands& operands);

}  // namespace weir::filter
