#include "tls/certificate.hpp"

#include "parser_fixture.hpp"

namespace weir::tls {
namespace {

// Made with openssl req: Ed25519, serial 0x0abc, O="Weir, Test", CN=Zoë, five alternative names, CA with path
// length 2, valid for 2,900,000 days.
const std::string der = test::unhex(
    "3082017530820127a00302010202020abc300506032b6570302431133011060355040a0c0a576569722c205465737431"
    "0d300b06035504030c045a6fc3ab3020170d3236313132343031323435365a180f39393636313033303031323435365a"
    "302431133011060355040a0c0a576569722c2054657374310d300b06035504030c045a6fc3ab302a300506032b657003"
    "21001a3ce05d9a4c0c7d03b631ae922f867e273a55faba4478d7de702ecfd4bc33e3a37b307930440603551d11043d30"
    "3b8206612e746573748704c0000201871020010db800000000000000000000000181087840612e74657374860f687474"
    "70733a2f2f612e746573742f30120603551d130101ff040830060101ff020102301d0603551d0e04160414b9d0a0fb86"
    "6eb2d78ed8577c917094b203c1ada4300506032b65700341008b65c3e916cc58d99dd08946e8bf1fbc7ed19169b43757"
    "62ae1ebda20c21b79d941b7493fb29b802d8cfd6794b22a2fcbc2079d3338b762d3588c4dd41055309");

TEST(Certificates, WhatOneSays) {
  const auto facts = read_certificate(as_bytes(der));
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->subject, "CN=Zoë,O=Weir\\, Test");
  EXPECT_EQ(facts->issuer, facts->subject);
  EXPECT_TRUE(facts->self_signed);
  EXPECT_EQ(facts->serial, "0ABC");
  EXPECT_EQ(facts->version, 3);
  EXPECT_EQ(facts->key_type, "ed25519");
  EXPECT_EQ(facts->key_bits, 256U);
  EXPECT_EQ(facts->signature_algorithm, "ED25519");
  EXPECT_EQ(facts->dns, std::vector<std::string>{"a.test"});
  EXPECT_EQ(facts->email, std::vector<std::string>{"x@a.test"});
  EXPECT_EQ(facts->uri, std::vector<std::string>{"https://a.test/"});
  EXPECT_EQ(facts->ip, (std::vector<Addr>{*parse_addr("192.0.2.1"), *parse_addr("2001:db8::1")}));
  EXPECT_TRUE(facts->is_ca);
  EXPECT_EQ(facts->path_length, 2U);
  EXPECT_TRUE(facts->not_before);
  EXPECT_FALSE(facts->not_after);  // beyond what 64 bits of nanoseconds hold
  EXPECT_EQ(facts->sha256, "27a941bb22185ab4290473da8ca7c59efd750a851cd2732a4b9c96b097313473");
}

TEST(Certificates, TheSameBytesAreReadOnce) {
  EXPECT_EQ(read_certificate(as_bytes(der)), read_certificate(as_bytes(der)));
}

TEST(Certificates, DamagedOnesAreSafe) {
  for (std::size_t size = 0; size < der.size(); ++size)
    EXPECT_FALSE(read_certificate(as_bytes(der).first(size)));
  for (std::size_t at = 0; at < der.size(); ++at) {
    std::string damaged = der;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    const auto facts = read_certificate(as_bytes(damaged));
    EXPECT_TRUE(!facts || !facts->sha256.empty());
  }
  EXPECT_FALSE(read_certificate(as_bytes(std::string(certificate_size_max + 1, '0'))));
}

}  // namespace
}  // namespace weir::tls
