// Flow exports as they come: sockets, the threads that decode, and one output. The main thread waits, tells
// how it goes, and ends it.
#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "engine/enrichment.hpp"
#include "engine/export_streams.hpp"
#include "engine/exporters.hpp"
#include "engine/outlet.hpp"
#include "os/descriptor.hpp"
#include "os/udp_socket.hpp"
#include "plugin/source.hpp"

namespace weir {

struct CollectorOptions {
  std::vector<Endpoint> udp, tcp;
  unsigned threads = 1;
  std::size_t receive_queue = std::size_t{64} << 20U;  // bytes, for each address, all threads together
  Duration stats{};                                    // between two sets of stats; 0: only at the end
  Duration duration{};                                 // 0: until told
  StreamOptions streams{};
  const Enrichment* enrichment = nullptr;  // whose stats are written with the others; borrowed
  // The same, of what others have counted: the store. May be empty.
  std::function<void(const CounterTaker&)> other_counters{};
};

struct Listening {
  Endpoint endpoint;
  std::string_view transport;     // udp, tcp
  std::size_t queue_missing = 0;  // bytes of the receive queue that the system did not allow
};

struct CollectorStatus {
  Duration running;
  std::uint64_t datagrams = 0, bytes = 0, dropped = 0;  // dropped by the kernel: the queue was full
  StreamCounts streams;
  ExporterTotals exporters;
};

class Collector {
 public:
  // Listens; nothing is read yet. Everything is borrowed. Fails when an address cannot be listened on.
  static Result<std::unique_ptr<Collector>> open(const CollectorOptions& options, Exporters& exporters,
                                                 const Emitter::Wants& wants, Outlet& outlet);
  ~Collector();
  std::vector<Listening> listening() const;

  // Until a signal, the duration, or the outlet wants no more; then what the kernel had accepted by that time
  // is read as well, and the last stats are written. Fails when the sink does. `tick` is called by this
  // thread a few times a second.
  Result<CollectorStatus> run(StopSignals& signals, const std::function<void(const CollectorStatus&)>& tick);

 private:
  struct Worker;
  // What is listened on, and the sockets of it, one for each worker.
  struct Port {
    Endpoint endpoint;
    std::vector<UdpSocket> sockets;
  };

  Collector(const CollectorOptions& options, Exporters& exporters, const Emitter::Wants& wants,
            Outlet& outlet);
  void receive(Worker& worker);
  bool receive_once(Worker& worker, Time until);
  void serve_streams();
  void wait(StopSignals& signals, const std::function<void(const CollectorStatus&)>& tick);
  CollectorStatus status() const;
  void write_stats(const CollectorStatus& status);

  const CollectorOptions options_;
  Exporters& exporters_;
  const Emitter::Wants& wants_;
  Outlet& outlet_;
  std::vector<Port> ports_;
  std::vector<Endpoint> tcp_;
  std::unique_ptr<ExportStreams> streams_;
  mutable std::mutex streams_mutex_;  // guards the next
  StreamCounts stream_counts_;
  std::vector<std::unique_ptr<Worker>> workers_;
  Event stop_;       // the threads are to end
  Event satisfied_;  // the outlet wants no more
  std::atomic<std::int64_t> stopped_at_ = 0;
  Time started_{};  // on the steady clock
};

}  // namespace weir
