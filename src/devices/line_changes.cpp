#include "devices/line_changes.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <unordered_map>

#include "core/assert.hpp"

namespace weir {
namespace {

constexpr std::size_t most_compared = 20'000;

using Line = std::size_t;  // a number for each text
using Place = std::ptrdiff_t;

// In room that grows with the lines alone (Myers §4b): the middle of a shortest way is found from both ends,
// and then the middles of its halves.
class Comparison {
 public:
  Comparison(std::span<const Line> before, std::span<const Line> after)
      : before_(before), after_(after), removed_(before.size()), added_(after.size()) {
    const std::size_t diagonals = before.size() + after.size() + 4;
    forward_.resize(diagonals);
    backward_.resize(diagonals);
    compare(before, after);
  }

  bool is_removed(std::size_t line) const { return removed_[line]; }
  bool is_added(std::size_t line) const { return added_[line]; }

 private:
  struct Point {
    std::size_t before, after;
  };
  // How far one end has come on each diagonal (before - after), which are counted from the middle.
  using Reach = std::vector<Place>;

  void compare(std::span<const Line> a, std::span<const Line> b) {
    while (!a.empty() && !b.empty() && a.front() == b.front()) a = a.subspan(1), b = b.subspan(1);
    while (!a.empty() && !b.empty() && a.back() == b.back())
      a = a.first(a.size() - 1), b = b.first(b.size() - 1);
    if (a.empty() || b.empty()) {
      std::fill_n(removed_.begin() + (a.data() - before_.data()), a.size(), true);
      std::fill_n(added_.begin() + (b.data() - after_.data()), b.size(), true);
      return;
    }
    const Point middle = middle_of(a, b);
    compare(a.first(middle.before), b.first(middle.after));
    compare(a.subspan(middle.before), b.subspan(middle.after));
  }

  // A point that a shortest way passes, other than both ends of it. At least two lines differ.
  Point middle_of(std::span<const Line> a, std::span<const Line> b) {
    const auto n = static_cast<Place>(a.size()), m = static_cast<Place>(b.size());
    const Place zero = (n + m + 1) / 2 + 1, beyond = 2 * zero + 1;
    std::fill_n(forward_.begin(), beyond, -1);
    std::fill_n(backward_.begin(), beyond, -1);
    forward_[static_cast<std::size_t>(zero + 1)] = backward_[static_cast<std::size_t>(zero + 1)] = 0;
    const bool is_odd = ((n - m) & 1) != 0;
    for (Place steps = 0; steps < zero; ++steps) {
      const auto ahead = extend(forward_, backward_, steps, n, m, is_odd ? steps - 1 : -1,
                                [&](Place x, Place y) { return at(a, x) == at(b, y); });
      if (ahead) return *ahead;
      const auto behind = extend(backward_, forward_, steps, n, m, is_odd ? -1 : steps,
                                 [&](Place x, Place y) { return at(a, n - 1 - x) == at(b, m - 1 - y); });
      if (behind) return {a.size() - behind->before, b.size() - behind->after};
    }
    WEIR_ASSERT(false);  // they meet after half of all lines at the latest
    return {};
  }
  static Line at(std::span<const Line> lines, Place place) { return lines[static_cast<std::size_t>(place)]; }

  // One step more from one end. The point at which it meets the other end, which has made `other_steps`.
  template <class Same>
  static std::optional<Point> extend(Reach& mine, const Reach& other, Place steps, Place n, Place m,
                                     Place other_steps, const Same& same) {
    const Place zero = (n + m + 1) / 2 + 1;
    const auto reach = [&](Place k) -> Place& { return mine[static_cast<std::size_t>(zero + k)]; };
    const Place lowest = -(steps - 2 * std::max<Place>(0, steps - m)),
                highest = steps - 2 * std::max<Place>(0, steps - n);
    for (Place k = lowest; k <= highest; k += 2) {
      const bool down = k == -steps || (k != steps && reach(k - 1) < reach(k + 1));
      Place x = down ? reach(k + 1) : reach(k - 1) + 1;
      while (x < n && x - k < m && same(x, x - k)) ++x;
      reach(k) = x;
      const Place facing = n - m - k;  // the same diagonal, counted from the other end
      if (facing < -other_steps || facing > other_steps) continue;
      const Place there = other[static_cast<std::size_t>(zero + facing)];
      // What has left the texts on either side is no way.
      const bool is_within = x <= n && x - k <= m && there >= 0 && there <= n && there - facing <= m;
      if (is_within && x + there >= n)
        return Point{static_cast<std::size_t>(x), static_cast<std::size_t>(x - k)};
    }
    return std::nullopt;
  }

  std::span<const Line> before_, after_;
  std::vector<bool> removed_, added_;
  Reach forward_, backward_;
};

}  // namespace

std::vector<LineChange> changed_lines(const std::vector<std::string_view>& before,
                                      const std::vector<std::string_view>& after) {
  const std::size_t least = std::min(before.size(), after.size());
  std::size_t head = 0, tail = 0;
  while (head < least && before[head] == after[head]) ++head;
  while (tail < least - head && before[before.size() - 1 - tail] == after[after.size() - 1 - tail]) ++tail;
  std::unordered_map<std::string_view, Line> numbers;
  const auto middle = [&](const std::vector<std::string_view>& lines) {
    std::vector<Line> numbered;
    for (std::size_t i = head; i + tail < lines.size(); ++i)
      numbered.push_back(numbers.emplace(lines[i], numbers.size()).first->second);
    return numbered;
  };
  std::vector<LineChange> changes;
  if (before.size() + after.size() - 2 * (head + tail) > most_compared) {
    for (std::size_t i = head; i + tail < before.size(); ++i) changes.push_back({false, i, head});
    for (std::size_t i = head; i + tail < after.size(); ++i)
      changes.push_back({true, before.size() - tail, i});
    return changes;
  }
  const std::vector<Line> a = middle(before), b = middle(after);
  const Comparison comparison(a, b);
  for (std::size_t x = 0, y = 0; x < a.size() || y < b.size(); ++x, ++y) {
    for (; x < a.size() && comparison.is_removed(x); ++x) changes.push_back({false, head + x, head + y});
    for (; y < b.size() && comparison.is_added(y); ++y) changes.push_back({true, head + x, head + y});
  }
  return changes;
}

}  // namespace weir
