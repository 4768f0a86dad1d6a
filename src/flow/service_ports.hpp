// Ports that servers listen on. Only for guessing who is the responder when the start of a flow was not seen.
#pragma once

#include <algorithm>
#include <array>

#include "core/schema.hpp"

namespace weir {

inline constexpr std::array<std::uint16_t, 75> tcp_service_ports = {
    20,   21,   22,   23,   25,   53,   79,   80,   81,   88,   102,  110,  111,  119,  135,
    139,  143,  179,  389,  427,  443,  445,  465,  502,  515,  524,  543,  554,  563,  585,
    587,  614,  631,  636,  853,  873,  989,  990,  992,  993,  995,  1080, 1433, 1434, 1521,
    1723, 1883, 2049, 2404, 2811, 3128, 3268, 3306, 3389, 4840, 5060, 5061, 5222, 5223, 5269,
    5432, 5672, 5900, 6379, 6666, 6667, 6668, 6669, 8000, 8080, 8443, 8883, 8888, 9100, 20000};
inline constexpr std::array<std::uint16_t, 42> udp_service_ports = {
    53,   67,   68,   69,   88,   111,  123,  135,  137,  138,  161,  162,  389,  427,
    443,  500,  514,  520,  547,  623,  1194, 1434, 1701, 1812, 1813, 1900, 2055, 2123,
    2152, 3268, 3478, 3544, 3702, 4011, 4500, 4789, 5060, 5072, 5353, 5355, 6081, 20000};

static_assert(std::is_sorted(tcp_service_ports.begin(), tcp_service_ports.end()));
static_assert(std::is_sorted(udp_service_ports.begin(), udp_service_ports.end()));

inline bool is_service_port(IpProto proto, std::uint16_t port) noexcept {
  const auto listed = [port](const auto& ports) {
    return std::binary_search(ports.begin(), ports.end(), port);
  };
  return proto == IpProto::udp ? listed(udp_service_ports) : listed(tcp_service_ports);
}

}  // namespace weir
