#include "engine/collector.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <chrono>

#include "records/stat.hpp"

namespace weir {
namespace {

// Datagrams received by one call, and worked on before their records are written. Larger batches do not make
// it faster, and their records leave the cache.
constexpr std::size_t batch_datagrams = 32;
// Between two looks at the state of things, and between two times of saving what decoders have learned: a
// collector that is killed loses no more templates than, usually, records (--sync).
constexpr Duration tick_interval = milliseconds(250), save_interval = seconds(1);
// After reading what there was: exporters send datagrams one by one, and to wake up for each costs as much as
// decoding it. The queue holds what comes meanwhile.
constexpr int nap_milliseconds = 1;
// For reading what had come before the end; a queue of 64 MiB takes less than a second.
constexpr Duration longest_drain = seconds(30);
// While the input does not pause, whoever reads the output gets it this often.
constexpr Duration flush_interval = milliseconds(200);

Time now() {
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(
              std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

// For waiting: no step of the clock makes it longer or shorter.
Time steady() {
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(
              std::chrono::steady_clock::now().time_since_epoch())
              .count()};
}

// [::] leaves IPv4 to the address that was named for it.
Ipv6 ipv6_of(const Endpoint& endpoint, const std::vector<Endpoint>& all) {
  const auto is_other = [&](const Endpoint& e) { return e.port == endpoint.port && e.address.is_v4(); };
  return endpoint.port != 0 && std::ranges::any_of(all, is_other) ? Ipv6::only : Ipv6::with_ipv4;
}

int milliseconds_of(Duration d) noexcept {
  return static_cast<int>(std::clamp<std::int64_t>((d.ns + 999'999) / 1'000'000, 0, 1'000'000));
}

}  // namespace

struct Collector::Worker {
  Worker(const Emitter::Wants& wants) : batch(batch_datagrams), emitter(wants, delivery.batch) {}

  std::vector<UdpSocket*> sockets;
  DatagramBatch batch;
  Delivery delivery;
  Emitter emitter;
  Time flushed;
  std::atomic<std::uint64_t> datagrams = 0, bytes = 0;
  std::thread thread;
};

Collector::Collector(const CollectorOptions& options, Exporters& exporters, const Emitter::Wants& wants,
                     Outlet& outlet)
    : options_(options), exporters_(exporters), wants_(wants), outlet_(outlet) {}

Collector::~Collector() = default;

Result<std::unique_ptr<Collector>> Collector::open(const CollectorOptions& options, Exporters& exporters,
                                                   const Emitter::Wants& wants, Outlet& outlet) {
  std::unique_ptr<Collector> made(new Collector(options, exporters, wants, outlet));
  for (unsigned i = 0; i < options.threads; ++i) made->workers_.push_back(std::make_unique<Worker>(wants));
  for (const Endpoint& endpoint : options.udp) {
    WEIR_TRY(auto sockets, UdpSocket::bind_group(endpoint, options.receive_queue / options.threads,
                                                 options.threads, ipv6_of(endpoint, options.udp)));
    const Endpoint local = sockets.front().local();
    made->ports_.push_back({local, std::move(sockets)});
  }
  for (Port& port : made->ports_)
    for (std::size_t i = 0; i < port.sockets.size(); ++i)
      made->workers_[i]->sockets.push_back(&port.sockets[i]);
  std::vector<TcpListener> listeners;
  for (const Endpoint& endpoint : options.tcp) {
    WEIR_TRY(auto listener, TcpListener::listen(endpoint, ipv6_of(endpoint, options.tcp)));
    made->tcp_.push_back(listener.local());
    listeners.push_back(std::move(listener));
  }
  made->streams_ = std::make_unique<ExportStreams>(std::move(listeners), exporters, options.streams);
  return made;
}

std::vector<Listening> Collector::listening() const {
  std::vector<Listening> all;
  for (const Port& port : ports_) {
    std::size_t queue = 0;
    for (const UdpSocket& socket : port.sockets) queue += socket.queue();
    // Divisions leave a few bytes over.
    const std::size_t wanted = options_.receive_queue - options_.receive_queue / 64;
    all.push_back({port.endpoint, "udp", queue < wanted ? options_.receive_queue - queue : 0});
  }
  for (const Endpoint& endpoint : tcp_) all.push_back({endpoint, "tcp", 0});
  return all;
}

Result<CollectorStatus> Collector::run(StopSignals& signals,
                                       const std::function<void(const CollectorStatus&)>& tick) {
  started_ = steady();
  for (const auto& worker : workers_) worker->thread = std::thread([this, &worker] { receive(*worker); });
  std::thread streams;
  if (!tcp_.empty()) streams = std::thread([this] { serve_streams(); });
  wait(signals, tick);
  stopped_at_ = now().ns;
  stop_.set();
  for (const auto& worker : workers_) worker->thread.join();
  if (streams.joinable()) streams.join();
  exporters_.save();
  const CollectorStatus last = status();
  write_stats(last);
  WEIR_CHECK(outlet_.result());
  return last;
}

void Collector::wait(StopSignals& signals, const std::function<void(const CollectorStatus&)>& tick) {
  const auto after = [](Time t, Duration d) { return d.ns > 0 ? t + d : Time{INT64_MAX}; };
  const Time end = after(started_, options_.duration);
  Time next_tick = started_ + tick_interval, next_save = started_ + save_interval;
  Time next_stats = after(started_, options_.stats);
  while (true) {
    const Time at = steady();
    if (at >= end) return;
    if (at >= next_tick) {
      if (tick) tick(status());
      next_tick = at + tick_interval;
    }
    if (at >= next_stats) {
      write_stats(status());
      next_stats = next_stats + options_.stats;
    }
    if (at >= next_save) {
      exporters_.save();
      next_save = at + save_interval;
    }
    pollfd entries[] = {{signals.fd(), POLLIN, 0}, {satisfied_.fd(), POLLIN, 0}};
    const Time wake = std::min({end, next_tick, next_stats, next_save});
    ::poll(entries, std::size(entries), milliseconds_of(wake - at));
    if (signals.take() || satisfied_.is_set()) return;
  }
}

void Collector::receive(Worker& worker) {
  std::vector<pollfd> entries{{stop_.fd(), POLLIN, 0}};
  for (const UdpSocket* socket : worker.sockets) entries.push_back({socket->fd(), POLLIN, 0});
  while (!stop_.is_set()) {
    ::poll(entries.data(), entries.size(), -1);
    while (receive_once(worker, Time{INT64_MAX}) && stopped_at_ == 0) {
    }
    ::poll(entries.data(), 1, nap_milliseconds);  // until stop_
  }
  const Time enough = steady() + longest_drain;
  while (receive_once(worker, Time{stopped_at_}) && steady() < enough) {
  }
}

// A batch of each socket. False when there was nothing that came before `until`.
bool Collector::receive_once(Worker& worker, Time until) {
  bool any = false;
  for (const UdpSocket* socket : worker.sockets) {
    const auto received = socket->receive(worker.batch);
    if (received.empty()) continue;
    any |= received.front().time <= until;
    std::uint64_t bytes = 0;
    for (const ReceivedDatagram& d : received) {
      bytes += d.bytes.size();
      exporters_.datagram({.address = d.from.address, .port = d.from.port, .received = d.time}, d.bytes,
                          worker.emitter);
    }
    worker.datagrams.fetch_add(received.size(), std::memory_order_relaxed);
    worker.bytes.fetch_add(bytes, std::memory_order_relaxed);
    const Time last = received.back().time;
    const bool flush = received.size() < worker.batch.most() || last - worker.flushed > flush_interval;
    if (flush) worker.flushed = last;
    if (!outlet_.deliver(worker.delivery, flush)) satisfied_.set();
    worker.emitter.into(worker.delivery.batch);
  }
  return any;
}

void Collector::serve_streams() {
  Delivery delivery;
  Emitter emitter(wants_, delivery.batch);
  const auto serve = [&] {
    const bool any = streams_->serve(now(), emitter);
    if (!outlet_.deliver(delivery, true)) satisfied_.set();
    emitter.into(delivery.batch);
    const std::lock_guard lock(streams_mutex_);
    stream_counts_ = streams_->counts();
    return any;
  };
  std::vector<pollfd> entries;
  while (!stop_.is_set()) {
    entries.assign({{stop_.fd(), POLLIN, 0}});
    streams_->add_to(entries);
    constexpr int second = 1000;  // to see who has been silent for too long
    const int ready = ::poll(entries.data(), entries.size(), second);
    // Nothing done though something was ready: no file descriptor is left for a connection. Time heals that.
    if (!serve() && ready > 0) ::poll(entries.data(), 1, second / 10);
  }
  constexpr int most_rounds = 1000;  // an exporter that never stops sending does not keep us
  for (int i = 0; i < most_rounds && serve(); ++i) {
  }
}

CollectorStatus Collector::status() const {
  CollectorStatus status{.running = steady() - started_};
  for (const auto& worker : workers_) {
    status.datagrams += worker->datagrams.load(std::memory_order_relaxed);
    status.bytes += worker->bytes.load(std::memory_order_relaxed);
    for (const UdpSocket* socket : worker->sockets) status.dropped += socket->dropped();
  }
  status.exporters = exporters_.totals();
  const std::lock_guard lock(streams_mutex_);
  status.streams = stream_counts_;
  return status;
}

void Collector::write_stats(const CollectorStatus& status) {
  Delivery delivery;
  Emitter out(wants_, delivery.batch);
  if (!out.wants<Stat>()) return;
  const Time at = now();
  const auto stat = [&](std::string_view name, std::uint64_t value) {
    out.emit(Stat{.time = at, .name = out.text(name), .value = value});
  };
  stat("datagrams", status.datagrams);
  stat("bytes", status.bytes);
  stat("kernel_drops", status.dropped);
  for (const Port& port : ports_) {
    std::uint64_t dropped = 0;
    for (const UdpSocket& socket : port.sockets) dropped += socket.dropped();
    stat(fmt::format("kernel_drops[{}]", to_string(port.endpoint)), dropped);
  }
  stat("records", outlet_.records());
  stat("connections", status.streams.accepted);
  stat("connections_refused", status.streams.refused);
  stat("connections_timed_out", status.streams.timed_out);
  stat("connections_unrecognised", status.streams.unrecognised);
  stat("connection_bytes", status.streams.bytes);
  stat("exporters", status.exporters.exporters);
  stat("exporters_forgotten", status.exporters.forgotten);
  stat("unrecognised", status.exporters.unrecognised);
  stat("oddities_limited", status.exporters.oddities_limited);
  if (options_.other_counters)
    options_.other_counters(
        [&](std::string_view name, std::uint64_t value, std::string_view) { stat(name, value); });
  exporters_.stats(at, out);
  if (options_.enrichment != nullptr) options_.enrichment->stats(at, out);
  outlet_.deliver(delivery, true);
}

}  // namespace weir
