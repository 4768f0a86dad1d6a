// The socket for kinds of probes: one .cpp in src/probes/ whose last line is WEIR_REGISTER(ProbeSpec, spec).
// The engine says when and to whom, keeps what is under way and makes the records; a prober sends and
// recognises answers.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/addr.hpp"
#include "core/registry.hpp"
#include "core/time.hpp"

namespace weir {

struct ProbeTarget {
  Addr address;
  std::uint32_t scope = 0;  // interface of a link-local address (RFC 4007)
  std::uint16_t port = 0;
  std::uint8_t ttl = 0;   // hops that its probes may make; 0: as ProbeOptions say
  std::string_view name;  // as the user wrote it
};
struct ProbeRequest {
  std::uint32_t number;  // counted up by the engine, and given back in ProbeNews
  const ProbeTarget* target;
};

struct ProbeNews {
  enum class Kind : std::uint8_t { sent, reply, unreachable, refused, failed };
  std::uint32_t number;
  Kind kind;
  bool kernel = false;                // `time` is the kernel's
  std::uint8_t known_bits = 32;       // how many low bits of `number` are known
  std::uint8_t type = 0, code = 0;    // of the ICMP error (unreachable)
  std::optional<std::uint8_t> ttl{};  // of the answer
  std::uint32_t bytes = 0;            // of the answer
  Time time{};                        // on the steady clock: when it left, or when the answer came
  Addr from{}, to{};                  // who answered; whom the probe was for, if known (else ::)
  int error = 0;                      // errno, of a probe that was not sent
  std::string_view reason{};          // a literal, for what the answer is or what is wrong with it
};

// Both ends included.
struct StatusRange {
  std::uint16_t first, last;
};

struct ProbeOptions {
  std::size_t size = 56;  // bytes of data in probes that carry any
  std::optional<std::uint8_t> ttl, tos;
  std::optional<Addr> source;
  std::string interface, socket, request;  // socket: raw or datagram; request: a path or a name to ask for
  std::vector<StatusRange> expect{};       // statuses that are answers; empty: all are
  bool dont_fragment = false, random_data = false, stamp_sent = true;
};

// One thread.
class Prober {
 public:
  virtual ~Prober() = default;
  // Sends in this order, without waiting, and says how many are done with: those sent or `failed`. Fewer than
  // given: the kernel's queue is full.
  virtual std::size_t send(const ProbeRequest* requests, std::size_t count, std::vector<ProbeNews>& news) = 0;
  // Adds what has happened, without waiting; that a probe left before that it was answered.
  virtual void receive(std::vector<ProbeNews>& news) = 0;
  virtual std::span<const int> fds() const = 0;        // one is readable when receive() has something
  virtual void forget(std::uint32_t /*number*/) {}     // its time is over
  virtual std::string way() const = 0;                 // how it goes about it, for people: "raw ICMP sockets"
  virtual std::uint64_t dropped() const { return 0; }  // answers that the kernel had no room for
};

struct ProbeSpec {
  std::string_view name, doc;
  std::uint16_t port = 0;  // customary; 0: probes have no port
  // Fails with Code::environment when this machine or user may not.
  Result<std::unique_ptr<Prober>> (*open)(const ProbeOptions& options);
  bool has_status = false;  // of HTTP
};

}  // namespace weir
