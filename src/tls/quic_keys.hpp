// Protection of QUIC Initial packets (RFC 9001 §5). Its keys follow from a connection ID that is in clear, so
// whoever sees the packets can read them.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "core/bytes.hpp"

namespace weir::tls {

enum class QuicDraft : std::uint8_t { none, v1, v2, v2_draft, draft29, draft27, q050, t050, t051 };
// The rules by which a version protects its Initial packets; none for a version that is not known.
QuicDraft quic_draft(std::uint32_t version) noexcept;

// Packet types and labels are those of RFC 9369.
constexpr bool is_quic_v2(QuicDraft draft) noexcept {
  return draft == QuicDraft::v2 || draft == QuicDraft::v2_draft;
}

struct QuicKeys {
  std::array<std::uint8_t, 16> key{}, header{};
  std::array<std::uint8_t, 12> iv{};
};
struct QuicInitialKeys {
  QuicKeys client, server;
};
// From the destination connection ID of the client's first Initial, or of its first after a Retry.
QuicInitialKeys quic_initial_keys(QuicDraft draft, Bytes connection_id) noexcept;

// The frames inside one protected packet. `packet` is exactly one packet of a datagram and `number_at` the
// offset of its packet number. Nothing when the keys do not fit.
std::optional<std::vector<std::uint8_t>> open_quic_packet(const QuicKeys& keys, Bytes packet,
                                                          std::size_t number_at);

}  // namespace weir::tls
