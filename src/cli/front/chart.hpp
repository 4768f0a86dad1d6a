// A chart over time for the terminal: stacked areas in colour, or a line of blocks per series without.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/schema.hpp"

namespace weir {

struct ChartSeries {
  std::string name;
  std::vector<double> values;  // one per step
};

struct Chart {
  Time start;
  Duration step;
  std::vector<ChartSeries> series;  // the greatest first; stacked from below
  std::vector<bool> known;  // per step: false where there are no records at all, which is drawn as a gap
  Unit unit = Unit::none;   // how values are written: bits_per_second, bytes, or plain numbers
  unsigned width = 80, height = 12;
  bool colour = false;
};

// Lines, each ended. Steps that are more than there are columns are averaged.
std::string draw(const Chart& chart);

}  // namespace weir
