// Two record types with every kind of field, for the filter's tests.
#pragma once

#include <array>

#include "core/schema.hpp"

namespace weir {

struct FilterSample {
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
inline constexpr auto schema<FilterSample> = record(
    "sample", "A record with every kind of field", field("time", &FilterSample::time, ""),
    field("src_ip", &FilterSample::src_ip, ""), field("src_port", &FilterSample::src_port, ""),
    field("dst_ip", &FilterSample::dst_ip, ""), field("dst_port", &FilterSample::dst_port, ""),
    field("proto", &FilterSample::proto, ""), field("bytes", &FilterSample::bytes, Unit::bytes, ""),
    field("small", &FilterSample::small, ""), field("medium", &FilterSample::medium, ""),
    field("offset", &FilterSample::offset, ""), field("score", &FilterSample::score, ""),
    field("encrypted", &FilterSample::encrypted, ""),
    field("duration", &FilterSample::duration, Unit::seconds, ""),
    field("rtt", &FilterSample::rtt, Unit::seconds, ""), field("vlan", &FilterSample::vlan, ""),
    field("src_mac", &FilterSample::src_mac, ""), field("dst_mac", &FilterSample::dst_mac, ""),
    field("application", &FilterSample::application, ""), field("host", &FilterSample::host, ""),
    field("src_tcp_flags", &FilterSample::src_tcp_flags, ""),
    field("dst_tcp_flags", &FilterSample::dst_tcp_flags, ""), field("answers", &FilterSample::answers, ""),
    field("names", &FilterSample::names, ""), field("ttls", &FilterSample::ttls, ""));

// Another type, with few of those fields, one of another kind (`score`) and one of its own.
struct FilterOther {
  Time time{};
  std::optional<Addr> src_ip;
  Text score, version;
};
template <>
inline constexpr auto schema<FilterOther> =
    record("other", "A record with few fields", field("time", &FilterOther::time, ""),
           field("src_ip", &FilterOther::src_ip, ""), field("score", &FilterOther::score, ""),
           field("version", &FilterOther::version, ""));

inline const std::array<const RecordType*, 2>& sample_types() {
  static const std::array<const RecordType*, 2> types = {&record_type<FilterSample>(),
                                                         &record_type<FilterOther>()};
  return types;
}

// 2026-01-31 12:00:00, 10.1.2.3:51000 → 192.0.2.80:443 over TCP; rtt and dst_mac are null.
inline const FilterSample& sample() {
  static const std::array<Addr, 2> answers = {*parse_addr("192.0.2.1"), *parse_addr("2001:db8::7")};
  static const std::array<Text, 2> names = {"www.example.com", "cdn.example.net"};
  static const std::array<std::uint32_t, 2> ttls = {60, 3600};
  static const FilterSample s{.time = *parse_time("2026-01-31T12:00:00Z"),
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
