// Shares of an interface's traffic as records and as words for people.
#pragma once

#include "engine/socket_owners.hpp"
#include "engine/traffic_meter.hpp"
#include "records/usage.hpp"

namespace weir {

enum class ShareBy : std::uint8_t { host, flow, port, app, process };
std::string_view name_of(ShareBy by) noexcept;
Result<ShareBy> parse_share_by(std::string_view word);

// Adds a flow's traffic to whom it belongs; of a process, what nobody has is left out. `owners` is for
// processes only. Both ways may have different keys: what a loopback carries is in for one, out for another.
void add_shares(Shares& shares, ShareBy by, const MeteredFlow& flow, const SocketOwners* owners);

inline constexpr std::string_view others_row = "(others)", unattributed_row = "(unattributed)";

// "10.9.0.2", "10.9.0.1:40312 → 10.9.0.2:443 tcp", "tcp 443", "tls", "nginx[712]". What other hosts chose is
// not cleaned.
std::string who_of(const ShareKey& key, const SocketOwners* owners);

// The key's fields. Texts point into `who`, `owners` and literals.
void describe(Usage& usage, const ShareKey& key, const SocketOwners* owners);
// The columns of a form that writes them all in each row: those that rows of this kind have. Empty: all.
std::vector<std::string> share_fields(ShareBy by, std::string_view form);
void set_volume(Usage& usage, const Volume& volume, Duration interval) noexcept;

}  // namespace weir
