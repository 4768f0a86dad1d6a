#include "tls/quic_keys.hpp"

#include <gtest/gtest.h>

#include "core/digest.hpp"
#include "parser_fixture.hpp"

namespace weir::tls {
namespace {

std::string hex(const QuicKeys& keys) {
  return to_hex(keys.key) + ' ' + to_hex(keys.iv) + ' ' + to_hex(keys.header);
}

const std::string connection_id = test::unhex("8394c8f03e515708");

TEST(QuicKeys, OfRfc9001AppendixA1) {
  const auto keys = quic_initial_keys(QuicDraft::v1, as_bytes(connection_id));
  EXPECT_EQ(hex(keys.client),
            "1f369613dd76d5467730efcbe3b1a22d fa044b2f42a3fd3b46fb255c 9f50449e04a0e810283a1e9933adedd2");
  EXPECT_EQ(hex(keys.server),
            "cf3a5331653c364c88f0f379b6067e37 0ac1493ca1905853b0bba03e c206b8d9b9f0f37644430b490eeaa314");
}

TEST(QuicKeys, OfRfc9369AppendixA1) {
  const auto keys = quic_initial_keys(QuicDraft::v2, as_bytes(connection_id));
  EXPECT_EQ(hex(keys.client),
            "8b1a0bc121284290a29e0971b5cd045d 91f73e2351d8fa91660e909f 45b95e15235d6f45a6b19cbcb0294ba9");
  EXPECT_EQ(hex(keys.server),
            "82db637861d55e1d011f19ea71d5d2a7 dd13c276499c0249d3310652 edf6d05c83121201b436e16877593c3a");
}

// The server's Initial of RFC 9001 appendix A.3.
const std::string server_initial = test::unhex(
    "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb3"
    "8cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84"
    "022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee");

TEST(QuicKeys, OpenThePacketOfRfc9001AppendixA3) {
  const auto keys = quic_initial_keys(QuicDraft::v1, as_bytes(connection_id));
  const auto plain = open_quic_packet(keys.server, as_bytes(server_initial), 18);
  ASSERT_TRUE(plain);
  // ACK, then CRYPTO with a ServerHello.
  EXPECT_TRUE(to_hex(*plain).starts_with("02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf7"));
  EXPECT_FALSE(open_quic_packet(keys.client, as_bytes(server_initial), 18));
  std::string damaged = server_initial;
  damaged.back() ^= 1;
  EXPECT_FALSE(open_quic_packet(keys.server, as_bytes(damaged), 18));
  for (std::size_t size = 0; size < server_initial.size(); ++size) {
    const std::string cut = server_initial.substr(0, size);
    EXPECT_FALSE(open_quic_packet(keys.server, as_bytes(cut), 18));
  }
}

}  // namespace
}  // namespace weir::tls
