// Two record types with every kind of field, for the filter's tests.
#pragma once

#include <array>

#include "core/schema.hpp"

namespace weir {

struct Sample {
  Time time{};
  Addr src_ip{}, dst_ip{};
  std::uint16_t src_port = 0, dst_port = 0;
  IpProto proto{};
  std::uint64_t bytes = 0;
  std::uint8_t small = 0;
  std::uint32_t medium = 0;
  std::int64_t offset = 0;
  double score = 0;
  bool encrypted = false;
  Duration duration{};
  std::optional<Duration> rtt;
  std::optional<std::uint16_t> vlan;
  std::optional<Mac> src_mac, dst_mac;
  Text application, host, src_tcp_flags, dst_tcp_flags;
  List<Addr> answers;
  List<Text> names;
  List<std::uint32_t> ttls;
};
template <>
inline constexpr auto schema<Sample> = record(
    "sample", "A record with every kind of field", field("time", &Sample::time, ""),
    field("src_ip", &Sample::src_ip, ""), field("src_port", &Sample::src_port, ""),
    field("dst_ip", &Sample::dst_ip, ""), field("dst_port", &Sample::dst_port, ""),
    field("proto", &Sample::proto, ""), field("bytes", &Sample::bytes, Unit::bytes, ""),
    field("small", &Sample::small, ""), field("medium", &Sample::medium, ""),
    field("offset", &Sample::offset, ""), field("score", &Sample::score, ""),
    field("encrypted", &Sample::encrypted, ""), field("duration", &Sample::duration, Unit::seconds, ""),
    field("rtt", &Sample::rtt, Unit::seconds, ""), field("vlan", &Sample::vlan, ""),
    field("src_mac", &Sample::src_mac, ""), field("dst_mac", &Sample::dst_mac, ""),
    field("application", &Sample::application, ""), field("host", &Sample::host, ""),
    field("src_tcp_flags", &Sample::src_tcp_flags, ""), field("dst_tcp_flags", &Sample::dst_tcp_flags, ""),
    field("answers", &Sample::answers, ""), field("names", &Sample::names, ""),
    field("ttls", &Sample::ttls, ""));

// Another type, with few of those fields, one of another kind (`score`) and one of its own.
struct Other {
  Time time{};
  std::optional<Addr> src_ip;
  Text score, version;
};
template <>
inline constexpr auto schema<Other> = record(
    "other", "A record with few fields", field("time", &Other::time, ""), field("src_ip", &Other::src_ip, ""),
    field("score", &Other::score, ""), field("version", &Other::version, ""));

inline const std::array<const RecordType*, 2>& sample_types() {
  static const std::array<const RecordType*, 2> types = {&record_type<Sample>(), &record_type<Other>()};
  return types;
}

// 2026-01-31 12:00:00, 10.1.2.3:51000 → 192.0.2.80:443 over TCP; rtt and dst_mac are null.
inline const Sample& sample() {
  static const std::array<Addr, 2> answers = {*parse_addr("192.0.2.1"), *parse_addr("2001:db8::7")};
  static const std::array<Text, 2> names = {"www.example.com", "cdn.example.net"};
  static const std::array<std::uint32_t, 2> ttls = {60, 3600};
  static const Sample s{.time = *parse_time("2026-01-31T12:00:00Z"),
                        .src_ip = *parse_addr("10.1.2.3"),
                        .dst_ip = *parse_addr("192.0.2.80"),
                        .src_port = 51000,
                        .dst_port = 443,
                        .proto = IpProto::tcp,
                        .bytes = 1'500'000,
                        .small = 7,
                        .medium = 70'000,
                        .offset = -5,
                        .score = 0.75,
                        .encrypted = true,
                        .duration = milliseconds(2500),
                        .vlan = std::uint16_t{12},
                        .src_mac = *parse_mac("00:1b:21:0a:0b:0c"),
                        .application = "tls",
                        .host = "www.example.com",
                        .src_tcp_flags = "APSF",
                        .dst_tcp_flags = "AS",
                        .answers = answers,
                        .names = names,
                        .ttls = ttls};
  return s;
}

}  // namespace weir
