// What devices that were found say of themselves when asked: names and services by multicast DNS (RFC 6762,
// RFC 6763), UPnP devices by SSDP, both by IPv4 and IPv6; names by NetBIOS node status (RFC 1002 §4.2.17). A
// few datagrams in all, and one a device for NetBIOS.
#pragma once

#include <functional>
#include <vector>

#include "core/addr.hpp"
#include "core/result.hpp"
#include "core/schema.hpp"
#include "core/time.hpp"

namespace weir {

struct DeviceQuestions {
  std::vector<Addr> devices;
  unsigned interface = 0;  // whose link-local addresses are meant; 0: all
  bool mdns = true, ssdp = true, netbios = true;
  double rate = 10'000;                 // datagrams a second
  Duration wait = milliseconds(1'000);  // for answers, after the last question
};

// Calls `told` in this thread for each record that the answers come to: dns, ssdp, netbios. Their flow begins
// at who answered. Texts live until the call returns. Ends early when `go_on`, called a few times a second,
// returns false. Fails with Code::environment without sockets.
Result<void> ask_devices(const DeviceQuestions& questions,
                         const std::function<void(const RecordType&, const void*)>& told,
                         const std::function<bool()>& go_on);

// The messages, for tests. Each question of an mDNS query asks for PTR.
std::vector<std::uint8_t> mdns_query(const std::vector<std::string>& names);
std::vector<std::uint8_t> node_status_query();
std::string ssdp_search(bool ipv6 = false);
// "2.0.9.10.in-addr.arpa", "2.0.…d.f.ip6.arpa".
std::string reverse_name(const Addr& ip);

}  // namespace weir
