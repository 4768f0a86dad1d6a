// What a parser remembers of a connection until it meets its like: most often requests without an answer. At
// most Max, in the order they came.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace weir {

template <class T, std::size_t Max>
class Recent {
 public:
  // When Max are there, the oldest goes; leave(oldest) may still say so.
  template <class F>
  T& add(T item, F&& leave) {
    if (items_.size() == Max) {
      leave(std::as_const(items_.front()));
      items_.erase(items_.begin());
    }
    return items_.emplace_back(std::move(item));
  }
  T& add(T item) {
    return add(std::move(item), [](const T&) {});
  }

  // nullptr when there is none.
  T* oldest() noexcept { return items_.empty() ? nullptr : items_.data(); }
  template <class F>
  T* find(F&& fits) {
    const auto found = std::find_if(items_.begin(), items_.end(), fits);
    return found == items_.end() ? nullptr : &*found;
  }
  template <class F>
  T* find_newest(F&& fits) {
    const auto found = std::find_if(items_.rbegin(), items_.rend(), fits);
    return found == items_.rend() ? nullptr : &*found;
  }

  // `item` is one of ours.
  T take(T& item) {
    const auto at = items_.begin() + (&item - items_.data());
    T taken = std::move(*at);
    items_.erase(at);
    return taken;
  }
  // The oldest first.
  template <class F>
  void take_all(F&& leave) {
    for (const T& item : items_) leave(item);
    items_.clear();
  }

 private:
  std::vector<T> items_;
};

}  // namespace weir
