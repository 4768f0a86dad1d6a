// What is accepted is published: all of it, once, whatever the publisher does.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <future>
#include <limits>
#include <thread>

#include "core/batch.hpp"
#include "engine/record_types.hpp"
#include "records/flow.hpp"
#include "store/store.hpp"
#include "temp_folder.hpp"

namespace weir {
namespace {

namespace fs = std::filesystem;

// What a publisher got, and how it is to behave.
struct Course {
  std::atomic<std::uint64_t> records = 0, attempts = 0, room_made = 0;
  std::uint64_t failures = 0;  // that come before it succeeds
  int reason = EACCES;
  std::promise<void> begun;                     // at the first attempt
  std::shared_future<void> may_go_on = done();  // waited for in each

  static std::shared_future<void> done() {
    std::promise<void> now;
    now.set_value();
    return now.get_future().share();
  }
};

class TestPublisher final : public Publisher {
 public:
  explicit TestPublisher(Course& course) : course_(course) {}

  Result<Published> publish(const std::string& segment, SegmentId, Attempt) override {
    if (course_.attempts++ == 0) course_.begun.set_value();
    course_.may_go_on.wait();
    if (course_.attempts <= course_.failures)
      return fail(Code::environment, std::strerror(course_.reason), segment);
    WEIR_TRY(const SegmentReader reader, SegmentReader::open(segment, find_record_type));
    Published out;
    for (const SegmentHolding& holding : reader.holdings()) out.records += holding.summary.count;
    course_.records += out.records;
    return out;
  }
  Result<std::uint64_t> maintain(Time) override { return 0; }
  std::uint64_t make_room() override { return ++course_.room_made; }

 private:
  Course& course_;
};

class StoreTest : public testing::Test {
 protected:
  std::unique_ptr<Store> store(StoreSettings settings) {
    settings.folder = folder_.path();
    return Store::open(std::move(settings), std::make_unique<TestPublisher>(course_)).value();
  }
  static bool append(Store& store) {
    static const Flow flow{};
    const void* one[] = {&flow};
    return store.append(record_type<Flow>(), one) == 1;
  }
  std::size_t segments() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_.path() + "/wal"), fs::directory_iterator()));
  }

  TempFolder folder_;
  Course course_;
};

TEST_F(StoreTest, ThreadsGoOnAppendingWhileSegmentsEnd) {
  const auto s = store({.sync = milliseconds(10), .flush = milliseconds(20)});
  std::atomic<std::uint64_t> accepted = 0;
  const auto run = [&] {
    while (course_.attempts < 20)
      if (append(*s)) ++accepted;
  };
  std::thread one(run), other(run);
  one.join();
  other.join();
  ASSERT_TRUE(s->close());
  EXPECT_EQ(course_.records, accepted);
  EXPECT_EQ(s->status().published, accepted);
  EXPECT_EQ(segments(), 0U);
}

TEST_F(StoreTest, ASegmentThatIsFullEndsAtOnce) {
  const auto s = store({.segment_records = 60'000});
  constexpr int count = 200'000;
  for (int i = 0; i < count; ++i) ASSERT_TRUE(append(*s));
  ASSERT_TRUE(s->close());
  EXPECT_EQ(course_.records, count);
  EXPECT_GT(course_.attempts, 2U);
}

TEST_F(StoreTest, WithoutCloseTheLogKeepsWhatIsNotPublished) {
  course_.failures = std::numeric_limits<std::uint64_t>::max();
  auto s = store({.segment_records = 1, .segment_bytes = 1});
  for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(append(*s));
  course_.begun.get_future().wait();
  s.reset();
  EXPECT_EQ(course_.records, 0U);
  course_.begun = {};
  course_.attempts = 0;
  course_.failures = 0;
  ASSERT_TRUE(store({})->close());
  EXPECT_EQ(course_.records, 100'000U);
  EXPECT_EQ(segments(), 0U);
}

TEST_F(StoreTest, RecordsAreDroppedForAFullDiskOnly) {
  course_.failures = 1;
  course_.reason = EACCES;
  const auto s = store({.sync = milliseconds(10), .flush = milliseconds(10)});
  ASSERT_TRUE(append(*s));
  course_.begun.get_future().wait();
  while (s->status().published == 0) std::this_thread::yield();
  ASSERT_TRUE(s->close());
  EXPECT_EQ(course_.room_made, 0U);
  EXPECT_EQ(course_.records, 1U);
}

TEST_F(StoreTest, RoomIsMadeOnAFullDisk) {
  course_.failures = 3;
  course_.reason = ENOSPC;
  std::vector<std::string> said;
  std::mutex mutex;
  const auto s = store({.say = [&](const std::string& line) {
    const std::lock_guard lock(mutex);
    said.push_back(line);
  }});
  ASSERT_TRUE(append(*s));
  ASSERT_TRUE(s->close());
  EXPECT_EQ(course_.room_made, 3U);
  EXPECT_EQ(s->status().dropped_bytes, 1U + 2U + 3U);
  EXPECT_EQ(course_.records, 1U);
  ASSERT_FALSE(said.empty());
  EXPECT_EQ(said.back(), "the disk is full: the oldest records were dropped, 3 B");
}

}  // namespace
}  // namespace weir
