#include "store/store.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/human.hpp"
#include "os/file_system.hpp"

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;

// Bytes of records that may wait in memory for the next write.
constexpr std::uint64_t write_at = std::uint64_t{1} << 20;
constexpr auto retry_after = std::chrono::seconds(1);
constexpr auto maintain_after = std::chrono::seconds(5);

Time wall_clock() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()};
}

// By the system's words, which DuckDB passes on, too. Anything else is no reason to drop records.
bool is_disk_full(const Error& error) {
  return error.what.find(std::strerror(ENOSPC)) != std::string::npos ||
         error.what.find(std::strerror(EDQUOT)) != std::string::npos;
}

// Either kind of segment: this process's own, or one whose process died.
struct Waiting {
  std::string path;
  SegmentId id;
  std::shared_ptr<WalSegment> own;
  std::shared_ptr<OrphanSegment> orphan;
};

}  // namespace

struct Store::State {
  StoreSettings settings;
  std::unique_ptr<Publisher> publisher;
  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  std::shared_ptr<WalSegment> segment;  // nullptr until a record comes
  Clock::time_point begun;
  std::deque<Waiting> waiting;
  std::vector<std::shared_ptr<WalSegment>> unsynced;
  StoreStatus status;
  bool stopping = false;
  bool ends_on_failure = false;
  bool needs_room = false;
  std::thread writer, syncer, worker;

  std::string wal() const { return settings.folder + "/wal"; }
  void say(const std::string& line) const {
    if (settings.say) settings.say(line);
  }

  // These with the mutex held.
  // There is a segment, and on the disk room for what may wait in memory: what is accepted can be written.
  bool can_accept() {
    if (segment == nullptr) {
      auto created = WalSegment::create(wal());
      if (!created) return fail_write(created.error());
      segment = *std::move(created);
      begun = Clock::now();
    }
    const auto reserved = segment->reserve(2 * write_at);
    return reserved ? true : fail_write(reserved.error());
  }
  bool fail_write(const Error& error) {
    ++status.failures;
    status.last_error = error.line();
    needs_room = needs_room || is_disk_full(error);
    if (!status.full) {
      status.full = true;
      say("nothing is accepted any more: " + error.line());
    }
    changed.notify_all();
    return false;
  }
  bool write() {
    if (segment == nullptr) return true;
    const auto written = segment->write();
    return written ? true : fail_write(written.error());
  }
  // Call write() before: what waits in memory does not go along.
  void hand_over() {
    unsynced.push_back(segment);
    waiting.push_back({segment->path(), segment->id(), std::move(segment), nullptr});
    segment = nullptr;
    status.waiting_segments = waiting.size();
    changed.notify_all();
  }
  bool is_large() const {
    return segment->records() >= settings.segment_records || segment->bytes() >= settings.segment_bytes;
  }
  bool is_due() const {
    return segment->records() != 0 &&
           (is_large() || Clock::now() - begun >= std::chrono::nanoseconds(settings.flush.ns));
  }
  void accept_again() {
    status.full = false;
    say("there is room again: records are accepted (" + human_count(status.refused) +
        " were refused so far)");
    changed.notify_all();
  }

  void run_writer();
  void run_syncer();
  void run_publisher();
  // Tries until it is done; false when the store closes first.
  bool publish(const Waiting& next);
  bool make_room();
  void maintain();
};

// What is in memory reaches the operating system twice in each interval, however long the disk takes.
void Store::State::run_writer() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    changed.wait_for(lock, std::chrono::nanoseconds(settings.sync.ns) / 2, [&] { return stopping; });
    const bool written = write();
    if (written && segment != nullptr) {
      unsynced.push_back(segment);
      if (is_due()) hand_over();
    }
    if (written && status.full && can_accept()) accept_again();
    changed.notify_all();
  }
}

void Store::State::run_syncer() {
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [&] { return stopping || !unsynced.empty(); });
    if (unsynced.empty()) return;
    std::vector<std::shared_ptr<WalSegment>> written;
    written.swap(unsynced);
    std::ranges::sort(written);
    written.erase(std::ranges::unique(written).begin(), written.end());
    for (const auto& each : written) {
      lock.unlock();
      const auto synced = each->sync();  // appends go on meanwhile
      lock.lock();
      if (!synced) fail_write(synced.error());
    }
  }
}

bool Store::State::publish(const Waiting& next) {
  std::optional<Published> stored;
  for (Attempt attempt = next.orphan == nullptr ? Attempt::first : Attempt::again;;
       attempt = Attempt::again) {
    Result<void> done;
    if (!stored) {
      auto published = publisher->publish(next.path, next.id, attempt);
      if (published)
        stored = *published;
      else
        done = tl::unexpected<Error>(published.error());
    }
    if (stored) {
      std::error_code ignored;
      std::filesystem::remove(next.path, ignored);
      // Only when the segment is gone for good may its files be merged (LakeWriter::compact).
      done = sync_path(wal());
    }
    std::unique_lock lock(mutex);
    if (done) {
      status.published += stored->records;
      status.files += stored->files;
      status.file_bytes += stored->bytes;
      if (stored->cut_bytes != 0)
        say(next.path + ": ends in the middle of a write, the last " + std::to_string(stored->cut_bytes) +
            " bytes were never accepted");
      return true;
    }
    ++status.failures;
    if (status.last_error != done.error().line()) say("cannot store: " + done.error().line());
    status.last_error = done.error().line();
    const bool full = is_disk_full(done.error());
    lock.unlock();
    if (full && make_room()) continue;
    lock.lock();
    if (ends_on_failure) return false;
    changed.wait_for(lock, retry_after, [&] { return ends_on_failure; });
  }
}

// Without the mutex.
bool Store::State::make_room() {
  const std::uint64_t dropped = publisher->make_room();
  if (dropped == 0) return false;
  const std::lock_guard lock(mutex);
  status.dropped_bytes += dropped;
  say("the disk is full: the oldest records were dropped, " + human_bytes(dropped));
  return true;
}

void Store::State::maintain() {
  const auto dropped = publisher->maintain(wall_clock());
  const std::lock_guard lock(mutex);
  if (dropped)
    status.dropped_bytes += *dropped;
  else if (status.last_error != dropped.error().line()) {
    status.last_error = dropped.error().line();
    say("cannot keep the store in order: " + status.last_error);
  }
}

void Store::State::run_publisher() {
  std::unique_lock lock(mutex);
  auto next_maintenance = Clock::now();
  for (;;) {
    changed.wait_until(lock, next_maintenance, [&] { return stopping || !waiting.empty() || needs_room; });
    if (!waiting.empty()) {
      const Waiting next = waiting.front();
      lock.unlock();
      const bool done = publish(next);
      lock.lock();
      if (!done) return;
      if (!waiting.empty()) waiting.pop_front();  // ~Store() leaves all to the next open()
      status.waiting_segments = waiting.size();
      changed.notify_all();
    } else if (stopping) {
      lock.unlock();
      if (settings.tidy_at_close)
        if (const auto tidied = publisher->tidy(wall_clock()); !tidied)
          say("cannot keep the store in order: " + tidied.error().line());
      return;
    }
    if (needs_room) {
      needs_room = false;  // the writer asks again
      lock.unlock();
      make_room();
      lock.lock();
    }
    if (Clock::now() >= next_maintenance && !stopping) {
      lock.unlock();
      maintain();
      lock.lock();
      next_maintenance = Clock::now() + maintain_after;
    }
  }
}

Store::Store(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}

Result<std::unique_ptr<Store>> Store::open(StoreSettings settings, std::unique_ptr<Publisher> publisher) {
  auto state = std::make_unique<State>();
  state->settings = std::move(settings);
  state->publisher = std::move(publisher);
  WEIR_CHECK(make_folders(state->wal()));
  for (OrphanSegment& orphan : OrphanSegment::claim(state->wal())) {
    const auto held = std::make_shared<OrphanSegment>(std::move(orphan));
    state->waiting.push_back({held->path(), held->id(), nullptr, held});
  }
  state->status.waiting_segments = state->waiting.size();
  State* s = state.get();
  state->writer = std::thread([s] { s->run_writer(); });
  state->syncer = std::thread([s] { s->run_syncer(); });
  state->worker = std::thread([s] { s->run_publisher(); });
  return std::unique_ptr<Store>(new Store(std::move(state)));
}

Store::~Store() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->write();
    state_->stopping = state_->ends_on_failure = true;
    state_->waiting.clear();
    state_->changed.notify_all();
  }
  for (std::thread* thread : {&state_->writer, &state_->syncer, &state_->worker})
    if (thread->joinable()) thread->join();
}

std::size_t Store::append(const RecordType& type, std::span<const void* const> records) {
  // So few that they fit into the room that can_accept() has made sure of, texts of usual length included.
  constexpr std::size_t at_once = 1024;
  State& s = *state_;
  const std::lock_guard lock(s.mutex);
  std::size_t done = 0;
  while (done < records.size() && !s.status.full && s.can_accept()) {
    const auto next = records.subspan(done, std::min(at_once, records.size() - done));
    s.segment->add(type, next);
    done += next.size();
    if (s.segment->pending_bytes() >= write_at && s.write() && s.is_large()) s.hand_over();
  }
  s.status.accepted += done;
  s.status.refused += records.size() - done;
  return done;
}

void Store::wait_for_room(const std::function<bool()>& stop) const {
  std::unique_lock lock(state_->mutex);
  while (state_->status.full && !stop()) state_->changed.wait_for(lock, std::chrono::milliseconds(100));
}

StoreStatus Store::status() const {
  const std::lock_guard lock(state_->mutex);
  return state_->status;
}

Result<void> Store::close() {
  State& s = *state_;
  Result<void> result;
  {
    const std::lock_guard lock(s.mutex);
    if (!s.write()) result = fail(Code::environment, s.status.last_error);
    if (s.segment != nullptr && s.segment->records() != 0) s.hand_over();
    s.stopping = s.ends_on_failure = true;
    s.changed.notify_all();
  }
  for (std::thread* thread : {&s.writer, &s.syncer, &s.worker}) thread->join();
  if (s.segment != nullptr) ::unlink(s.segment->path().c_str());  // nothing came into it
  if (result && !s.waiting.empty())
    result = fail(Code::environment, s.status.last_error, s.waiting.front().path,
                  "nothing is lost: the next weir that opens the store publishes it");
  return result;
}

namespace {

class LakePublisher final : public Publisher {
 public:
  LakePublisher(LakeWriter lake, LakePolicy policy) : lake_(std::move(lake)), policy_(policy) {}

  Result<Published> publish(const std::string& segment, SegmentId id, Attempt) override {
    return lake_.publish(segment, id);
  }
  Result<std::uint64_t> maintain(Time now) override {
    WEIR_TRY(const std::uint64_t dropped, lake_.retain(policy_.retention, now));
    WEIR_TRY(const bool merged, lake_.compact(now));
    (void)merged;
    return dropped;
  }
  Result<void> tidy(Time now) override {
    WEIR_TRY(const std::uint64_t dropped, lake_.retain(policy_.retention, now));
    (void)dropped;
    for (;;) {
      WEIR_TRY(const bool merged, lake_.compact(now, LakeWriter::Merge::all));
      if (!merged) return {};
    }
  }
  std::uint64_t make_room() override {
    return policy_.drop_oldest_when_full ? lake_.drop_oldest().value_or(0) : 0;
  }

 private:
  LakeWriter lake_;
  LakePolicy policy_;
};

}  // namespace

Result<std::unique_ptr<Publisher>> make_lake_publisher(LakeWriterSettings settings, LakePolicy policy) {
  WEIR_TRY(LakeWriter lake, LakeWriter::open(std::move(settings)));
  return std::make_unique<LakePublisher>(std::move(lake), policy);
}

}  // namespace weir
