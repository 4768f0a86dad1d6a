// Where the columns of a table stand on a terminal: which of them there is room for, how wide each is, and
// how a row lies in them. In terminal columns; nothing here knows of values.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

namespace weir {

inline constexpr std::size_t column_gap = 2;
inline constexpr std::size_t endless = static_cast<std::size_t>(-1) / 2;  // a pipe has no right edge

struct ColumnNeed {
  std::size_t widest = 0;  // of its values so far, and its name
  std::size_t least = 0;   // as narrow as it may become by clipping; `widest` where values are not clipped
  std::size_t likely = 0;  // what values to come may want
  std::size_t tight = 0;   // rather than to be left out; 0: none
};

// Width of each column, 0: left out. `important` are all columns, in the order in which they get their least
// width, or else their tight one; after one that there is no room for come no others, unless `skip`. What is
// left over then goes to the narrowest first, until nothing is cut, and then to what may come.
inline std::vector<std::size_t> column_widths(std::span<const ColumnNeed> needs,
                                              std::span<const std::size_t> important, std::size_t room,
                                              bool skip) {
  std::vector<std::size_t> widths(needs.size());
  std::size_t left = room + column_gap;  // as if one stood before the first
  for (const std::size_t i : important) {
    const bool tight = needs[i].tight != 0 && needs[i].least + column_gap > left;
    const std::size_t width = tight ? needs[i].tight : needs[i].least;
    if (width + column_gap > left) {
      if (skip) continue;
      break;
    }
    widths[i] = width;
    left -= width + column_gap;
  }
  const auto grow = [&](std::size_t ColumnNeed::* wanted) {
    while (left > 0) {
      std::size_t* narrowest = nullptr;
      for (std::size_t i = 0; i < needs.size(); ++i)
        if (widths[i] != 0 && widths[i] < needs[i].*wanted &&
            (narrowest == nullptr || widths[i] < *narrowest))
          narrowest = &widths[i];
      if (narrowest == nullptr) break;
      ++*narrowest;
      --left;
    }
  };
  grow(&ColumnNeed::widest);
  grow(&ColumnNeed::likely);
  return widths;
}

// A cell of a row, and how it comes to lie.
struct PlacedCell {
  std::size_t width;  // of its column
  std::size_t size;   // of its text; afterwards what it may be clipped to
  bool right, clipped;
  std::size_t before = 0;  // blanks to the left of it
};

// A cell wider than its column moves those behind it, which take it back out of their blanks. It is clipped
// only where the row would not fit into `room`, and then only so far.
inline void place_row(std::span<PlacedCell> cells, std::size_t room) {
  // What the cells behind one need at least.
  std::size_t behind = 0;
  for (const PlacedCell& c : cells) behind += (c.clipped ? std::min(c.size, c.width) : c.size) + column_gap;
  std::size_t at = 0, planned = 0;
  for (PlacedCell& c : cells) {
    behind -= (c.clipped ? std::min(c.size, c.width) : c.size) + column_gap;
    std::size_t start = std::max(planned, at == 0 ? 0 : at + column_gap);
    if (c.right && c.size < c.width) start = std::max(start, planned + c.width - c.size);
    if (c.clipped && c.size > c.width)
      c.size = std::min(c.size, room > behind + start ? room - behind - start : 1);
    c.before = start - at;
    at = start + c.size;
    planned += c.width + column_gap;
  }
}

}  // namespace weir
