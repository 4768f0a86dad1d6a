// Reverse DNS names that never make anyone wait: a name that is not known yet is asked for, and there for
// whoever comes later. One thread asks; the cache, what waits and what is asked at a time are bounded.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "core/arena.hpp"
#include "core/bytes.hpp"
#include "core/time.hpp"
#include "os/descriptor.hpp"
#include "os/endpoint.hpp"

namespace weir {

struct ReverseNamesOptions {
  std::vector<Endpoint> servers{};    // empty: those of system_name_servers()
  std::size_t most_names = 131'072;   // cached; beyond, the oldest is forgotten
  std::size_t most_waiting = 16'384;  // to be asked; beyond, an address is left for the next time it comes
  std::size_t most_asked = 256;       // at a time
  unsigned tries = 2;                 // each of the next server
  Duration timeout = seconds(2);      // of a try
  Duration least = seconds(60), most = seconds(86'400);  // a name is good for its TTL, within these
  Duration none = seconds(600);   // an address without a name is asked again after this
  Duration failed = seconds(60);  // and one whose servers do not answer after this
};

struct ReverseCounts {
  std::uint64_t asked = 0;    // addresses
  std::uint64_t named = 0;    // answers that hold a name
  std::uint64_t unnamed = 0;  // answers that say there is none
  std::uint64_t failed = 0;   // no answer, or none that says anything
  std::uint64_t refused = 0;  // not asked: too many were waiting
  std::uint64_t evicted = 0;  // names forgotten to make room
};

// The `nameserver` lines of resolv.conf(5); the local host when there are none.
std::vector<Endpoint> name_servers_in(std::string_view resolv_conf);
std::vector<Endpoint> system_name_servers();

// Of a name server.
struct ReverseAnswer {
  bool settled = true;  // false: the server could not tell (SERVFAIL)
  std::string name;     // empty: there is none
  std::uint32_t ttl = 0;
};
// Hostile bytes, and answers to other questions, are nothing.
std::optional<ReverseAnswer> read_reverse_answer(Bytes message, const Addr& address);

class ReverseNames {
 public:
  // Fails with Code::environment when no server can be asked.
  static Result<std::unique_ptr<ReverseNames>> open(ReverseNamesOptions options = {});
  ~ReverseNames();
  ReverseNames(const ReverseNames&) = delete;
  ReverseNames& operator=(const ReverseNames&) = delete;

  // The name, copied; null when it is not known (yet). Any thread.
  std::string_view find(const Addr& address, Arena& texts);
  // Any thread.
  ReverseCounts counts() const noexcept;

 private:
  struct Name {
    std::string text;  // empty: none
    std::int64_t good_until = 0;
    bool asked = false;  // waiting or under way
  };
  struct AddrHash {
    std::size_t operator()(const Addr& a) const noexcept;
  };
  struct Shard {
    std::mutex mutex;  // guards what follows
    std::unordered_map<Addr, Name, AddrHash> names;
    std::vector<Addr> oldest;  // as a ring, in the order they came
    std::size_t next = 0;      // the oldest, once the ring is full
  };
  struct Question {
    Addr address;
    unsigned tries = 0;
    std::int64_t deadline = 0;
    std::uint32_t number = 0;  // tells a question from an earlier one with the same id
  };
  struct Deadline {
    std::int64_t at;
    std::uint16_t id;
    std::uint32_t number;
  };

  explicit ReverseNames(ReverseNamesOptions options);
  Shard& shard_of(const Addr& address) noexcept;
  bool wait_for(const Addr& address);  // false: too many wait
  void run();
  void ask_waiting();
  void ask(Question question);
  void receive(const Descriptor& socket);
  void answer(std::span<const std::uint8_t> message);
  void give_up_late();
  void retry(Question question);
  void settle(const Addr& address, std::string_view name, Duration good);
  int until_deadline() const noexcept;  // ms

  const ReverseNamesOptions options_;
  std::array<Shard, 16> shards_;
  std::mutex mutex_;  // guards the next
  std::deque<Addr> waiting_;
  Descriptor wake_;  // eventfd: something waits
  Event stop_;
  std::array<std::atomic<std::uint64_t>, 6> counts_{};

  // Of the thread.
  std::vector<Descriptor> sockets_;  // connected, one for each server
  std::unordered_map<std::uint16_t, Question> asked_;
  std::deque<Deadline> deadlines_;
  std::uint32_t number_ = 0;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace weir
