#include "engine/pinger.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include "os/routes.hpp"

namespace weir {
namespace {

// After the kernel's queue was full.
constexpr Duration retry_after{200'000};
// Between two times that the listener may write, while there is always something to do.
constexpr Duration busy_idle = milliseconds(100);

std::uint32_t random_number() {
  return static_cast<std::uint32_t>(std::random_device{}());
}

}  // namespace

Pinger::Pinger(Prober& prober, const std::vector<ProbeTarget>& targets, const PingPlan& plan,
               PingListener& listener, TargetSource* source)
    : prober_(prober),
      targets_(targets),
      plan_(plan),
      listener_(listener),
      source_(source),
      pacer_(plan.rate, steady_now()),
      due_(ticks(steady_now())),
      timeouts_(due_.now()),
      flights_(least_flights),
      schedules_(targets.size()),
      next_number_(random_number()) {
  requests_.reserve(batch);
}

bool Pinger::run(StopSignals& signals) {
  start(steady_now());
  while (unfinished_ > 0 || are_coming()) {
    Time now = steady_now();
    due_.advance(ticks(now), [&](std::uint32_t target, std::uint64_t) { ready_.push_back(target); });
    const bool any = take_news();
    // What had come by then was read before anything is given up.
    timeouts_.advance(ticks(now), [&](std::uint32_t number, std::uint64_t) {
      give_up(flight(number), PingEvent::Kind::timeout, nullptr);
    });
    const std::size_t done = send_due(now);
    if (now >= next_tick_) next_tick_ = listener_.tick(now);
    if ((!any && done == 0) || now - idled_ > busy_idle) {
      idled_ = now;
      if (!listener_.idle() || signals.take()) return false;
      if (are_coming()) join(now);
    }
    if (!any && done == 0 && (unfinished_ > 0 || are_coming()) && !wait(signals, now)) return false;
  }
  return true;
}

// The first probes: over the interval, or as fast as the rate lets them.
void Pinger::start(Time now) {
  clock_.refresh();
  unfinished_ = targets_.size();
  next_tick_ = listener_.tick(now);
  const double apart =
      plan_.spread ? static_cast<double>(plan_.interval.ns) / static_cast<double>(targets_.size()) : 0;
  for (std::uint32_t i = 0; i < targets_.size(); ++i) {
    Schedule& s = schedules_[i];
    s.due = s.burst = now + Duration{std::llround(apart * i)};
    if (s.due > now)
      due_.insert(ticks(s.due), i);
    else
      ready_.push_back(i);
  }
}

// Those that have come since.
void Pinger::join(Time now) {
  source_->take();
  if (schedules_.size() == targets_.size()) return;
  unfinished_ += targets_.size() - schedules_.size();
  for (auto i = static_cast<std::uint32_t>(schedules_.size()); i < targets_.size(); ++i) ready_.push_back(i);
  schedules_.resize(targets_.size(), {.due = now, .burst = now});
  listener_.joined();
}

// Makes sure that the next number's place is free. False when there is none: too much is under way.
bool Pinger::make_room() {
  if (flight(next_number_).state != State::waiting) return true;
  if (flights_.size() >= most_flights) return false;
  std::vector<Flight> larger(flights_.size() * 2);
  for (const Flight& f : flights_)
    if (f.state != State::free) larger[f.number & (larger.size() - 1)] = f;
  flights_ = std::move(larger);
  return true;
}

std::size_t Pinger::send_due(Time now) {
  const std::size_t ready = ready_.size() - ready_at_;
  if (ready == 0 || now < retry_) return 0;
  const std::uint32_t most = pacer_.take(now, static_cast<std::uint32_t>(std::min(ready, batch)));
  requests_.clear();
  for (std::size_t i = 0; i < most && make_room(); ++i) {
    const std::uint32_t target = ready_[ready_at_ + i], number = next_number_++;
    flight(number) = {.number = number,
                      .target = target,
                      .sent = now,
                      .seq = schedules_[target].seq,
                      .state = State::waiting};
    requests_.push_back({number, &targets_[target]});
  }
  if (requests_.empty()) {
    if (most > 0) {
      ++counts_.waits;
      retry_ = now + retry_after;
    }
    return 0;
  }
  news_.clear();
  const std::size_t done = prober_.send(requests_.data(), requests_.size(), news_);
  if (done < requests_.size()) {
    ++counts_.waits;
    retry_ = now + retry_after;
    for (std::size_t i = done; i < requests_.size(); ++i) flight(requests_[i].number) = {};
    next_number_ -= static_cast<std::uint32_t>(requests_.size() - done);
  }
  for (std::size_t i = 0; i < done; ++i) sent(ready_[ready_at_ + i], requests_[i].number, now);
  ready_at_ += done;
  if (ready_at_ == ready_.size()) {
    ready_.clear();
    ready_at_ = 0;
  } else if (ready_at_ > ready_.size() / 2 && ready_at_ > batch * batch) {
    ready_.erase(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(ready_at_));
    ready_at_ = 0;
  }
  for (const ProbeNews& n : news_) take(n);
  return done;
}

void Pinger::sent(std::uint32_t target, std::uint32_t number, Time now) {
  Schedule& s = schedules_[target];
  ++counts_.sent;
  ++s.seq;
  ++s.sent;
  ++s.open;
  s.last = number;
  // Beyond the tick in which it ends: a reply just in time is read before.
  flight(number).timeout = timeouts_.insert(ticks(now + timeout_of(s)) + 1, number);
  if (plan_.backoff == 0 && (plan_.count == 0 || s.sent < plan_.count)) {
    s.due = std::max(s.due + plan_.interval, now);
    due_.insert(ticks(s.due), target);
  }
}

Duration Pinger::timeout_of(const Schedule& s) const noexcept {
  if (plan_.backoff == 0) return plan_.timeout;
  return {std::llround(static_cast<double>(plan_.timeout.ns) * std::pow(plan_.backoff, s.sent - 1))};
}

bool Pinger::take_news() {
  news_.clear();
  prober_.receive(news_);
  if (!news_.empty()) clock_.refresh();
  for (const ProbeNews& n : news_) take(n);
  return !news_.empty();
}

Pinger::Flight* Pinger::find(const ProbeNews& news) noexcept {
  const auto is_it = [&](const Flight& f) {
    return f.state != State::free && (news.to == Addr{} || news.to == targets_[f.target].address);
  };
  if (news.known_bits >= 32) {
    Flight& f = flight(news.number);
    return f.number == news.number && is_it(f) ? &f : nullptr;
  }
  // The latest with these bits that was for this target.
  const std::uint32_t step = std::uint32_t{1} << news.known_bits;
  const std::uint32_t newest = next_number_ - 1;
  std::uint32_t number = newest - ((newest - news.number) & (step - 1));
  for (std::uint32_t age = newest - number; age < flights_.size(); age += step, number -= step)
    if (Flight& f = flight(number); f.number == number && is_it(f)) return &f;
  return nullptr;
}

void Pinger::take(const ProbeNews& news) {
  Flight* f = find(news);
  if (f == nullptr) {
    if (news.kind != ProbeNews::Kind::sent) ++counts_.strays;
    return;
  }
  switch (news.kind) {
    case ProbeNews::Kind::sent:
      if (f->state == State::answered) return;
      f->sent = news.time;
      f->kernel = news.kernel;
      return;
    case ProbeNews::Kind::reply: return answered(*f, news);
    case ProbeNews::Kind::unreachable: return failed(*f, PingEvent::Kind::unreachable, news);
    case ProbeNews::Kind::refused: return failed(*f, PingEvent::Kind::refused, news);
    case ProbeNews::Kind::failed: return failed(*f, PingEvent::Kind::failed, news);
  }
}

PingEvent Pinger::event_of(const Flight& f, PingEvent::Kind kind, const ProbeNews* news) const noexcept {
  const bool timed = news != nullptr && news->time.ns != 0;
  const Time known = timed ? news->time : steady_now();
  PingEvent event{.kind = kind,
                  .target = f.target,
                  .seq = f.seq,
                  .time = clock_.wall(f.sent),
                  .known = clock_.wall(known),
                  .news = news};
  if (timed) event.rtt = {std::max<std::int64_t>((known - f.sent).ns, 0)};
  event.kernel = timed && f.kernel && news->kernel;
  return event;
}

void Pinger::answered(Flight& f, const ProbeNews& news) {
  PingEvent event = event_of(f, PingEvent::Kind::reply, &news);
  if (const Schedule& s = schedules_[f.target];
      plan_.backoff != 0 && f.state == State::lost && s.open > 0 && event.rtt <= timeout_of(s)) {
    Flight& last = flight(s.last);
    timeouts_.cancel(last.timeout);
    last.state = State::lost;
  } else if (f.state != State::waiting) {
    const bool late = f.state == State::lost;
    event.kind = late ? PingEvent::Kind::late : PingEvent::Kind::duplicate;
    ++(late ? counts_.late : counts_.duplicates);
    f.state = State::answered;
    return listener_.happened(event);
  } else {
    timeouts_.cancel(f.timeout);
  }
  ++counts_.replies;
  f.state = State::answered;
  listener_.happened(event);
  settled(f.target, true);
}

void Pinger::failed(Flight& f, PingEvent::Kind kind, const ProbeNews& news) {
  // What was counted as a timeout is not counted again.
  if (f.state != State::waiting) return;
  ++counts_.errors;
  if (kind == PingEvent::Kind::failed) {
    timeouts_.cancel(f.timeout);
    ProbeNews told = news;
    if (told.reason.empty()) told.reason = Routes::forbidding(targets_[f.target].address, news.error);
    return give_up(f, kind, &told);
  }
  if (plan_.errors_end) {
    timeouts_.cancel(f.timeout);
    return give_up(f, kind, &news);
  }
  listener_.happened(event_of(f, kind, &news));
}

void Pinger::give_up(Flight& f, PingEvent::Kind kind, const ProbeNews* news) {
  if (kind == PingEvent::Kind::timeout) {
    ++counts_.timeouts;
    prober_.forget(f.number);
  }
  f.state = State::lost;
  listener_.happened(event_of(f, kind, news));
  settled(f.target, kind == PingEvent::Kind::failed);
}

// `over`: a burst that goes on until the first reply has had it, or will not have it.
void Pinger::settled(std::uint32_t target, bool over) {
  Schedule& s = schedules_[target];
  --s.open;
  const bool more = plan_.count == 0 || s.sent < plan_.count;
  if (plan_.backoff == 0 ? more || s.open > 0 : more && !over) {
    if (plan_.backoff != 0) ready_.push_back(target);
    return;
  }
  listener_.burst_ended(target);
  if (plan_.every.ns == 0) {
    --unfinished_;
    return;
  }
  s.sent = 0;
  // A burst that took longer than the time between two is followed at once by the next.
  s.burst = s.due = std::max(s.burst + plan_.every, steady_now());
  due_.insert(ticks(s.due), target);
}

bool Pinger::wait(StopSignals& signals, Time now) {
  Time wake{INT64_MAX};
  const auto by = [&](Time t) { wake = std::min(wake, t); };
  const auto by_tick = [&](const std::optional<std::uint64_t>& tick) {
    if (tick) by({static_cast<std::int64_t>(*tick << 10U)});
  };
  by_tick(due_.next_event());
  by_tick(timeouts_.next_event());
  by(next_tick_);
  if (ready_at_ < ready_.size()) by(std::max(pacer_.next(), retry_));
  const std::int64_t ns = std::max<std::int64_t>((wake - now).ns, 0);
  const timespec time{ns / 1'000'000'000, ns % 1'000'000'000};
  entries_.assign({{signals.fd(), POLLIN, 0}});
  if (are_coming()) entries_.push_back({source_->fd(), POLLIN, 0});
  for (const int fd : prober_.fds()) entries_.push_back({fd, POLLIN, 0});
  ::ppoll(entries_.data(), entries_.size(), wake.ns == INT64_MAX ? nullptr : &time, nullptr);
  return !signals.take();
}

}  // namespace weir
