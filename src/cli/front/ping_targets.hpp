// Whom to probe: what the user wrote, in the order in which it was written; names that take their time to
// resolve come at the end.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/arena.hpp"
#include "os/name_resolver.hpp"
#include "plugin/probe.hpp"
#include "probe/targets.hpp"

namespace weir {

struct PingTargetOptions {
  Family family = Family::any;
  std::string interface;  // of link-local addresses
  std::uint16_t port = 0;
  Duration patience = milliseconds(500);  // for names, when there are others to begin with
};

// One thread at a time.
class PingTargets {
 public:
  static constexpr std::size_t most = std::size_t{1} << 20U;

  // Every word of TargetList::add(); an address once, however often it is named, a name once. Fails when a
  // word is wrong, or there are more than `most`. Waits for names until there is a target, or none is left.
  static Result<PingTargets> read(std::span<const std::string> words, std::span<const std::string> excluded,
                                  const PingTargetOptions& options);

  // Grows by take(); the texts stay where they are.
  const std::vector<ProbeTarget>& list() const noexcept { return list_; }
  // Names that are still being asked for.
  std::size_t names_left() const noexcept { return resolver_ ? resolver_->left() : 0; }
  // Readable when take() has something to do; not without names left.
  int fd() const noexcept { return resolver_->fd(); }
  // Adds the targets of names resolved by now, without waiting.
  void take();
  // Network and broadcast addresses of networks that were named.
  std::uint64_t left_out() const noexcept { return left_out_; }
  // A line for each name without an address, once.
  std::vector<std::string> failures() { return std::exchange(failures_, {}); }

 private:
  struct Word {
    TargetSet addresses;
    std::vector<TargetName> names;
    std::string zone;
  };
  struct AddrHash {
    std::size_t operator()(const Addr& a) const noexcept {
      return std::hash<std::string_view>{}(as_text(a.bytes));
    }
  };

  explicit PingTargets(const PingTargetOptions& options) : options_(options) {}
  Result<std::vector<Word>> read_words(std::span<const std::string> words,
                                       std::span<const std::string> excluded);
  std::unordered_map<std::string, ResolvedName> first_names(const std::vector<Word>& words);
  // `zone`: the interface that the address was given with; empty: none.
  Result<void> add(const Addr& address, std::string_view name, const std::string& zone = {});
  enum class Others : bool { none, some };  // sets that may have the same addresses
  Result<void> add_all(const TargetSet& set, const std::string& zone, Others others);
  Result<void> add_name(const TargetName& name, const ResolvedName& found);

  PingTargetOptions options_;
  std::vector<ProbeTarget> list_;  // names in texts_
  std::vector<std::string> failures_;
  std::uint64_t left_out_ = 0;
  Arena texts_;
  std::unordered_set<Addr, AddrHash> known_;
  std::unique_ptr<NameResolver> resolver_;
  std::unordered_map<std::string, TargetName> awaited_;  // of these, by name
};

}  // namespace weir
