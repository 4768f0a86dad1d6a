// What to say to a UDP port so that its service answers: a question of its own protocol, that asks for little
// and changes nothing. Written from the documents named beside each.
#pragma once

#include <string_view>

#include "core/bytes.hpp"

namespace weir {

// Empty where no protocol is known: the datagram has no payload then.
Bytes udp_payload(std::uint16_t port) noexcept;

}  // namespace weir
