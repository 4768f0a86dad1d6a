// ICMP's and ICMPv6's types and codes by name.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir {

// "echo_request", "destination_unreachable", …; without data when it has no name.
std::string_view icmp_type_name(bool v6, std::uint8_t type) noexcept;
// "port_unreachable", "ttl_exceeded", …; without data for types that have no codes.
std::string_view icmp_code_name(bool v6, std::uint8_t type, std::uint8_t code) noexcept;

}  // namespace weir
