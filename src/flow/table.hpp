// The flow table of one worker: open addressing over 8-byte entries, flow states in one range, expiry by a
// timing wheel driven by packet time. One thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "core/reserve.hpp"
#include "flow/connection.hpp"
#include "packet/layer.hpp"

namespace weir {

// Which timeouts apply; the owner of the table keeps it up to date.
enum class Timeout : std::uint8_t { tcp, tcp_attempt, tcp_closed, udp, icmp, other };
inline constexpr std::size_t timeout_count = 6;

struct FlowOptions {
  // After so long without a packet a flow ends.
  std::array<Duration, timeout_count> idle_times = {
      seconds(300),  // tcp: an established connection
      seconds(20),   // tcp_attempt: no handshake has been seen to end
      seconds(5),    // tcp_closed: after both FINs or a RST
      seconds(60),   // udp
      seconds(60),   // icmp
      seconds(60),   // other
  };
  // A record of a flow that goes on at least this often; zero: only at the end.
  std::array<Duration, timeout_count> active_times{};
  std::size_t most_flows =
      1'000'000;  // in all workers; beyond it the flow nearest its timeout is evicted, and counted

  Duration& idle(Timeout t) noexcept { return idle_times[static_cast<std::size_t>(t)]; }
  Duration idle(Timeout t) const noexcept { return idle_times[static_cast<std::size_t>(t)]; }
  Duration& active(Timeout t) noexcept { return active_times[static_cast<std::size_t>(t)]; }
  Duration active(Timeout t) const noexcept { return active_times[static_cast<std::size_t>(t)]; }
};

struct Analysis;  // the engine's protocol state of a flow; see engine/analysis.hpp

// What a packet of a flow that is settled needs is in the first three cache lines.
struct alignas(64) FlowState {
  FlowKey key;
  bool orig_is_low = true;
  Timeout timeout = Timeout::other;
  bool identified = false;  // no further attempt to recognise the application
  Tunnel tunnel = Tunnel::none;
  std::uint32_t slot = 0, tag = 0;  // the table's own: where the state is, its tag in the index
  Analysis* analysis = nullptr;     // owned by the worker, which takes it away before the flow is erased

  Time first, last;  // of this record's packets; last is the latest seen, also when time goes back
  std::uint64_t packets[2] = {0, 0}, bytes[2] = {0, 0};  // by Side
  std::uint64_t flow_id = 0;
  std::uint64_t first_order =
      0;  // Order::major of the first packet: flows that end together are written by it

  Connection connection;  // its ends come first

  std::uint64_t tunnel_flow_id = 0;
  const char* application = nullptr;  // a literal
  std::uint32_t tunnel_key = 0;
  std::uint16_t vlan = 0xffff;
  std::uint8_t ttl[2] = {0, 0}, tos[2] = {0, 0};
  std::uint8_t macs[12] = {};
  bool has_macs = false;

  const Addr& src() const noexcept { return orig_is_low ? key.low : key.high; }
  const Addr& dst() const noexcept { return orig_is_low ? key.high : key.low; }
  std::uint16_t src_port() const noexcept { return orig_is_low ? key.low_port : key.high_port; }
  std::uint16_t dst_port() const noexcept { return orig_is_low ? key.high_port : key.low_port; }
};

static_assert(sizeof(FlowState) == 128 + sizeof(Connection) + 64);

class FlowTable {
 public:
  explicit FlowTable(const FlowOptions& options, std::size_t most_flows);
  ~FlowTable();
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  // Hints ahead of find(): first the index, then, once that has arrived, the state.
  void prefetch_index(std::uint64_t hash) const noexcept {
    __builtin_prefetch(index_.data() + (tag_of(hash) & mask_));
  }
  void prefetch_state(std::uint64_t hash) const noexcept {
    const Entry& e = index_.data()[tag_of(hash) & mask_];
    if (e.slot == 0) return;
    const char* state = reinterpret_cast<const char*>(&state_of(e.slot));
    __builtin_prefetch(state);
    __builtin_prefetch(state + 64);
    __builtin_prefetch(state + 128);
  }

  // nullptr when there is none.
  FlowState* find(const FlowKey& key, std::uint64_t hash) noexcept;
  // The key must not be in the table, and the table not full: see victim().
  FlowState& insert(const FlowKey& key, std::uint64_t hash, Time now, Timeout timeout);
  void erase(FlowState& flow) noexcept;
  // Asks for all of a state that will be needed soon.
  static void prefetch(const FlowState& flow) noexcept {
    const char* state = reinterpret_cast<const char*>(&flow);
    for (std::size_t at = 0; at < sizeof(FlowState); at += 64) __builtin_prefetch(state + at);
  }
  // Changes which timeout applies; the flow is looked at again as soon as a shorter one asks for it.
  void retime(FlowState& flow, Timeout timeout) noexcept;
  // Sets the wheel's time before the first insert(). Tables of several workers start alike, so that a flow
  // ends at the same time whichever worker has it.
  void start(Time now) noexcept { cursor_ = second_of(now); }

  std::size_t size() const noexcept { return size_; }
  // The flow to end before the next insert(), or nullptr while there is room.
  FlowState* victim() noexcept;

  // The flows whose idle timeout has passed at `now` (which never goes back) are appended to `due`; they stay
  // in the table until erased.
  void expire(Time now, std::vector<FlowState*>& due);
  void all(std::vector<FlowState*>& out);

 private:
  struct Entry {
    std::uint32_t tag = 0, slot = 0;  // slot 0: empty
  };
  // A flow's place in the wheel. Apart from its state: turning the wheel and taking a flow out of it touch
  // the neighbours' places too, and these stay in the cache.
  struct Place {
    std::uint32_t bucket = 0, previous = 0, next = 0;
  };
  static constexpr std::size_t buckets = 512;
  static constexpr std::uint32_t none = 0;
  static std::uint32_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash); }

  FlowState& state_of(std::uint32_t slot) const noexcept {
    return reinterpret_cast<FlowState*>(states_.data())[slot];
  }
  std::uint32_t take_slot();
  void grow();
  void place(Entry entry) noexcept;
  void link(FlowState& flow, Time deadline) noexcept;
  void unlink(FlowState& flow) noexcept;
  static std::int64_t second_of(Time t) noexcept { return t.ns / 1'000'000'000; }

  FlowOptions options_;
  std::size_t most_, size_ = 0;
  std::vector<Entry> index_;
  std::uint32_t mask_;
  Reserve states_;  // by slot
  std::vector<std::uint32_t> free_;
  std::uint32_t used_slots_ = 1;       // slot 0 stands for none
  std::vector<std::uint32_t> wheel_;   // first slot of each bucket
  std::vector<Place> places_;          // by slot
  std::vector<std::uint32_t> turned_;  // slots of the bucket that expire() looks at
  std::int64_t cursor_ = 0;            // the second up to which the wheel has turned
};

}  // namespace weir
