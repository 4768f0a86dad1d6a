#include "engine/device_questions.hpp"

#include <poll.h>

#include <algorithm>
#include <set>

#include "engine/analysis.hpp"
#include "os/interface_networks.hpp"
#include "os/kernel_clock.hpp"
#include "os/udp_socket.hpp"
#include "probe/pacer.hpp"
#include "records/dns.hpp"
#include "records/netbios.hpp"
#include "records/ssdp.hpp"

namespace weir {
namespace {

constexpr std::uint16_t mdns_port = 5353, ssdp_port = 1900, netbios_port = 137;
struct Group {
  Addr v4, v6;
  std::uint16_t port;
  int hops;  // RFC 6762 §11; UPnP Device Architecture 2.0 §1.3.2
};
constexpr Group mdns{{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 224, 0, 0, 251}},
                     {{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfb}},
                     mdns_port,
                     255};
constexpr Group ssdp{{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 239, 255, 255, 250}},
                     {{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0c}},
                     ssdp_port,
                     2};
constexpr std::size_t query_max = 1200;  // bytes of names, that a frame holds with anything around them
// Kinds of service that are asked about; beyond, they are only named.
constexpr std::size_t most_kinds = 64;
constexpr std::size_t socket_queue = 4 << 20;
constexpr Duration tick_every = milliseconds(200);
constexpr std::string_view all_kinds = "_services._dns-sd._udp.local";

class Questions {
 public:
  Questions(const DeviceQuestions& questions, const std::function<void(const RecordType&, const void*)>& told,
            const std::function<bool()>& go_on)
      : questions_(questions), told_(told), go_on_(go_on), pacer_(questions.rate, steady_now()) {
    for (const RecordTypeOf type : {record_type<Dns>, record_type<Ssdp>, record_type<Netbios>})
      wants_[type().id].wanted = true;
    devices_.insert(questions.devices.begin(), questions.devices.end());
  }

  Result<void> run();

 private:
  struct Link {
    UdpSocket socket;
    Addr address;
  };
  Result<void> open();
  void to_group(const Group& group, Bytes message, bool v4, bool v6);
  void to_device(const Addr& device, std::uint16_t port, Bytes message);
  void ask_names(bool v4);
  void ask_kinds();
  void wait_until(Time until);
  void receive();
  void read(const Link& link, const ReceivedDatagram& datagram);
  void note_kinds(const Dns& dns);
  bool go_on();

  const DeviceQuestions& questions_;
  const std::function<void(const RecordType&, const void*)>& told_;
  const std::function<bool()>& go_on_;
  Pacer pacer_;
  std::set<Addr> devices_, named_;  // named_: have answered for NetBIOS
  std::vector<Link> links_;         // of this machine, to those networks that the devices are of
  std::set<std::string> kinds_;
  Emitter::Wants wants_{};
  Batch batch_;
  DatagramBatch received_{64};
  Time next_tick_{};
  bool stopped_ = false;
};

bool is_link_local(const Addr& a) noexcept {
  return !a.is_v4() && a.bytes[0] == 0xfe && (a.bytes[1] & 0xc0) == 0x80;
}

Result<void> Questions::open() {
  WEIR_TRY(const auto networks, interface_networks());
  std::set<std::pair<unsigned, bool>> interfaces;
  for (const InterfaceNetwork& own : networks) {
    const auto in_it = [&](const Addr& a) { return own.network.contains(a); };
    const bool v4 = own.address.is_v4();
    if (is_link_local(own.address) && questions_.interface != 0 && questions_.interface != own.interface)
      continue;
    if (std::ranges::none_of(devices_, in_it) || !interfaces.emplace(own.interface, v4).second) continue;
    // Multicasts by IPv6 leave with the link-local address, whichever is ours.
    WEIR_TRY(UdpSocket socket, UdpSocket::bind({v4 ? own.address : Addr{}, 0}, socket_queue, Ipv6::only));
    socket.multicast_by(own.interface);
    links_.push_back({std::move(socket), own.address});
  }
  return {};
}

void Questions::to_group(const Group& group, Bytes message, bool v4, bool v6) {
  for (const Link& link : links_)
    if (link.address.is_v4() ? v4 : v6)
      link.socket.send({link.address.is_v4() ? group.v4 : group.v6, group.port}, message, group.hops);
}

void Questions::to_device(const Addr& device, std::uint16_t port, Bytes message) {
  while (!stopped_ && pacer_.take(steady_now(), 1) == 0) wait_until(pacer_.next());
  // From the network that it is on; the kernel's own choice would be the same.
  const auto by = std::ranges::find_if(links_, [](const Link& link) { return link.address.is_v4(); });
  if (!stopped_ && by != links_.end()) by->socket.send({device, port}, message);
}

// As many names as one query has room for, and then again.
class NameQueries {
 public:
  explicit NameQueries(std::function<void(Bytes)> send) : send_(std::move(send)) {}
  // True when a query was full, and has gone.
  bool add(std::string name) {
    constexpr std::size_t around = 6;  // lengths, type and class
    const bool full = query_max < size_ + name.size() + around;
    if (full) flush();
    size_ += name.size() + around;
    names_.push_back(std::move(name));
    return full;
  }
  void flush() {
    if (!names_.empty()) send_(mdns_query(names_));
    names_.clear();
    size_ = 0;
  }

 private:
  std::function<void(Bytes)> send_;
  std::vector<std::string> names_;
  std::size_t size_ = 0;
};

void Questions::ask_names(bool v4) {
  NameQueries queries([&](Bytes query) {
    if (!stopped_) to_group(mdns, query, v4, !v4);
  });
  for (const Addr& device : devices_)
    if (device.is_v4() == v4 && queries.add(reverse_name(device)))
      wait_until(steady_now() + milliseconds(20));  // everybody answers to everybody's questions
  queries.flush();
}

void Questions::ask_kinds() {
  NameQueries queries([&](Bytes query) { to_group(mdns, query, true, true); });
  for (const std::string& kind : kinds_) queries.add(kind);
  queries.flush();
}

Result<void> Questions::run() {
  if (devices_.empty()) return {};
  WEIR_CHECK(open());
  if (links_.empty()) return {};
  const auto status = node_status_query();
  // Everything twice, as datagrams get lost.
  for (const Duration wait :
       {questions_.wait.ns < seconds(1).ns ? questions_.wait : milliseconds(500), questions_.wait}) {
    const Time began = steady_now();
    if (questions_.ssdp)
      for (const bool v6 : {false, true}) to_group(ssdp, as_bytes(ssdp_search(v6)), !v6, v6);
    if (questions_.mdns) {
      to_group(mdns, mdns_query({std::string(all_kinds)}), true, true);
      ask_kinds();
      for (const bool v4 : {true, false}) ask_names(v4);
    }
    if (questions_.netbios)
      for (const Addr& device : devices_)
        if (device.is_v4() && !named_.contains(device)) to_device(device, netbios_port, status);
    wait_until(std::max(steady_now(), began) + wait);
    if (stopped_) break;
  }
  return {};
}

void Questions::wait_until(Time until) {
  while (!stopped_) {
    receive();
    const Time now = steady_now();
    if (until <= now || !go_on()) return;
    std::vector<pollfd> ready;
    for (const Link& link : links_) ready.push_back({link.socket.fd(), POLLIN, 0});
    const std::int64_t ns = std::min((until - now).ns, tick_every.ns);
    const timespec timeout{ns / 1'000'000'000, ns % 1'000'000'000};
    ppoll(ready.data(), ready.size(), &timeout, nullptr);
  }
}

bool Questions::go_on() {
  const Time now = steady_now();
  if (now < next_tick_) return true;
  next_tick_ = now + tick_every;
  stopped_ = !go_on_();
  return !stopped_;
}

void Questions::receive() {
  for (const Link& link : links_)
    for (auto datagrams = link.socket.receive(received_); !datagrams.empty();
         datagrams = link.socket.receive(received_))
      for (const ReceivedDatagram& datagram : datagrams) read(link, datagram);
}

// By the parsers that read the same answers out of captures.
void Questions::read(const Link& link, const ReceivedDatagram& datagram) {
  const Endpoint& from = datagram.from;
  if (!devices_.contains(from.address)) return;
  const bool names = from.port == mdns_port || from.port == netbios_port;
  const ParserSpec* parser = find_plugin<ParserSpec>(names ? "dns" : "ssdp");
  if (parser == nullptr || parser->match(datagram.bytes, Side::orig) == Match::no) return;
  if (from.port == netbios_port) named_.insert(from.address);
  Emitter out(wants_, batch_);
  const FlowRef flow{.flow_id = 0,
                     .src_ip = from.address,
                     .dst_ip = link.address,
                     .src_port = from.port,
                     .dst_port = link.socket.local().port,
                     .proto = IpProto::udp};
  const LinkRef nothing{};
  Context context{.out = out, .flow = flow, .time = datagram.time, .link = nothing, .source = parser->name};
  const ParserState state(*parser);
  parser->methods.data(state.get(), context, datagram.bytes);
  for (const Batch::Entry& entry : batch_.entries()) {
    if (entry.type == &record_type<Dns>()) note_kinds(*static_cast<const Dns*>(entry.record));
    told_(*entry.type, entry.record);
  }
  batch_.clear();
}

void Questions::note_kinds(const Dns& dns) {
  for (std::size_t i = 0; i < dns.answers.size() && i < dns.answer_types.size(); ++i) {
    const std::string_view owner = i < dns.answer_names.size() ? dns.answer_names[i] : dns.query;
    if (owner == all_kinds && dns.answer_types[i] == "PTR" && kinds_.size() < most_kinds)
      kinds_.emplace(dns.answers[i]);
  }
}

void put16(std::vector<std::uint8_t>& out, unsigned n) {
  out.push_back(static_cast<std::uint8_t>(n >> 8));
  out.push_back(static_cast<std::uint8_t>(n));
}

}  // namespace

std::vector<std::uint8_t> mdns_query(const std::vector<std::string>& names) {
  std::vector<std::uint8_t> out;
  for (const unsigned n : {0U, 0U, static_cast<unsigned>(names.size()), 0U, 0U, 0U}) put16(out, n);
  for (std::string_view name : names) {
    while (!name.empty()) {
      const std::size_t end = std::min(name.find('.'), name.size());
      const std::size_t size = std::min<std::size_t>(end, 63);
      out.push_back(static_cast<std::uint8_t>(size));
      out.insert(out.end(), name.begin(), name.begin() + static_cast<std::ptrdiff_t>(size));
      name.remove_prefix(std::min(end + 1, name.size()));
    }
    out.push_back(0);
    put16(out, 12);      // PTR
    put16(out, 0x8001);  // IN, answered to us alone (RFC 6762 §5.4)
  }
  return out;
}

std::vector<std::uint8_t> node_status_query() {
  std::vector<std::uint8_t> out;
  for (const unsigned n : {0x7765U, 0U, 1U, 0U, 0U, 0U}) put16(out, n);
  // The name "*", filled with zeros, half a byte a letter.
  out.push_back(32);
  for (const char c : std::string("CK") + std::string(30, 'A')) out.push_back(static_cast<std::uint8_t>(c));
  out.push_back(0);
  put16(out, 33);  // NBSTAT
  put16(out, 1);
  return out;
}

std::string ssdp_search(bool ipv6) {
  return std::string("M-SEARCH * HTTP/1.1\r\nHOST: ") + (ipv6 ? "[FF02::C]" : "239.255.255.250") +
         ":1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n";
}

std::string reverse_name(const Addr& ip) {
  std::string out;
  if (!ip.is_v4()) {  // RFC 3596 §2.5
    constexpr std::string_view digits = "0123456789abcdef";
    for (auto at = ip.bytes.rbegin(); at != ip.bytes.rend(); ++at)
      for (const unsigned half : {*at & 15U, static_cast<unsigned>(*at >> 4)}) (out += digits[half]) += '.';
    return out + "ip6.arpa";
  }
  for (unsigned i = 16; i-- > 12;) out += std::to_string(ip.bytes[i]) + '.';
  return out + "in-addr.arpa";
}

Result<void> ask_devices(const DeviceQuestions& questions,
                         const std::function<void(const RecordType&, const void*)>& told,
                         const std::function<bool()>& go_on) {
  return Questions(questions, told, go_on).run();
}

}  // namespace weir
