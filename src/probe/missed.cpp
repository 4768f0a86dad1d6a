#include "probe/missed.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

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

  Passes operator+(const CanaryCounts& c) const {
    const double answered = static_cast<double>(std::min(c.answered, c.sent));
    return {cells, lost + static_cast<double>(c.sent) - answered, count, canaries + answered};
  }
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
  const double cut_off = p.cells == 0 ? 0 : p.cells * std::log1p(-std::pow(loss, p.count));
  return lost + (p.cells + p.canaries) * std::log1p(-loss) - cut_off;
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

// Losses that differ from pass to pass, as they do when the rate was changed.
struct EachPass {
  std::vector<double> answered, lost;  // of trials: first answers and canaries; lost ones
  double cells = 0;

  EachPass(std::span<const std::uint64_t> first, const CanaryTally& canaries) {
    double later = 0;
    for (std::size_t k = first.size(); k-- > 0;) {
      const CanaryCounts c = k < canaries.passes.size() ? canaries.passes[k] : CanaryCounts{};
      const double got = static_cast<double>(std::min(c.answered, c.sent));
      answered.insert(answered.begin(), static_cast<double>(first[k]) + got);
      lost.insert(lost.begin(), later + static_cast<double>(c.sent) - got);
      later += static_cast<double>(first[k]);
    }
    cells = later;
  }

  // The most likely losses when `more` trials of each pass were lost besides. Cells that were missed are part
  // of them: as many as are expected (Dempster, Laird and Rubin, 1977).
  std::vector<double> most_likely(double more) const {
    std::vector<double> p(lost.size(), 0.5);
    double missing = 0;
    constexpr int rounds = 2000;
    for (int i = 0; i < rounds; ++i) {
      double all = 1;
      for (std::size_t k = 0; k < p.size(); ++k) {
        const double gone = lost[k] + more + missing, trials = gone + answered[k];
        constexpr double edge = 1e-12;
        p[k] = trials == 0 ? 1 - edge : std::clamp(gone / trials, edge, 1 - edge);
        all *= p[k];
      }
      const double next = cells * all / (1 - all);
      if (std::abs(next - missing) <= 1e-9 * (1 + missing)) break;
      missing = next;
    }
    return p;
  }
  double log_likelihood(const std::vector<double>& p) const {
    double sum = 0, all = 1;
    for (std::size_t k = 0; k < p.size(); ++k) {
      sum += answered[k] * std::log1p(-p[k]) + lost[k] * std::log(p[k]);
      all *= p[k];
    }
    return sum - cells * std::log1p(-all);
  }
  // The most that the product of all losses can be: where the likelihood has fallen as far as it may, on the
  // way on which the product rises most for it.
  double most_lost() const {
    const double least = log_likelihood(most_likely(0)) - unlikely;
    double low = 1e-6, high = 1e6;
    constexpr int halvings = 40;
    for (int i = 0; i < halvings; ++i) {
      const double middle = std::sqrt(low * high);
      (log_likelihood(most_likely(middle)) >= least ? low : high) = middle;
    }
    double all = 1;
    for (const double p : most_likely(high)) all *= p;
    return all;
  }
};

// The share missed at most when every cell is alike.
double share_of_like(std::span<const std::uint64_t> first, const CanaryTally& canaries, const Passes& busy,
                     double pooled_most) {
  const EachPass each(first, canaries);
  const double gain = each.log_likelihood(each.most_likely(0)) - log_likelihood(busy, most_likely(busy));
  // More parameters always fit better, and by so much hardly ever without need (AIC, and some more).
  const double enough = 2 * static_cast<double>(first.size());
  if (first.size() < 2 || gain < enough) return std::pow(pooled_most, busy.count);
  return each.most_lost();
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

// Cells and canaries from a pass on, without quiet times.
Passes busy_since(unsigned pass, std::span<const std::uint64_t> first, const CanaryTally& canaries) {
  Passes busy = sum(first.subspan(std::min<std::size_t>(pass, first.size())));
  for (std::size_t k = pass; k < std::min(first.size(), canaries.passes.size()); ++k)
    busy = busy + canaries.passes[k];
  return busy;
}

// In log likelihood.
constexpr double plainly = 2;

// Without the share.
Missed losses(const Passes& busy, const CanaryTally& canaries) {
  Passes all = busy + canaries.idle;
  // Canaries of quiet times count where quiet times are no better.
  const double pooled = most_likely(all), loss = most_likely(busy);
  if (loss > pooled && log_likelihood(busy, loss) - log_likelihood(busy, pooled) > plainly) all = busy;
  Missed out;
  out.loss = most_likely(all);
  out.loss_most = most_plausible(all, out.loss);
  return out;
}

}  // namespace

double most_lost(CanaryCounts canaries) {
  const Passes trials = Passes{} + canaries;
  return most_plausible(trials, most_likely(trials));
}

std::optional<double> loss_by_load(std::span<const std::uint64_t> first, const CanaryTally& canaries) {
  constexpr std::uint64_t few = 20;
  constexpr double margin = 0.15;
  const Passes busy = busy_since(canaries.steady, first, canaries);
  if (canaries.idle.sent < few || busy.cells + busy.canaries + busy.lost == 0) return std::nullopt;
  const double loss = most_likely(busy), both = most_likely(busy + canaries.idle);
  const double quiet =
      1 - static_cast<double>(canaries.idle.answered) / static_cast<double>(canaries.idle.sent);
  if (loss < quiet + margin || log_likelihood(busy, loss) - log_likelihood(busy, both) < plainly)
    return std::nullopt;
  return loss;
}

std::optional<Missed> missed(std::span<const std::uint64_t> first, std::uint64_t found,
                             const CanaryTally& canaries) {
  const Passes busy = busy_since(0, first, canaries);
  if (busy.cells == 0) return std::nullopt;
  Missed out = losses(busy, canaries);
  double share = share_of_like(first, canaries, busy, out.loss_most);
  // Or a part of the cells loses more than the rest: those that needed more than one pass tell how much.
  const std::size_t from = std::min<std::size_t>(canaries.steady + 1, first.size());
  const Passes late = sum(first.subspan(from));
  if (late.cells > 0 && late.count > 1) {
    const double gone = std::pow(most_plausible(late, most_likely(late)), late.count);
    if (gone < 1) share = std::max(share, std::min(1.0, late.cells * gone / (1 - gone) / busy.cells));
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

std::optional<Missed> missed_hosts(unsigned passes, std::uint64_t once, std::uint64_t found,
                                   const CanaryTally& canaries) {
  if (found == 0) return std::nullopt;
  const std::vector<std::uint64_t> none(passes, 0);
  const Passes busy = busy_since(0, none, canaries);
  Missed out = losses(busy, canaries);
  const double share = share_of_like(none, canaries, busy, out.loss_most);
  if (share >= 1) {
    out.share_most = 1;
    return out;
  }
  // For each host that answered once, share/(1-share) that never did are to be expected at most: as many if
  // it answers one kind of probes alone, fewer if it answers more (decisions/0006).
  const double mean = std::max(1.0, static_cast<double>(once)) * share / (1 - share);
  const double most = std::max(mean, poisson_most(mean));
  out.share_most = most / (static_cast<double>(found) + most);
  return out;
}

}  // namespace weir
