// Probes through the kernel's sockets, without privilege: TCP connections, and UDP by connected sockets,
// which are told of ICMP errors.
#pragma once

#include <queue>

#include "engine/scan_ledger.hpp"
#include "engine/scan_prober.hpp"
#include "os/descriptor.hpp"

namespace weir {

// One thread.
class ConnectProber final : public ScanProber {
 public:
  // Each attempt has so long; `scope` is the interface of link-local addresses. Fails with Code::environment
  // when too few files may be open.
  static Result<std::unique_ptr<ConnectProber>> open(ScanLedger& ledger, Duration timeout,
                                                     unsigned scope = 0);

  void begin(ScanStage&) override {}
  Result<void> run(ScanPass& pass) override;
  std::uint64_t sent() const noexcept override { return sent_; }
  std::uint64_t send_errors() const noexcept override { return send_errors_; }

 private:
  struct Attempt {
    Descriptor fd;
    std::uint64_t cell = 0;
    Time started{};            // of the wall clock
    std::uint32_t serial = 0;  // tells it from an earlier one in the same place
  };
  struct Deadline {
    Time at;
    std::uint32_t slot, serial;
  };

  ConnectProber(ScanLedger& ledger, Duration timeout, unsigned scope, Descriptor epoll, std::size_t most)
      : ledger_(ledger), timeout_(timeout), scope_(scope), epoll_(std::move(epoll)), most_(most) {}
  // False when the system has no room for another socket now.
  bool start(ScanPass& pass, std::uint64_t cell, Time now);
  void finish(ScanPass& pass, std::uint32_t slot);
  void settle(ScanPass& pass, std::uint64_t cell, Time started, int error);
  void wait(ScanPass& pass, Time until);
  void expire(Time now);
  void drop(std::uint32_t slot);

  ScanLedger& ledger_;
  const Duration timeout_;
  const unsigned scope_;
  Descriptor epoll_;
  const std::size_t most_;  // attempts at a time
  std::vector<Attempt> attempts_;
  std::vector<std::uint32_t> free_;
  std::queue<Deadline> deadlines_;  // in order: each attempt has the same time
  std::size_t under_way_ = 0;
  std::uint32_t serial_ = 0;
  std::uint64_t sent_ = 0, send_errors_ = 0;
};

}  // namespace weir
