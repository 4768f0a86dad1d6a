// Port lists.
#include <gtest/gtest.h>

#include "probe/ports.hpp"

namespace weir {
namespace {

constexpr IpProto tcp[] = {IpProto::tcp}, udp[] = {IpProto::udp}, both[] = {IpProto::tcp, IpProto::udp};

std::string read(std::string_view text, std::span<const IpProto> protos = tcp) {
  const auto ports = parse_ports(text, protos, "-p");
  return ports ? to_string(*ports) : ports.error().line();
}

TEST(Ports, AreReadInEveryForm) {
  EXPECT_EQ(read("22"), "T:22");
  EXPECT_EQ(read("443,22,80-90,85-95,22"), "T:22,80-95,443");
  EXPECT_EQ(read("-"), "T:1-65535");
  EXPECT_EQ(read("0-"), "T:0-65535");
  EXPECT_EQ(read("-3,65534-"), "T:1-3,65534,65535");
  EXPECT_EQ(read("22,U:53,161,T:80"), "T:22,80,U:53,161");
  EXPECT_EQ(read("53", both), "T:53,U:53");
  EXPECT_EQ(read("u:-", udp), "U:1-65535");
  EXPECT_EQ(read("ssh,https"), "T:22,443");
  EXPECT_EQ(read("U:snmp"), "U:161");
}

TEST(Ports, MistakesAreOneLine) {
  EXPECT_EQ(read("70000"), "-p: port 70000 is outside 0-65535");
  EXPECT_EQ(read("99999999999999999999"), "-p: port 99999999999999999999 is outside 0-65535");
  EXPECT_EQ(read("90-80"), "-p: range 90-80 begins behind its end (write 80-90)");
  EXPECT_EQ(read("sssh"), "-p: \"sssh\" is neither a port nor a service known here (did you mean ssh?)");
  EXPECT_EQ(read("X:1"), "-p: \"X:\" is no protocol (T: is TCP, U: is UDP)");
  for (const char* text : {"", ",", "1,", "1--2", "1-2-3", "T:", "--"})
    EXPECT_TRUE(read(text).starts_with("-p:")) << text;
}

TEST(Ports, HaveNumbers) {
  const PortSet ports({443, 22, 22}, {53});
  ASSERT_EQ(ports.size(), 3U);
  EXPECT_EQ(ports.nth(0), (ProtoPort{IpProto::tcp, 22}));
  EXPECT_EQ(ports.nth(2), (ProtoPort{IpProto::udp, 53}));
  for (std::size_t i = 0; i < ports.size(); ++i) EXPECT_EQ(ports.index_of(ports.nth(i)), i);
  EXPECT_FALSE(ports.index_of({IpProto::tcp, 53}));
  EXPECT_FALSE(ports.index_of({IpProto::icmp, 22}));
}

TEST(Ports, TheBestComeFirst) {
  EXPECT_EQ(to_string(*top_ports(3, tcp, "--top-ports")), "T:22,80,443");
  EXPECT_EQ(to_string(*top_ports(2, both, "--top-ports")), "T:80,443,U:53,161");
  for (const IpProto proto : both) {
    const IpProto one[] = {proto};
    const std::size_t most = most_top_ports(proto);
    EXPECT_EQ(top_ports(most, one, "--top-ports")->size(), most);
    EXPECT_EQ(top_ports(most + 1, one, "--top-ports").error().line(),
              "--top-ports: " + std::to_string(most + 1) + " is outside 1-" + std::to_string(most) +
                  " (-p- is all ports)");
  }
  EXPECT_FALSE(top_ports(0, tcp, "--top-ports"));
  EXPECT_GE(most_top_ports(IpProto::tcp), 1000U);
}

TEST(Ports, AreNamed) {
  EXPECT_EQ(port_name({IpProto::tcp, 22}), "ssh");
  EXPECT_EQ(port_name({IpProto::udp, 161}), "snmp");
  EXPECT_EQ(port_name({IpProto::tcp, 4}), "");
}

}  // namespace
}  // namespace weir
