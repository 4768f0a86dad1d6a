#include "engine/pipeline.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "engine/capture_filter.hpp"
#include "engine/enrichment.hpp"
#include "engine/sequencer.hpp"
#include "engine/worker.hpp"
#include "os/kernel_clock.hpp"
#include "records/oddity.hpp"
#include "records/stat.hpp"

namespace weir {
namespace {

// Flows that are still open when the input ends are written in this many packets' worth of steps, so that not
// all of their records are in memory at once.
constexpr std::uint64_t flush_packets = 16'384;

// How far ahead of decoding a packet its headers are asked for.
constexpr std::uint32_t headers_ahead = 8;

// So many full rounds one after the other are more than one block of a ring has: packets wait.
constexpr std::uint64_t rounds_behind = 8;

class Pipeline {
 public:
  Pipeline(const Plan& plan, PacketSource& source, const CaptureFilter* bpf, Sink* sink,
           const Observer& observer, const std::function<void(const Progress&)>& progress,
           const std::atomic<bool>& stop, RoundTaker* taker)
      : plan_(plan),
        source_(source),
        bpf_(bpf),
        sink_(sink),
        observer_(observer),
        progress_(progress),
        stop_(stop),
        taker_(taker),
        behind_(!source.live()),
        // Only one thread can read at a time, so while it does the others need rounds to work on. One thread
        // alone had better finish a round while the cache has it.
        read_first_(plan.threads == 1 ? 1 : 2 * plan.threads),
        sequencer_(plan),
        rounds_(std::size_t{2} * plan.threads + 2) {
    for (unsigned i = 0; i < share_count; ++i) workers_[i] = std::make_unique<Worker>(plan, i);
    if (plan.stats.ns > 0) next_stats_ = steady_now() + plan.stats;
  }

  Result<Outcome> run() {
    std::vector<std::jthread> threads;
    for (unsigned i = 1; i < plan_.threads; ++i) threads.emplace_back([this, i] { turn(i); });
    turn(0);
    threads.clear();
    if (error_) return tl::unexpected<Error>(std::move(*error_));
    sequencer_.finish();
    outcome_.counters = counters_;
    for (const auto& w : workers_) outcome_.counters.add(w->counters());
    outcome_.counters.add(fragments());
    outcome_.counters.records = records_;
    outcome_.damages = source_.damages();
    if (!any_packets_) outcome_.first = outcome_.last = source_.given_until();
    WEIR_CHECK(write_tail());
    return std::move(outcome_);
  }

 private:
  enum class Stage : std::uint8_t { empty, reading, decoded, sequenced };
  struct Slot {
    Round round;
    Stage stage = Stage::empty;
    unsigned shares_done = 0;
    // Of a round with stats, what was counted up to its end: by the sequencer, and by each worker.
    Counters sequenced;
    std::array<Counters, share_count> worked;
  };
  using Lock = std::unique_lock<std::mutex>;
  // Shares that one thread works on; worked_ of a claimed share is that thread's alone.
  struct Claim {
    std::array<unsigned, share_count> shares;
    unsigned size = 0;
    bool empty() const noexcept { return size == 0; }
    const unsigned* begin() const noexcept { return shares.data(); }
    const unsigned* end() const noexcept { return shares.data() + size; }
  };

  Slot& slot(std::uint64_t index) noexcept { return rounds_[index % rounds_.size()]; }

  enum class Step : std::uint8_t { read, sequence, work, write, wait, rest, end };

  // What thread `self` does next; for work also on which shares.
  Step next_step(unsigned self, Claim& claim) {
    if (self != 0 && !behind_ && !exhausted_) return Step::rest;
    if (may_read() && read_ - written_ < (behind_ ? read_first_ : 1)) return Step::read;
    if (written_ < sequenced_ && !writing_ && slot(written_).shares_done == share_count) return Step::write;
    claim = claim_shares(self);
    if (!claim.empty()) return Step::work;
    if (sequenced_ < read_ && !sequencing_ && slot(sequenced_).stage == Stage::decoded) return Step::sequence;
    if (may_read()) return Step::read;
    return exhausted_ && written_ == read_ ? Step::end : Step::wait;
  }

  // Thread `self`: does whatever is ready until all is written.
  void turn(unsigned self) {
    Lock lock(mutex_);
    Claim claim;
    for (bool ended = false; !ended && !error_;) {
      switch (next_step(self, claim)) {
        case Step::read: read(lock); break;
        case Step::sequence: sequence(lock); break;
        case Step::work: work(lock, claim); break;
        case Step::write: write(lock); break;
        case Step::wait: changed_.wait(lock); break;
        case Step::rest: called_.wait(lock); break;
        case Step::end: ended = true; break;
      }
    }
    changed_.notify_all();
    called_.notify_all();
  }

  bool may_read() const noexcept { return !reading_ && !exhausted_ && read_ - written_ < rounds_.size(); }

  void read(Lock& lock) {
    reading_ = true;
    Slot& s = slot(read_);
    Round& round = s.round;
    lock.unlock();
    const bool more = fill(round);
    lock.lock();
    reading_ = false;
    if (!more) {
      exhausted_ = true;
      changed_.notify_all();
      called_.notify_all();
      return;
    }
    look_behind(round);
    s.stage = Stage::reading;
    s.shares_done = 0;
    ++read_;
    changed_.notify_all();
    lock.unlock();
    if (!round.last) decode_round(round);
    lock.lock();
    s.stage = Stage::decoded;
    counters_.refused_by_bpf += round.refused;
    counters_.bytes += round.bytes;
    changed_.notify_all();
  }

  // While one thread keeps up with a live source it does every step and has its packets in the cache: with
  // each step on whichever thread is free a packet takes a third more CPU.
  void look_behind(const Round& round) {
    if (!source_.live()) return;
    full_rounds_ = round.slice.packets.size() < plan_.round_packets ? 0 : full_rounds_ + 1;
    behind_ = round.last || full_rounds_ >= rounds_behind;
    if (behind_) called_.notify_all();
  }

  // The next round's packets, or after the last packet the steps that end the open flows.
  bool fill(Round& round) {
    round.index = read_;
    round.first_packet = packets_;
    if (!ended_) {
      round.stats = stats_due();
      auto& packets = round.slice.packets;
      while (packets.size() < plan_.round_packets && !stop_.load(std::memory_order_relaxed)) {
        const auto more = source_.read(round.slice, plan_.round_packets - packets.size());
        if (!more) {
          const std::lock_guard guard(mutex_);
          error_ = more.error();
          return false;
        }
        if (!*more) break;
        if (!source_.live()) continue;
        if (packets.empty()) return idle(round);
        break;
      }
      if (!packets.empty()) {
        packets_ += packets.size();
        counters_.packets = packets_;
        if (plan_.timeline)
          for (const RawPacket& p : packets) outcome_.timeline.add(p.time, p.length);
        if (progress_) progress_({packets_, source_.bytes_read(), source_.bytes_total()});
        return true;
      }
      ended_ = true;
    }
    if (flush_from_ >= packets_) return false;
    flush_from_ += flush_packets;
    round.last = true;
    round.flush_before = order_of(std::min(flush_from_, packets_), 0);
    // Later than every packet, and rising.
    round.first_packet = packets_ + flush_steps_++;
    return true;
  }

  bool stats_due() {
    if (!next_stats_ || !source_.live() || steady_now() < *next_stats_) return false;
    next_stats_ = *next_stats_ + plan_.stats;
    return true;
  }

  Counters fragments() const {
    const auto& counts = sequencer_.fragments();
    return {.fragments = counts.fragments,
            .datagrams_reassembled = counts.datagrams,
            .fragments_dropped = counts.lost_fragments};
  }

  // No packets came: time goes on for the flows there are.
  bool idle(Round& round) {
    round.earliest = round.latest = source_.given_until();
    if (progress_) progress_({packets_, source_.bytes_read(), source_.bytes_total()});
    return true;
  }

  void decode_round(Round& round) {
    const std::span<const RawPacket> packets = round.slice.packets;
    if (packets.empty()) return;
    round.earliest = round.latest = packets.front().time;
    for (std::uint32_t i = 0; i < packets.size(); ++i) {
      const RawPacket& raw = packets[i];
      if (i + headers_ahead < packets.size()) __builtin_prefetch(packets[i + headers_ahead].data);
      round.earliest = std::min(round.earliest, raw.time);
      round.latest = std::max(round.latest, raw.time);
      round.bytes += raw.length;
      if (bpf_ != nullptr && !bpf_->accepts(raw)) {
        ++round.refused;
        continue;
      }
      const auto first = static_cast<std::uint32_t>(round.layers.size());
      const std::size_t layers = decode(raw, round.layers);
      const Layer& outer = round.layers[first];
      if (layers == 1 && !outer.fragment) [[likely]]
        round.shares[share_of(outer)].items.push_back({first, i, 0});
      else
        round.specials.push_back({i, first, static_cast<std::uint32_t>(layers)});
    }
  }

  void sequence(Lock& lock) {
    sequencing_ = true;
    Slot& s = slot(sequenced_);
    lock.unlock();
    sequencer_.sequence(s.round);
    if (s.round.stats) s.sequenced = fragments();
    if (!s.round.slice.packets.empty()) {
      if (!std::exchange(any_packets_, true)) outcome_.first = outcome_.last = s.round.earliest;
      outcome_.first = std::min(outcome_.first, s.round.earliest);
      outcome_.last = std::max(outcome_.last, s.round.latest);
    }
    lock.lock();
    sequencing_ = false;
    s.stage = Stage::sequenced;
    ++sequenced_;
    changed_.notify_all();
  }

  // The shares with a sequenced round to work on, of a thread's own part of them; when it has none, one that
  // is left lying elsewhere.
  Claim claim_shares(unsigned self) {
    Claim claim;
    const unsigned begin = share_count * self / plan_.threads, end = share_count * (self + 1) / plan_.threads;
    const auto take = [&](unsigned share) {
      if (busy_[share] || worked_[share] == sequenced_) return;
      busy_[share] = true;
      claim.shares[claim.size++] = share;
    };
    for (unsigned share = begin; share < end; ++share) take(share);
    for (unsigned i = 0; i < share_count && claim.empty(); ++i) take((end + i) % share_count);
    return claim;
  }

  void work(Lock& lock, const Claim& claim) {
    lock.unlock();
    for (const unsigned share : claim) {
      Slot& s = slot(worked_[share]);
      Round& round = s.round;
      workers_[share]->work(round);
      if (round.stats) s.worked[share] = workers_[share]->counters();
      if (sink_ != nullptr) encode(round.shares[share]);
    }
    lock.lock();
    for (const unsigned share : claim) {
      Slot& s = slot(worked_[share]++);
      busy_[share] = false;
      if (++s.shares_done == share_count) changed_.notify_all();
    }
  }

  void encode(Share& share) const {
    for (const Batch::Entry& e : share.batch.entries()) {
      sink_->encode(*e.type, e.record, share.encoded);
      share.ends.push_back(share.encoded.size());
    }
  }

  void write(Lock& lock) {
    writing_ = true;
    Slot& s = slot(written_);
    lock.unlock();
    Result<void> done = merge(s.round);
    done_.packets += s.round.slice.packets.size();
    done_.bytes += s.round.bytes;
    done_.refused_by_bpf += s.round.refused;
    done_.records = records_;
    if (done && s.round.stats) done = write_stats(s);
    if (done && taker_ != nullptr) done = taker_->take(s.round);
    s.round.clear();  // now, while the cache has the memory that is given back
    lock.lock();
    writing_ = false;
    if (!done && !error_) error_ = done.error();
    s.stage = Stage::empty;
    ++written_;
    changed_.notify_all();
  }

  // The shares' records, each share's in order, as one ordered sequence.
  Result<void> merge(const Round& round) {
    std::array<std::size_t, share_count> at{};
    std::uint64_t records = 0;
    while (true) {
      const Share* next = nullptr;
      std::size_t which = 0;
      for (std::size_t i = 0; i < round.shares.size(); ++i) {
        const Share& share = round.shares[i];
        if (at[i] == share.batch.entries().size()) continue;
        if (next != nullptr &&
            (!plan_.ordered || next->batch.entries()[at[which]].order <= share.batch.entries()[at[i]].order))
          continue;
        next = &share;
        which = i;
      }
      if (next == nullptr) break;
      const std::size_t k = at[which]++;
      const Batch::Entry& e = next->batch.entries()[k];
      ++records;
      if (observer_) observer_(*e.type, e.record);
      if (sink_ == nullptr) continue;
      const std::size_t start = k == 0 ? 0 : next->ends[k - 1];
      const auto text = std::string_view{next->encoded}.substr(start, next->ends[k] - start);
      if (auto ok = sink_->consume(*e.type, e.record, text); !ok) return ok;
    }
    records_ += records;
    if (sink_ == nullptr || records == 0) return {};
    WEIR_CHECK(sink_->end_batch());
    return sink_->flush();
  }

  // While packets come.
  Result<void> write_stats(const Slot& s) {
    Counters counters = done_;
    counters.add(s.sequenced);
    for (const Counters& worked : s.worked) counters.add(worked);
    Batch batch;
    Emitter out(plan_.wants, batch);
    add_stats(counters, s.round.latest, out);
    WEIR_CHECK(put(batch));
    return sink_ != nullptr ? sink_->flush() : Result<void>{};
  }

  // What is known only at the end: damaged input and weir's own counters.
  Result<void> write_tail() {
    Batch batch;
    Emitter out(plan_.wants, batch);
    for (const Damage& d : outcome_.damages)
      out.emit(Oddity{.time = outcome_.last, .name = d.name, .detail = out.text(d.what), .source = "file"});
    add_stats(outcome_.counters, std::max(outcome_.last, source_.given_until()), out);
    return put(batch);
  }

  void add_stats(const Counters& counters, Time at, Emitter& out) const {
    counters.for_each([&](std::string_view name, std::uint64_t value) {
      out.emit(Stat{.time = at, .name = name, .value = value});
    });
    const CounterTaker take = [&](std::string_view name, std::uint64_t value, std::string_view interface) {
      Stat stat{.time = at, .name = out.text(name), .value = value};
      if (!interface.empty()) stat.interface_name = out.text(interface);
      out.emit(stat);
    };
    source_.each_counter(take);
    if (plan_.other_counters) plan_.other_counters(take);
    if (plan_.enrichment != nullptr) plan_.enrichment->stats(at, out);
  }

  // Behind what is written already.
  Result<void> put(const Batch& batch) {
    std::string text;
    for (const Batch::Entry& e : batch.entries()) {
      text.clear();
      if (observer_) observer_(*e.type, e.record);
      if (sink_ == nullptr) continue;
      sink_->encode(*e.type, e.record, text);
      WEIR_CHECK(sink_->consume(*e.type, e.record, text));
    }
    if (sink_ != nullptr) return sink_->end_batch();
    return {};
  }

  const Plan& plan_;
  PacketSource& source_;
  const CaptureFilter* bpf_;
  Sink* sink_;
  const Observer& observer_;
  const std::function<void(const Progress&)>& progress_;
  const std::atomic<bool>& stop_;
  RoundTaker* const taker_;

  // Guards the state below up to the blank line; what a step works on belongs to the thread that does the
  // step.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable called_;                        // behind_ or exhausted_ is set
  std::uint64_t read_ = 0, sequenced_ = 0, written_ = 0;  // rounds that have passed the step
  std::array<std::uint64_t, share_count> worked_{};       // likewise, by share
  std::array<bool, share_count> busy_{};                  // a thread works on the share
  bool reading_ = false, sequencing_ = false, writing_ = false, exhausted_ = false;
  bool behind_;                    // there is more to do than one thread has done so far
  std::uint64_t full_rounds_ = 0;  // read since the last one that could have taken more
  std::optional<Error> error_;
  Counters counters_;

  const std::uint64_t read_first_;  // reading comes first while fewer rounds are on their way
  Sequencer sequencer_;
  std::vector<Slot> rounds_;
  std::array<std::unique_ptr<Worker>, share_count> workers_;
  Outcome outcome_;
  std::uint64_t packets_ = 0, flush_from_ = 0, flush_steps_ = 0, records_ = 0;
  bool ended_ = false, any_packets_ = false;
  std::optional<Time> next_stats_;  // on the steady clock
  Counters done_;                   // of rounds that are written, as far as rounds are counted themselves
};

}  // namespace

Timeline::Step& Timeline::reach(Time time) {
  if (steps.empty()) start = time;
  std::uint64_t at = time < start ? 0 : static_cast<std::uint64_t>((time - start).ns) >> shift;
  for (; at >= most; at >>= 1, ++shift) {
    // Pairs of steps become one.
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const Step moved = steps[i];
      steps[i] = {};
      steps[i / 2].packets += moved.packets;
      steps[i / 2].bytes += moved.bytes;
    }
    steps.resize((steps.size() + 1) / 2);
  }
  if (at >= steps.size()) steps.resize(at + 1);
  return steps[at];
}

Result<Outcome> run(const Plan& plan, PacketSource& source, const CaptureFilter* bpf, Sink* sink,
                    const Observer& observer, const std::function<void(const Progress&)>& progress,
                    const std::atomic<bool>& stop, RoundTaker* taker) {
  return Pipeline(plan, source, bpf, sink, observer, progress, stop, taker).run();
}

}  // namespace weir
