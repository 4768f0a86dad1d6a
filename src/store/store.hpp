// What records go into: a write-ahead log that takes them at once, and a publisher that brings them from
// there into the lake or to a server. A record is accepted when append() says so; from then on it is lost
// only with the disk, or, within the last `sync` interval, with the machine or the process.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/time.hpp"
#include "store/lake_writer.hpp"
#include "store/wal.hpp"

namespace weir {

// Whether publishing a segment may have been tried before, by this process or another.
enum class Attempt : std::uint8_t { first, again };

// Where segments go in the end. One thread at a time.
class Publisher {
 public:
  virtual ~Publisher() = default;
  // Everything in the segment is stored when this returns. Repeating it stores nothing twice. A failure with
  // Code::environment is tried again later.
  virtual Result<Published> publish(const std::string& segment, SegmentId id, Attempt attempt) = 0;
  // Called now and then when nothing waits. Returns the bytes that retention dropped.
  virtual Result<std::uint64_t> maintain(Time now) = 0;
  // All that maintain() would do in time, at once: for whoever leaves after a large import.
  virtual Result<void> tidy(Time) { return {}; }
  // Makes room on a full disk as far as the user's policy lets it. Returns the bytes dropped; 0: it does not.
  virtual std::uint64_t make_room() { return 0; }
};

struct StoreSettings {
  std::string folder;                       // holds wal/
  Duration sync = seconds(1);               // after this long at most a record is on the disk
  Duration flush = seconds(10);             // and after this long visible to readers
  std::uint64_t segment_records = 491'520;  // a segment this large is published at once
  std::uint64_t segment_bytes = std::uint64_t{256} << 20;
  bool tidy_at_close = false;                   // see Publisher::tidy
  std::function<void(const std::string&)> say;  // lines for the user: the disk is full, or no longer
};

struct StoreStatus {
  std::uint64_t accepted = 0, refused = 0, published = 0;  // records
  std::uint64_t files = 0, file_bytes = 0;                 // written by publishing
  std::uint64_t waiting_segments = 0;
  std::uint64_t dropped_bytes = 0;  // by retention
  std::uint64_t failures = 0;       // attempts to publish or write that did not succeed
  bool full = false;                // nothing is accepted now
  std::string last_error;
};

class Store {
 public:
  // Publishes what processes that died have left.
  static Result<std::unique_ptr<Store>> open(StoreSettings settings, std::unique_ptr<Publisher> publisher);
  // Without close() the log keeps what is not published.
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Copies records, all of one type, and returns how many, from the first on, were accepted. The others were
  // not, because the disk is full; counted. Any thread.
  std::size_t append(const RecordType& type, std::span<const void* const> records);
  // Until append() may succeed, or `stop` says true (asked ten times a second). Any thread.
  void wait_for_room(const std::function<bool()>& stop) const;
  StoreStatus status() const;
  // Publishes everything. Fails when that is not possible; then the log keeps it for the next open().
  Result<void> close();

 private:
  struct State;
  explicit Store(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

// Publishes into the lake and keeps it in order.
struct LakePolicy {
  Retention retention;
  bool drop_oldest_when_full = false;
};
Result<std::unique_ptr<Publisher>> make_lake_publisher(LakeWriterSettings settings, LakePolicy policy);

}  // namespace weir
