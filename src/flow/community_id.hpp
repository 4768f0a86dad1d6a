// Community ID v1: one text that names a flow in every tool that follows
// github.com/corelight/community-id-spec.
#pragma once

#include <string>

#include "packet/layer.hpp"

namespace weir {

inline constexpr std::size_t community_id_max = 30;  // "1:" and base64 of 20 bytes
// Writes it for a flow's key; for ICMP the key holds type and code as the specification maps them. Returns
// one past the last character. Thread-safe.
char* write_community_id(char* out, const FlowKey& key, std::uint16_t seed = 0) noexcept;
std::string community_id(const FlowKey& key, std::uint16_t seed = 0);

}  // namespace weir
