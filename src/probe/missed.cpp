#include "probe/missed.hpp"

#include <algorithm>
#include <cmath>

namespace weir {
namespace {

// Two bounds (of the loss, and of what it does to the cells that matter), each at 97.5 %.
constexpr double tail = 0.025;
const double unlikely = -std::log(tail);

struct Passes {
  double cells = 0;     // that answered
  double lost = 0;      // probes that were lost before, and canaries
  double count = 0;     // of passes
  double canaries = 0;  // that answered
};

Passes sum(std::span<const std::uint64_t> first) {
  Passes p;
  for (std::size_t k = 0; k < first.size(); ++k) {
    p.cells += static_cast<double>(first[k]);
    p.lost += static_cast<double>(first[k]) * static_cast<double>(k);
  }
  p.count = static_cast<double>(first.size());
  return p;
}

// Of a geometric distribution cut off after the last pass, and of single trials.
double log_likelihood(const Passes& p, double loss) {
  const double lost = p.lost == 0 ? 0 : p.lost * std::log(loss);
  return lost + (p.cells + p.canaries) * std::log1p(-loss) - p.cells * std::log1p(-std::pow(loss, p.count));
}

double most_likely(const Passes& p) {
  if (p.lost == 0) return 0;
  double low = 1e-12, high = 1 - 1e-9;
  constexpr int halvings = 200;
  // The likelihood has one hill: the family is exponential.
  for (int i = 0; i < halvings; ++i) {
    const double a = low + (high - low) / 3, b = high - (high - low) / 3;
    (log_likelihood(p, a) < log_likelihood(p, b) ? low : high) =
        log_likelihood(p, a) < log_likelihood(p, b) ? a : b;
  }
  return (low + high) / 2;
}

// The largest loss at which what was seen is not less likely than `tail` (Chernoff's bound, exact for any
// number of cells).
double most_plausible(const Passes& p, double best) {
  const double least = log_likelihood(p, best) - unlikely;
  double low = best, high = 1 - 1e-9;
  if (log_likelihood(p, high) >= least) return 1;
  constexpr int halvings = 100;
  for (int i = 0; i < halvings; ++i) {
    const double middle = (low + high) / 2;
    (log_likelihood(p, middle) >= least ? low : high) = middle;
  }
  return high;
}

// The least n that a Poisson variable of this mean exceeds with a probability of `tail` at most.
double poisson_most(double mean) {
  double term = std::exp(-mean), below = term, n = 0;
  constexpr double many = 500;
  if (mean > many) return mean + 2 * std::sqrt(mean);
  while (below < 1 - tail) {
    n += 1;
    term *= mean / n;
    below += term;
  }
  return n;
}

}  // namespace

std::optional<Missed> missed(std::span<const std::uint64_t> first, std::uint64_t found,
                             CanaryCounts canaries) {
  Passes all = sum(first);
  const bool late_ones = all.lost > 0;
  all.canaries = static_cast<double>(canaries.answered);
  all.lost += static_cast<double>(canaries.sent - std::min(canaries.answered, canaries.sent));
  if (all.cells == 0) return std::nullopt;
  Missed out;
  out.loss = most_likely(all);
  out.loss_most = most_plausible(all, out.loss);
  // One loss for all: a cell is missed when each pass was lost.
  double share = std::pow(out.loss_most, all.count);
  // Or a part of the cells loses more than the rest: those that needed more than one pass tell how much.
  if (late_ones && first.size() > 2) {
    const Passes late = sum(first.subspan(1));
    const double loss = most_plausible(late, most_likely(late));
    const double gone = std::pow(loss, late.count);
    if (gone < 1) share = std::max(share, std::min(1.0, late.cells * gone / (1 - gone) / all.cells));
  }
  if (share >= 1) {
    out.share_most = 1;
    return out;
  }
  // Of so many open ports some more may be missed than the mean says.
  const double open = std::max(1.0, static_cast<double>(found)) / (1 - share);
  out.share_most = std::min(1.0, std::max(share, poisson_most(open * share) / open));
  return out;
}

}  // namespace weir
