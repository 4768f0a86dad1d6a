// The socket for flow export protocols: one .cpp in src/sources/ whose last line is
// WEIR_REGISTER(CollectorSpec, spec).
#pragma once

#include <array>
#include <functional>
#include <memory>

#include "core/bytes.hpp"
#include "core/registry.hpp"
#include "plugin/emitter.hpp"

namespace weir {

// Bounds of what one exporter can make a collector keep. What does not fit is refused and counted.
struct ExportLimits {
  std::size_t domains = 256;               // observation domains (engines, agents)
  std::size_t templates = 4096;            // in all domains
  std::size_t template_fields = 1024;      // of one template
  std::size_t pending_bytes = 256 * 1024;  // data sets that wait for their template, in all domains
};

// What happened to an exporter's messages; each is a `stat` record of that exporter.
enum class ExportCount : std::uint8_t {
  messages,           // datagrams, or messages of a stream
  bytes,              //
  flows,              // flow records emitted
  counters,           // counter records emitted
  options,            // options data records
  templates,          // learned or refreshed
  withdrawn,          // templates withdrawn or expired
  unknown_templates,  // data sets that came before their template
  pending_dropped,    // of these, dropped because the buffer was full or the template never came
  sequence_gaps,      // times the sequence number jumped
  // In the protocol's unit: flows (v5, v7), data records (IPFIX), datagrams (v9, sFlow). Falls when what was
  // thought lost comes late.
  lost,
  reordered,  // messages that came late
  restarts,   // times the exporter began anew
  malformed,  // messages that could not be read to the end
  limited,    // refused by an ExportLimits bound
  count
};
std::string_view name_of(ExportCount count) noexcept;
using ExportCounts = std::array<std::uint64_t, static_cast<std::size_t>(ExportCount::count)>;

// What surrounds one message. Borrowed for the call.
struct ExportContext {
  Emitter& out;
  Time received;
  Addr exporter;  // unspecified when it is not known: a file of messages
  ExportCounts& counts;
  const ExportLimits& limits;
  // Something malformed or surprising. The owner lets each name through once a minute and exporter. `name` is
  // a lower_snake_case literal.
  const std::function<void(std::string_view name, std::string_view detail)>& oddity;
  // It came by a connection: templates are withdrawn, and live as long as that (RFC 7011 §8.1, §8.4).
  bool stream = false;

  void add(ExportCount what, std::uint64_t n = 1) const { counts[static_cast<std::size_t>(what)] += n; }
};

// What one exporter said so far in one protocol: templates, sampling rates, sequence numbers. The owner keeps
// one per exporter address (UDP) or per connection (TCP, RFC 7011 §8). One thread at a time.
class ExportDecoder {
 public:
  virtual ~ExportDecoder() = default;
  // One message: a whole datagram, or as many bytes of a stream as CollectorSpec::framed said. Emits what it
  // holds; hostile bytes are counted and told as oddities.
  virtual void message(ExportContext& context, Bytes bytes) = 0;
  // True once after something that save() would write has changed.
  virtual bool take_changed() noexcept { return false; }
  // What must survive a restart (templates, sampling rates), for restore() of a new decoder. It may have been
  // written by another version, or be damaged: restore() takes what it understands.
  virtual void save(std::vector<std::uint8_t>&) const {}
  virtual void restore(Bytes) {}
};

struct CollectorSpec {
  std::string_view name, doc;
  std::uint16_t port;  // registered or customary
  // Whether a message begins like this protocol. At most one collector says yes.
  bool (*recognises)(Bytes message);
  // The length of the message that begins a stream: 0, more bytes are needed to tell; npos, it is none of
  // this protocol. nullptr: the protocol knows datagrams only.
  std::size_t (*framed)(Bytes stream);
  std::unique_ptr<ExportDecoder> (*make)();
  std::span<const RecordTypeOf> records;  // all that it may emit, oddity aside
  // When the exporter sent a whole message, as its header has it: stands in for the time of receipt where
  // there is none, in files. nullptr: it does not tell.
  Time (*exported)(Bytes message) = nullptr;

  static constexpr std::size_t npos = ~std::size_t{0};
};

}  // namespace weir
