// Exporters that send by TCP (IPFIX, RFC 7011 §10.4): connections are accepted, their bytes cut into
// messages, each with templates of its own. Connections, what each may hold and how long it may be silent are
// bounded. One thread.
#pragma once

#include <poll.h>

#include <vector>

#include "engine/exporters.hpp"
#include "os/tcp_listener.hpp"

namespace weir {

struct StreamOptions {
  std::size_t connections = 256;  // at one time; a further one is closed at once and counted
  Duration idle = seconds(1800);  // silent for longer: closed and counted
};

struct StreamCounts {
  std::uint64_t accepted = 0, refused = 0, timed_out = 0, unrecognised = 0, bytes = 0;
};

class ExportStreams {
 public:
  ExportStreams(std::vector<TcpListener> listeners, Exporters& exporters, const StreamOptions& options);

  // What to wait for.
  void add_to(std::vector<pollfd>& entries) const;
  // Reads what has come, without waiting. Returns whether anything had.
  bool serve(Time now, Emitter& out);
  const StreamCounts& counts() const noexcept { return counts_; }
  std::size_t connections() const noexcept { return connections_.size(); }

 private:
  struct Connection {
    TcpConnection socket;
    const CollectorSpec* spec = nullptr;  // not recognised yet
    std::unique_ptr<ExportDecoder> decoder{};
    std::vector<std::uint8_t> held{};  // the beginning of a message
    Time heard{};
  };

  bool accept(Time now, Emitter& out);
  // False when the connection is to be closed.
  bool read(Connection& connection, Time now, Emitter& out, bool& any);
  bool messages(Connection& connection, Time now, Emitter& out);

  std::vector<TcpListener> listeners_;
  Exporters& exporters_;
  const StreamOptions options_;
  std::vector<Connection> connections_;
  StreamCounts counts_;
};

}  // namespace weir
