// When probes are due and what becomes of them, with a prober that does as told; the statistics of round
// trips.
#include <gtest/gtest.h>

#include <array>
#include <random>

#include "engine/ping_tally.hpp"
#include "engine/pinger.hpp"

namespace weir {
namespace {

TEST(PingTally, IsWhatTheFormulasSay) {
  PingTally tally;
  std::array<float, 8> kept{};
  for (std::uint64_t i = 0; i < 4; ++i)
    tally.replied(i, milliseconds(std::int64_t(10) * (std::int64_t(i) + 1)), kept, 0);
  tally.lost();
  EXPECT_EQ(tally.sent(), 5U);
  EXPECT_EQ(tally.received(), 4U);
  EXPECT_DOUBLE_EQ(tally.loss_percent(), 20);
  EXPECT_EQ(tally.min(), milliseconds(10));
  EXPECT_EQ(tally.avg(), milliseconds(25));
  EXPECT_EQ(tally.max(), milliseconds(40));
  EXPECT_EQ(tally.mdev().ns, 11'180'340);  // sqrt(125) ms
  // Three differences of 10 ms: J += (10 - J) / 16.
  EXPECT_EQ(tally.jitter().ns, 1'760'253);
  EXPECT_EQ(percentile(std::span(kept).first(tally.kept(kept)), 50), milliseconds(20));
  EXPECT_EQ(percentile(std::span(kept).first(tally.kept(kept)), 99), milliseconds(40));
  EXPECT_EQ(tally.reordered(), 0U);
}

TEST(PingTally, CountsReplyToEarlierProbeAsReordered) {
  PingTally tally;
  for (const std::uint64_t seq : {0U, 2U, 1U, 4U, 3U, 5U}) tally.replied(seq, milliseconds(1), {}, 0);
  EXPECT_EQ(tally.reordered(), 2U);
  tally.restart();
  tally.replied(4, milliseconds(1), {}, 0);  // of before
  EXPECT_EQ(tally.reordered(), 1U);
  EXPECT_EQ(tally.sent(), 1U);
}

TEST(PingTally, LargeRoundTripsWithSmallDifferencesKeepTheirDeviation) {
  PingTally tally;
  for (std::uint64_t i = 0; i < 1000; ++i)
    tally.replied(i, Duration{60'000'000'000 + (i % 2 == 0 ? 0 : 2'000)}, {}, 0);
  EXPECT_EQ(tally.mdev().ns, 1'000);
}

// Every round trip has the same chance to be kept: the kept ones' mean is near that of all.
TEST(PingTally, SampleIsFair) {
  PingTally tally;
  std::array<float, 500> kept{};
  std::mt19937_64 random(1);
  for (std::uint64_t i = 0; i < 100'000; ++i)
    tally.replied(i, Duration{static_cast<std::int64_t>(i)}, kept, random());
  double sum = 0;
  for (const float f : kept) sum += static_cast<double>(f);
  EXPECT_NEAR(sum / 500, 50'000, 6'000);  // 4.6 standard deviations
}

const Addr someone = Addr::v4(std::array<std::uint8_t, 4>{192, 0, 2, 1}.data());

// What the prober is to do with each probe, in order of sending.
enum class Do : std::uint8_t { answer, answer_twice, ignore, fail, refuse, answer_late, queue_full };

class Puppet final : public Prober {
 public:
  explicit Puppet(std::vector<Do> orders) : orders_(std::move(orders)) {}
  ~Puppet() override = default;

  std::size_t send(const ProbeRequest* requests, std::size_t count, std::vector<ProbeNews>& news) override {
    for (std::size_t i = 0; i < count; ++i) {
      const Do order = next_ < orders_.size() ? orders_[next_] : Do::answer;
      ++next_;
      if (order == Do::queue_full) return i;
      numbers.push_back(requests[i].number);
      const ProbeNews reply{.number = requests[i].number,
                            .kind = ProbeNews::Kind::reply,
                            .kernel = true,
                            .known_bits = known_bits,
                            .bytes = 64,
                            .from = someone,
                            .to = someone};
      if (order == Do::answer || order == Do::answer_twice) waiting_.push_back(reply);
      if (order == Do::answer_twice) waiting_.push_back(reply);
      if (order == Do::answer_late) late_.push_back(reply);
      if (order == Do::fail)
        news.push_back({.number = requests[i].number, .kind = ProbeNews::Kind::failed, .error = ENETUNREACH});
      if (order == Do::refuse)
        waiting_.push_back({.number = requests[i].number,
                            .kind = ProbeNews::Kind::unreachable,
                            .type = 3,
                            .code = 1,
                            .from = someone,
                            .to = someone});
    }
    return count;
  }
  void receive(std::vector<ProbeNews>& news) override {
    for (ProbeNews& n : waiting_) {
      if (known_bits < 32) n.number &= (1U << known_bits) - 1;
      n.time = steady_now();
      news.push_back(n);
    }
    waiting_.clear();
  }
  std::span<const int> fds() const override { return {}; }
  // Its time is over: now it answers.
  void forget(std::uint32_t number) override {
    for (const ProbeNews& n : late_)
      if (n.number == number) waiting_.push_back(n);
  }
  std::string way() const override { return "a puppet"; }

  std::vector<std::uint32_t> numbers;
  std::uint8_t known_bits = 32;

 private:
  std::vector<Do> orders_;
  std::size_t next_ = 0;
  std::vector<ProbeNews> waiting_, late_;
};

class Log final : public PingListener {
 public:
  void happened(const PingEvent& e) override {
    constexpr std::string_view letters = "rtufFld";  // by kind; f: refused, F: failed
    text += letters[static_cast<std::size_t>(e.kind)];
    text += std::to_string(e.target) + "." + std::to_string(e.seq) + " ";
  }
  void burst_ended(std::uint32_t target) override { text += "end" + std::to_string(target) + " "; }
  std::string text;
};

struct Outcome {
  std::string text;
  PingCounts counts;
  std::vector<std::uint32_t> numbers;
};
Outcome ping(std::vector<Do> orders, PingPlan plan, std::size_t targets = 1, std::uint8_t known_bits = 32) {
  plan.rate = 1e7;
  plan.spread = false;
  Puppet puppet(std::move(orders));
  puppet.known_bits = known_bits;
  const std::vector<ProbeTarget> list(targets, ProbeTarget{.address = someone});
  Log log;
  StopSignals signals;
  Pinger pinger(puppet, list, plan, log);
  EXPECT_TRUE(pinger.run(signals));
  return {log.text, pinger.counts(), puppet.numbers};
}

constexpr PingPlan quick{.count = 3, .interval = milliseconds(1), .timeout = milliseconds(500)};

TEST(Pinger, EndsWhenEveryProbeIsSettled) {
  EXPECT_EQ(ping({}, quick).text, "r0.0 r0.1 r0.2 end0 ");
  EXPECT_EQ(ping({Do::ignore, Do::answer, Do::refuse}, quick).text, "r0.1 u0.2 t0.0 end0 ");
  EXPECT_EQ(ping({Do::fail, Do::answer, Do::fail}, quick).text, "F0.0 r0.1 F0.2 end0 ");
}

TEST(Pinger, TellsLateRepliesAndDuplicatesApart) {
  const Outcome o = ping({Do::answer_late, Do::answer_twice},
                         {.count = 2, .interval = milliseconds(200), .timeout = milliseconds(5)});
  EXPECT_EQ(o.text, "t0.0 l0.0 r0.1 end0 d0.1 ");
  EXPECT_EQ(o.counts.late, 1U);
  EXPECT_EQ(ping({Do::answer_twice, Do::answer}, {.count = 2, .interval = milliseconds(50)}).text,
            "r0.0 d0.0 r0.1 end0 ");
}

TEST(Pinger, AFullQueueLosesNothing) {
  std::vector<Do> orders(10, Do::queue_full);
  const Outcome o = ping(orders, quick);
  EXPECT_EQ(o.text, "r0.0 r0.1 r0.2 end0 ");
  EXPECT_EQ(o.counts.waits, 10U);
  EXPECT_EQ(o.counts.sent, 3U);
  EXPECT_EQ(o.numbers[1], o.numbers[0] + 1);
}

TEST(Pinger, UntilTheFirstReply) {
  const PingPlan plan{.count = 4, .timeout = milliseconds(5), .errors_end = false, .backoff = 1.5};
  EXPECT_EQ(ping({Do::ignore, Do::ignore, Do::answer}, plan).text, "t0.0 t0.1 r0.2 end0 ");
  EXPECT_EQ(ping({Do::ignore, Do::ignore, Do::ignore, Do::ignore}, plan).text, "t0.0 t0.1 t0.2 t0.3 end0 ");
  // An error is told, and its probe waited for; a probe that cannot be sent ends it.
  EXPECT_EQ(ping({Do::refuse, Do::answer}, plan).text, "u0.0 t0.0 r0.1 end0 ");
  EXPECT_EQ(ping({Do::fail}, plan).text, "F0.0 end0 ");
}

TEST(Pinger, UntilTheFirstReplyALateOneCounts) {
  const PingPlan plan{.count = 4, .timeout = milliseconds(100), .errors_end = false, .backoff = 5};
  EXPECT_EQ(ping({Do::answer_late, Do::ignore}, plan).text, "t0.0 r0.0 end0 ");
}

TEST(Pinger, MoreProbesUnderWayThanThePlacesItBeganWith) {
  const Outcome o = ping({}, {.count = 3, .interval = milliseconds(0)}, 10'000);
  EXPECT_EQ(o.counts.replies, 30'000U);
  std::vector<Do> silent(10'000, Do::ignore);
  const Outcome none = ping(silent, {.count = 1, .timeout = milliseconds(500)}, 10'000);
  EXPECT_EQ(none.counts.timeouts, 10'000U);
  EXPECT_EQ(none.counts.strays, 0U);
}

// Names that are resolved: one target when the first has had its probes, one after that.
class Late final : public TargetSource {
 public:
  explicit Late(std::vector<ProbeTarget>& list) : list_(list) { event_.set(); }
  bool over() const override { return list_.size() == 3; }
  int fd() const override { return event_.fd(); }
  void take() override {
    if (++asked_ % 10 == 0) list_.push_back({.address = someone});
  }

 private:
  std::vector<ProbeTarget>& list_;
  Event event_;
  int asked_ = 0;
};

TEST(Pinger, TargetsMayJoin) {
  struct Joined final : PingListener {
    explicit Joined(const std::vector<ProbeTarget>& targets) : list(targets) {}
    void happened(const PingEvent& e) override { EXPECT_LT(e.target, known); }
    void burst_ended(std::uint32_t target) override { ended.push_back(target); }
    void joined() override { known = list.size(); }
    const std::vector<ProbeTarget>& list;
    std::size_t known = list.size();
    std::vector<std::uint32_t> ended;
  };
  Puppet puppet({});
  std::vector<ProbeTarget> list(1, ProbeTarget{.address = someone});
  Joined listener(list);
  Late late(list);
  StopSignals signals;
  Pinger pinger(puppet, list, quick, listener, &late);
  EXPECT_TRUE(pinger.run(signals));
  EXPECT_EQ(listener.ended, (std::vector<std::uint32_t>{0, 1, 2}));
  EXPECT_EQ(pinger.counts().replies, 9U);
  // Nobody to begin with.
  list.clear();
  Joined none(list);
  Late all(list);
  Pinger waiting(puppet, list, quick, none, &all);
  EXPECT_TRUE(waiting.run(signals));
  EXPECT_EQ(none.ended.size(), 3U);
}

// As datagram sockets have it: 16 bits come back, and more than 65,536 probes are remembered.
TEST(Pinger, FindsProbesByTheLowBitsOfTheirNumbers) {
  std::vector<Do> orders(70'000, Do::ignore);
  const Outcome o = ping(orders, {.count = 1, .timeout = seconds(2)}, 80'000, 16);
  EXPECT_EQ(o.counts.replies, 10'000U);
  EXPECT_EQ(o.counts.timeouts, 70'000U);
}

}  // namespace
}  // namespace weir
