// Finds out what listens on open ports: connects, listens, speaks as the fingerprints say, TLS first where
// that is usual, and compares the answers. On a thread of its own.
#pragma once

#include <functional>
#include <memory>

#include "engine/service_facts.hpp"

namespace weir {

struct ServiceOptions {
  const Fingerprints* fingerprints = nullptr;  // borrowed; nullptr: those built in
  unsigned parallel = 64;                      // ports asked at a time, each over one connection
  unsigned parallel_per_host = 8;              // of them at one address
  Duration connect = seconds(3);               // to connect, or for a TLS handshake
  Duration greeting = seconds(2);              // for a server that may speak unasked
  Duration answer = seconds(3);                // for the first byte of an answer
  Duration later_answer = seconds(1);          // the same, once a question was met by silence
  Duration patience = milliseconds(400);       // of silence, until TLS is tried meanwhile
  Duration settle = milliseconds(250);         // for more of it
  Duration port = seconds(30);                 // for everything about one port
  unsigned scope = 0;                          // interface of link-local addresses
  unsigned datagrams = 2;                      // times a datagram without an answer is sent
  std::function<Time()> now;                   // the time that records carry; empty: the system's clock
};

struct ServiceCounts {
  std::uint64_t ports = 0;        // finished
  std::uint64_t identified = 0;   // by an answer
  std::uint64_t connections = 0;  // TCP connections that were tried
  std::uint64_t timed_out = 0;    // ports whose time was over before all was tried
};

class ServiceDetection {
 public:
  using Report = std::function<void(const ServiceFacts&)>;
  // `report` is called once per target, on the detection's thread, as soon as the target is done.
  ServiceDetection(ServiceOptions options, Report report);
  // What is not reported by then is given up.
  ~ServiceDetection();
  ServiceDetection(const ServiceDetection&) = delete;
  ServiceDetection& operator=(const ServiceDetection&) = delete;

  // Any thread; not after finish(). An open port, or a UDP one that may be open.
  void add(ServiceTarget target);
  // Returns when all that was added is reported.
  ServiceCounts finish();
  // The same for so long at most: false when there is more to do. Nothing may be added any more.
  bool finish_within(Duration wait);
  // Ports added, and those of them that are done. Any thread.
  std::uint64_t added() const noexcept;
  std::uint64_t done() const noexcept;

 private:
  struct Work;
  std::unique_ptr<Work> work_;
};

}  // namespace weir
