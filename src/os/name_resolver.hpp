// Host names into addresses, several at a time, by whatever the system is set up to ask (hosts(5), DNS, mDNS:
// nsswitch.conf(5)).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/addr.hpp"
#include "core/time.hpp"

namespace weir {

enum class Family : std::uint8_t { any, v4, v6 };

struct ResolvedName {
  std::string name;
  std::vector<Addr> addresses;  // each once, in the order of preference of getaddrinfo(3) (RFC 6724)
  std::string error;            // why there are none: "Name or service not known"; empty when there are some
};

// Starts at once. One thread takes; threads of its own ask.
class NameResolver {
 public:
  explicit NameResolver(std::vector<std::string> names, Family family = Family::any, unsigned at_a_time = 16);
  // Does not wait: what is still being asked for is forgotten.
  ~NameResolver();
  NameResolver(const NameResolver&) = delete;
  NameResolver& operator=(const NameResolver&) = delete;

  // What was settled since the last call, in the order in which it was. Waits for the first of it at most so
  // long; empty when nothing came, or nothing is left.
  std::vector<ResolvedName> take(Duration wait);
  // Names that take() did not return yet.
  std::size_t left() const noexcept { return left_; }
  // Readable while take() has something to return.
  int fd() const noexcept;

 private:
  struct Work;
  std::shared_ptr<Work> work_;
  std::size_t left_;
};

// All of them, in the order of `names`.
std::vector<ResolvedName> resolve_names(const std::vector<std::string>& names, Family family = Family::any);

}  // namespace weir
