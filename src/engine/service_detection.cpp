#include "engine/service_detection.hpp"

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "engine/service_stream.hpp"
#include "probe/http_answer.hpp"

namespace weir {
namespace {

// Each co_await is a statement of its own: g++ 12 gives the coroutine a wrong `this` when one stands in a
// condition.
using asio::awaitable;
using Clock = std::chrono::steady_clock;

constexpr std::size_t answer_max = 64 * 1024;  // of a conversation, the rest is not read
constexpr std::size_t banner_max = 512;        // kept in the record
constexpr std::uint8_t sure = 80;              // percent: nothing else is tried
constexpr std::uint8_t known = 60;             // percent: no other protocol is tried
constexpr std::uint8_t by_port = 20;           // percent: no answer tells, only the port's number

bool has(const std::vector<std::uint16_t>& ports, std::uint16_t port) {
  return std::find(ports.begin(), ports.end(), port) != ports.end();
}

// "http/docker" is a kind of "http".
std::string service_of(const Conversation& c) {
  return c.name.substr(0, c.name.find('/'));
}

// What one port is asked, from the first connection to the report.
class Port {
 public:
  Port(asio::any_io_executor executor, asio::ssl::context& tls, const ServiceOptions& options,
       ServiceTarget target, ServiceCounts& counts)
      : executor_(std::move(executor)),
        tls_(tls),
        options_(options),
        fingerprints_(options.fingerprints != nullptr ? *options.fingerprints : Fingerprints::built_in()),
        counts_(counts),
        end_(Clock::now() + std::chrono::nanoseconds(options.port.ns)) {
    facts_.target = std::move(target);
  }

  awaitable<ServiceFacts> detect() {
    if (facts_.target.proto == IpProto::udp) {
      co_await detect_udp();
    } else {
      co_await detect_tcp();
    }
    if (over()) ++counts_.timed_out;
    if (facts_.identity.confidence == 0) {
      guess_by_port();
    } else {
      ++counts_.identified;
    }
    co_return std::move(facts_);
  }

 private:
  Duration within(Duration limit) const {
    const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(end_ - Clock::now()).count();
    return {std::min<std::int64_t>(limit.ns, left)};
  }
  bool over() const { return Clock::now() >= end_; }
  bool is_own(const Conversation& c, bool within_tls) const {
    return c.proto == facts_.target.proto && has(within_tls ? c.tls_ports : c.ports, facts_.target.port);
  }
  Duration patience() const {
    const std::int64_t least = std::min(options_.patience.ns, options_.greeting.ns);
    return {std::max(least, 4 * connected_in_.ns)};
  }
  bool may_be_tls() const { return !facts_.tls && !tls_failed_ && !has_own(false, true); }
  bool has_own(bool within_tls, bool alone) const {
    return std::ranges::any_of(fingerprints_.conversations(), [&](const Conversation& c) {
      return is_own(c, within_tls) && (!alone || c.alone);
    });
  }
  bool is_sure() const { return facts_.identity.confidence >= sure; }
  // It is certain what is spoken, if not by which program.
  bool is_known() const { return facts_.identity.confidence >= known; }
  // The port's own conversations go on until one has told the version.
  bool is_settled() const { return is_sure() && !facts_.identity.version.empty(); }

  awaitable<void> detect_tcp();
  awaitable<void> detect_udp();
  awaitable<void> listen(Duration limit);
  awaitable<void> try_all(bool own, bool within_tls);
  awaitable<bool> open(ServiceStream& stream, bool within_tls);
  awaitable<void> converse(const Conversation& c, bool within_tls);
  awaitable<void> go_on(ServiceStream& stream, const Conversation& c, std::string answer);
  awaitable<void> change_to_tls(ServiceStream& stream, const StartTls& how, const std::string& said);
  awaitable<void> hear(ServiceStream& stream, std::string& answer, Duration first);
  awaitable<void> hear_answer(ServiceStream& stream, const Conversation& c, std::string& answer);
  awaitable<std::string> ask_datagram(std::string_view bytes);

  // Puts the target's name or address in.
  std::string filled(std::string_view bytes) const {
    constexpr std::string_view place = "{host}";
    std::string host = facts_.target.host;
    if (host.empty())
      host = facts_.target.ip.is_v4() ? to_string(facts_.target.ip) : "[" + to_string(facts_.target.ip) + "]";
    std::string out(bytes);
    for (std::size_t at = 0; (at = out.find(place, at)) != out.npos; at += host.size())
      out.replace(at, place.size(), host);
    return out;
  }

  void learn(std::string_view conversation, std::string_view answer) {
    if (answer.empty()) return;
    auto found = fingerprints_.identify(conversation, facts_.target.proto, as_bytes(answer));
    if (facts_.banner.empty()) facts_.banner = answer.substr(0, banner_max);
    if (!found) return;
    if (found->confidence > facts_.identity.confidence) {
      facts_.evidence = conversation;
      facts_.banner = answer.substr(0, banner_max);
    }
    merge(facts_.identity, *found);
  }

  void guess_by_port() {
    for (const bool within_tls : {true, false})
      for (const Conversation& c : fingerprints_.conversations())
        if (facts_.identity.service.empty() && is_own(c, within_tls) && (!within_tls || facts_.tls))
          facts_.identity = {.service = service_of(c), .confidence = by_port};
  }

  asio::any_io_executor executor_;
  asio::ssl::context& tls_;
  const ServiceOptions& options_;
  const Fingerprints& fingerprints_;
  ServiceCounts& counts_;
  const Clock::time_point end_;
  ServiceFacts facts_;
  Duration connected_in_{};
  bool quiet_ = false;       // a question was met by silence
  bool tls_failed_ = false;  // the server does not speak it from the start
  bool tls_slow_ = false;    // or takes long: it was silent, and may be asked again
  bool silent_ = true;       // it has not spoken unasked
  bool dead_ = false;        // it does not accept connections any more
};

awaitable<bool> Port::open(ServiceStream& stream, bool within_tls) {
  ++counts_.connections;
  const Clock::time_point started = Clock::now();
  const bool connected = co_await stream.connect(facts_.target, options_.scope, within(options_.connect));
  connected_in_ = {std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - started).count()};
  if (!connected) {
    dead_ = true;
    co_return false;
  }
  if (!within_tls) co_return true;
  const bool likely = facts_.tls || has_own(true, false);
  const Duration moment{2 * patience().ns};
  const Duration limit = likely ? options_.connect : tls_slow_ ? options_.greeting : moment;
  const Clock::time_point until = Clock::now() + std::chrono::nanoseconds(limit.ns);
  const bool secure = co_await stream.start_tls(facts_.target.host, within(limit));
  if (!secure) {
    tls_failed_ = true;
    tls_slow_ = Clock::now() >= until;
    co_return false;
  }
  facts_.tls = true;
  if (!facts_.certificate) stream.describe(facts_);
  co_return true;
}

// Until the server is quiet, has closed, or has said all that it promised.
awaitable<void> Port::hear(ServiceStream& stream, std::string& answer, Duration first) {
  Duration limit = first;
  while (answer.size() < answer_max) {
    const bool more = co_await stream.read(answer, within(limit));
    if (!more || is_whole_http_answer(answer)) break;
    limit = is_http_answer(answer) ? options_.answer : options_.settle;
  }
}

// Who is silent may wait for a TLS client: that is found out before the rest of the time has passed.
awaitable<void> Port::hear_answer(ServiceStream& stream, const Conversation& c, std::string& answer) {
  const std::size_t before = answer.size();
  const bool within_tls = stream.is_tls();
  if (!within_tls && may_be_tls()) {
    co_await hear(stream, answer, patience());
    if (answer.size() != before) co_return;
    ServiceStream other(executor_, tls_);
    co_await open(other, true);
    if (facts_.tls) co_return;
  }
  const Duration limit = quiet_ && !is_own(c, within_tls) ? options_.later_answer : options_.answer;
  const Clock::time_point until = Clock::now() + std::chrono::nanoseconds(limit.ns);
  co_await hear(stream, answer, limit);
  quiet_ = quiet_ || (answer.size() == before && Clock::now() >= until);
}

// The server's greeting is in `answer` when it has one.
awaitable<void> Port::go_on(ServiceStream& stream, const Conversation& c, std::string answer) {
  for (const std::string& bytes : c.send) {
    const std::string question = filled(bytes);
    const bool asked = co_await stream.write(question, within(options_.answer));
    if (!asked) break;
    co_await hear_answer(stream, c, answer);
    if (facts_.tls && !stream.is_tls()) co_return;  // this was not its language
  }
  learn(c.name, answer);
  if (c.starttls && !c.starttls->own_connection && !stream.is_tls() && !facts_.certificate)
    co_await change_to_tls(stream, *c.starttls, answer);
}

awaitable<void> Port::change_to_tls(ServiceStream& stream, const StartTls& how, const std::string& said) {
  if (how.offered && !how.offered->matches(said)) co_return;
  if (!how.send.empty()) {
    const bool asked = co_await stream.write(how.send, within(options_.answer));
    if (!asked) co_return;
  }
  if (how.expect) {
    std::string consent;
    const bool answered = co_await stream.read(consent, within(options_.answer));
    if (!answered || !how.expect->matches(consent)) co_return;
  }
  facts_.starttls = co_await stream.start_tls(facts_.target.host, within(options_.connect));
  stream.describe(facts_);
}

awaitable<void> Port::converse(const Conversation& c, bool within_tls) {
  {
    ServiceStream stream(executor_, tls_);
    const bool opened = co_await open(stream, within_tls);
    if (!opened) co_return;
    std::string greeting;
    if (c.greets) {
      co_await hear(stream, greeting, options_.answer);
      if (greeting.empty()) co_return;
      silent_ = false;
    }
    co_await go_on(stream, c, std::move(greeting));
  }
  const bool right = facts_.identity.service == service_of(c);
  if (within_tls || !right || !c.starttls || !c.starttls->own_connection || facts_.certificate) co_return;
  ServiceStream stream(executor_, tls_);
  const bool opened = co_await open(stream, false);
  const std::string nothing;
  if (opened) co_await change_to_tls(stream, *c.starttls, nothing);
}

awaitable<void> Port::try_all(bool own, bool within_tls) {
  for (const bool first : {true, false})
    for (const Conversation& c : fingerprints_.conversations()) {
      const bool wanted = own ? is_own(c, within_tls)
                              : c.anywhere && c.proto == IpProto::tcp && !is_own(c, within_tls) &&
                                    (!is_known() || facts_.identity.service == service_of(c));
      if (!wanted || c.first != first) continue;
      if (over() || dead_ || (own ? is_settled() : is_sure())) co_return;
      if (within_tls ? tls_failed_ : facts_.tls) co_return;
      co_await converse(c, within_tls);
    }
}

// What the server says unasked, and the conversation that such a greeting leads into.
awaitable<void> Port::listen(Duration limit) {
  ServiceStream stream(executor_, tls_);
  const bool opened = co_await open(stream, false);
  if (!opened) co_return;
  std::string greeting;
  co_await hear(stream, greeting, limit);
  if (greeting.empty()) co_return;
  silent_ = false;
  learn(banner_conversation, greeting);
  for (const Conversation& c : fingerprints_.conversations())
    if (c.proto == IpProto::tcp && c.greeting && c.greeting->matches(greeting)) {
      co_await go_on(stream, c, std::move(greeting));
      co_return;
    }
}

// One way after the other, the quick ones first: no more than a moment is spent on silence before TLS was
// tried. Never two connections that both wait: some servers have one client at a time.
awaitable<void> Port::detect_tcp() {
  co_await try_all(true, true);
  if (!facts_.tls) co_await try_all(true, false);
  if (is_sure() || dead_ || has_own(false, true)) co_return;
  if (!facts_.tls && silent_) co_await listen(patience());
  if (is_sure() || dead_ || over()) co_return;
  if (silent_ && !tls_failed_) co_await try_all(false, true);
  if (facts_.tls || dead_) co_return;
  co_await try_all(false, false);
  if (facts_.tls) co_await try_all(false, true);
  if (facts_.identity.confidence != 0 || facts_.tls) co_return;
  // Who takes long to greet, or to agree upon keys.
  if (silent_ && !dead_ && !over() && patience() < options_.greeting) co_await listen(options_.greeting);
  if (!silent_ || dead_ || !tls_slow_) co_return;
  tls_failed_ = false;
  co_await try_all(false, true);
}

awaitable<std::string> Port::ask_datagram(std::string_view bytes) {
  std::string answer(answer_max, '\0');
  const asio::ip::udp::endpoint endpoint(to_asio(facts_.target.ip, options_.scope), facts_.target.port);
  asio::ip::udp::socket socket(executor_, endpoint.protocol());
  boost::system::error_code failed;
  socket.connect(endpoint, failed);
  for (unsigned i = 0; i < options_.datagrams && !failed && !over(); ++i) {
    socket.send(asio::buffer(bytes.data(), bytes.size()), 0, failed);
    if (failed) break;
    const Deadline deadline(socket, within({options_.answer.ns / 2}));
    const std::size_t size = co_await socket.async_receive(asio::buffer(answer),
                                                           asio::redirect_error(asio::use_awaitable, failed));
    if (failed == asio::error::operation_aborted) {
      failed.clear();
      continue;
    }
    if (failed) break;  // refused: an ICMP error came
    answer.resize(size);
    co_return answer;
  }
  co_return std::string();
}

awaitable<void> Port::detect_udp() {
  for (const bool own : {true, false})
    for (const Conversation& c : fingerprints_.conversations()) {
      if (!own && facts_.target.silent) co_return;
      const bool wanted =
          c.proto == IpProto::udp && (own ? is_own(c, false) : c.anywhere && !is_own(c, false));
      if (!wanted || (own ? is_settled() : is_sure())) continue;
      if (over()) co_return;
      std::string answer;
      for (const std::string& bytes : c.send) {
        const std::string question = filled(bytes);
        const std::string said = co_await ask_datagram(question);
        answer += said;
      }
      learn(c.name, answer);
    }
}

Time system_time() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()};
}

}  // namespace

// All but `thread` belongs to the thread.
struct ServiceDetection::Work {
  struct Host {
    std::deque<ServiceTarget> waiting;
    unsigned running = 0;  // its ports that are being asked
    bool ready = false;    // it is in the list of those that may start one
  };

  ServiceOptions options;
  Report report;
  ServiceCounts counts;
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard = asio::make_work_guard(io);
  asio::ssl::context tls = any_tls_context();
  std::map<Addr, Host> hosts;
  std::deque<Addr> ready;
  unsigned running = 0;
  std::atomic<std::uint64_t> added{0}, done{0};
  std::mutex mutex;  // guards `ended`
  std::condition_variable changed;
  bool ended = false;  // the thread is through
  std::thread thread;

  void take(ServiceTarget target) {
    const Addr ip = target.ip;
    Host& host = hosts[ip];
    host.waiting.push_back(std::move(target));
    make_ready(ip, host);
    start_more();
  }

  void make_ready(const Addr& ip, Host& host) {
    if (host.ready || host.waiting.empty() || host.running >= options.parallel_per_host) return;
    host.ready = true;
    ready.push_back(ip);
  }

  void start_more() {
    while (running < options.parallel && !ready.empty()) {
      const Addr ip = ready.front();
      ready.pop_front();
      Host& host = hosts[ip];
      host.ready = false;
      ++host.running;
      ++running;
      asio::co_spawn(io, ask(std::move(host.waiting.front())), [](std::exception_ptr error) {
        if (error) std::rethrow_exception(error);
      });
      host.waiting.pop_front();
      make_ready(ip, host);
    }
  }

  awaitable<void> ask(ServiceTarget target) {
    const Addr ip = target.ip;
    Port port(io.get_executor(), tls, options, std::move(target), counts);
    ServiceFacts facts = co_await port.detect();
    facts.time = options.now ? options.now() : system_time();
    ++counts.ports;
    if (!facts.target.silent || !facts.banner.empty()) report(facts);
    ++done;
    Host& host = hosts[ip];
    --running;
    --host.running;
    make_ready(ip, host);
    if (host.running == 0 && !host.ready) hosts.erase(ip);
    start_more();
  }
};

ServiceDetection::ServiceDetection(ServiceOptions options, Report report) : work_(std::make_unique<Work>()) {
  work_->options = std::move(options);
  work_->report = std::move(report);
  work_->thread = std::thread([work = work_.get()] {
    work->io.run();
    const std::lock_guard lock(work->mutex);
    work->ended = true;
    work->changed.notify_all();
  });
}

ServiceDetection::~ServiceDetection() {
  if (!work_->thread.joinable()) return;
  work_->io.stop();
  work_->thread.join();
}

void ServiceDetection::add(ServiceTarget target) {
  ++work_->added;
  asio::post(work_->io,
             [work = work_.get(), target = std::move(target)]() mutable { work->take(std::move(target)); });
}

bool ServiceDetection::finish_within(Duration wait) {
  asio::post(work_->io, [work = work_.get()] { work->guard.reset(); });
  std::unique_lock lock(work_->mutex);
  return work_->changed.wait_for(lock, std::chrono::nanoseconds(wait.ns), [this] { return work_->ended; });
}

ServiceCounts ServiceDetection::finish() {
  while (!finish_within(seconds(1))) {
  }
  work_->thread.join();
  return work_->counts;
}

std::uint64_t ServiceDetection::added() const noexcept {
  return work_->added;
}
std::uint64_t ServiceDetection::done() const noexcept {
  return work_->done;
}

}  // namespace weir
