// Community ID v1: one text that names a flow alike in every tool (github.com/corelight/community-id-spec).
#pragma once

#include <string>

#include "records/flow_ref.hpp"

namespace weir {

inline constexpr std::size_t community_id_max = 30;  // "1:" and base64 of 20 bytes

// Writes it for a flow; returns one past the last character. For ICMP src_port is the type and dst_port the
// code of the originator's packet. Thread-safe.
char* write_community_id(char* out, const FlowRef& flow, std::uint16_t seed = 0) noexcept;
std::string community_id(const FlowRef& flow, std::uint16_t seed = 0);

}  // namespace weir
