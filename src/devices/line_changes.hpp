// What is different between two lists of lines. Pure; any thread.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace weir {

struct LineChange {
  bool added = false;                 // or removed
  std::size_t before = 0, after = 0;  // the index it has, or would have, in each
};

// The shortest way from one to the other (E. W. Myers, Algorithmica 1, 1986, 251-266), in
// the order of the lines; of neighbours what is removed first. Between what is alike at both ends there may
// be 20,000 lines; more are told as replaced, all of them.
std::vector<LineChange> changed_lines(const std::vector<std::string_view>& before,
                                      const std::vector<std::string_view>& after);

}  // namespace weir
