#include "engine/export_streams.hpp"

#include <algorithm>

namespace weir {
namespace {

constexpr std::size_t read_size = 65'536;
// Enough for every protocol to be recognised by.
constexpr std::size_t recognised_by = 16;
// A message is at most 65,535 bytes long (RFC 7011 §3.1); what claims more is not held.
constexpr std::size_t most_held = 65'536;
// Reads of one connection before the others have their turn.
constexpr int reads_in_turn = 16;

}  // namespace

ExportStreams::ExportStreams(std::vector<TcpListener> listeners, Exporters& exporters,
                             const StreamOptions& options)
    : listeners_(std::move(listeners)), exporters_(exporters), options_(options) {}

void ExportStreams::add_to(std::vector<pollfd>& entries) const {
  for (const TcpListener& listener : listeners_) entries.push_back({listener.fd(), POLLIN, 0});
  for (const Connection& connection : connections_) entries.push_back({connection.socket.fd(), POLLIN, 0});
}

bool ExportStreams::serve(Time now, Emitter& out) {
  bool any = accept(now, out);
  std::erase_if(connections_, [&](Connection& connection) {
    if (!read(connection, now, out, any)) return true;
    if (now - connection.heard <= options_.idle) return false;
    ++counts_.timed_out;
    return true;
  });
  return any;
}

bool ExportStreams::accept(Time now, Emitter& out) {
  bool any = false;
  for (const TcpListener& listener : listeners_) {
    while (auto socket = listener.accept()) {
      any = true;
      if (connections_.size() >= options_.connections) {
        ++counts_.refused;
        exporters_.oddity({socket->peer().address, socket->peer().port, IpProto::tcp, now},
                          "too_many_connections", out);
        continue;
      }
      ++counts_.accepted;
      connections_.push_back({.socket = std::move(*socket), .heard = now});
    }
  }
  return any;
}

bool ExportStreams::read(Connection& connection, Time now, Emitter& out, bool& any) {
  for (int turn = 0; turn < reads_in_turn; ++turn) {
    const std::size_t before = connection.held.size();
    connection.held.resize(before + read_size);
    const auto got = connection.socket.read({connection.held.data() + before, read_size});
    connection.held.resize(before + got.value_or(0));
    if (!got) return true;        // nothing now
    if (*got == 0) return false;  // the exporter has closed it
    any = true;
    connection.heard = now;
    counts_.bytes += *got;
    if (!messages(connection, now, out)) return false;
  }
  return true;
}

bool ExportStreams::messages(Connection& connection, Time now, Emitter& out) {
  const Endpoint peer = connection.socket.peer();
  const Sender from{peer.address, peer.port, IpProto::tcp, now};
  Bytes left(connection.held);
  const auto unrecognised = [&] {
    ++counts_.unrecognised;
    exporters_.stranger(from, out);
    return false;
  };
  if (connection.spec == nullptr) {
    if (left.size() < recognised_by) return true;
    const CollectorSpec* spec = collector_of(left);
    if (spec == nullptr || spec->framed == nullptr) return unrecognised();
    connection.spec = spec;
    connection.decoder = spec->make();
  }
  while (!left.empty()) {
    const std::size_t length = connection.spec->framed(left);
    if (length > most_held) return unrecognised();  // npos as well: where the next message begins is lost
    if (length == 0 || length > left.size()) break;
    exporters_.message(from, *connection.spec, *connection.decoder, left.first(length), out);
    left = left.subspan(length);
  }
  connection.held.erase(connection.held.begin(),
                        connection.held.end() - static_cast<std::ptrdiff_t>(left.size()));
  return true;
}

}  // namespace weir
