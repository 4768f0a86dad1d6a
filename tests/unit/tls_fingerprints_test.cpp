#include "tls/fingerprints.hpp"

#include <gtest/gtest.h>

#include <initializer_list>

#include "core/digest.hpp"

namespace weir::tls {
namespace {

std::string u16(std::size_t n) {
  return {static_cast<char>(n >> 8), static_cast<char>(n)};
}
std::string vector8(const std::string& s) {
  return static_cast<char>(s.size()) + s;
}
std::string vector16(const std::string& s) {
  return u16(s.size()) + s;
}
std::string numbers(std::initializer_list<unsigned> list) {
  std::string out;
  for (const unsigned n : list) out += u16(n);
  return out;
}
std::string extension_bytes(unsigned number, const std::string& body = {}) {
  return u16(number) + vector16(body);
}

std::string hello_bytes(const std::string& ciphers, const std::string& extensions,
                        unsigned version = 0x0303) {
  return u16(version) + std::string(32, 'r') + vector8("") + vector16(ciphers) +
         vector8(std::string(1, '\0')) + (extensions.empty() ? "" : vector16(extensions));
}

// The client of the example in FoxIO's description of JA4, with GREASE where a browser puts it.
std::string example() {
  const std::string ciphers = numbers({0x2a2a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9,
                                       0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035});
  const std::string name = "example.com";
  std::string extensions = extension_bytes(0x1a1a) + extension_bytes(0x001b) +
                           extension_bytes(0x0000, vector16('\0' + vector16(name))) +
                           extension_bytes(0x0033) +
                           extension_bytes(0x0010, vector16(vector8("h2") + vector8("http/1.1"))) +
                           extension_bytes(0x4469) + extension_bytes(0x0017) + extension_bytes(0x002d);
  extensions += extension_bytes(
      0x000d, vector16(numbers({0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601})));
  extensions += extension_bytes(0x0005) + extension_bytes(0x0023) + extension_bytes(0x0012) +
                extension_bytes(0x002b, vector8(numbers({0x3a3a, 0x0304, 0x0303}))) +
                extension_bytes(0xff01) + extension_bytes(0x000b, vector8(std::string(1, '\0'))) +
                extension_bytes(0x000a, vector16(numbers({0x4a4a, 29, 23, 24}))) + extension_bytes(0x0015) +
                extension_bytes(0x8a8a);
  return hello_bytes(ciphers, extensions);
}

TEST(Fingerprints, Ja4OfTheExampleInItsDescription) {
  const std::string bytes = example();
  const auto hello = read_client_hello(as_bytes(bytes), Carrier::tcp);
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->server_name, "example.com");
  EXPECT_EQ(ja4(*hello, Carrier::tcp), "t13d1516h2_8daaf6152771_e5627efa2ab1");
  EXPECT_EQ(ja4(*hello, Carrier::quic), "q13d1516h2_8daaf6152771_e5627efa2ab1");
}

TEST(Fingerprints, Ja3LeavesGreaseOut) {
  const std::string bytes = example();
  const auto hello = read_client_hello(as_bytes(bytes), Carrier::tcp);
  ASSERT_TRUE(hello);
  EXPECT_EQ(ja3_text(*hello),
            "771,4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-49172-156-157-47-53,"
            "27-0-51-16-17513-23-45-13-5-35-18-43-65281-11-10-21,29-23-24,0");
  EXPECT_EQ(ja3(*hello), hex_digest(Digest::md5, ja3_text(*hello)));
}

TEST(Fingerprints, HelloWithoutExtensions) {
  const std::string bytes = hello_bytes(numbers({4, 5, 10}), "", 0x0301);
  const auto hello = read_client_hello(as_bytes(bytes), Carrier::tcp);
  ASSERT_TRUE(hello);
  EXPECT_EQ(ja3_text(*hello), "769,4-5-10,,,");
  EXPECT_TRUE(ja4(*hello, Carrier::tcp).starts_with("t10i030000_"));
  EXPECT_TRUE(ja4(*hello, Carrier::tcp).ends_with("_000000000000"));
}

// The cases that FoxIO's description lists.
TEST(Fingerprints, Ja4AlpnThatIsNotAlphanumericIsShownInHex) {
  const std::pair<std::string, std::string_view> cases[] = {
      {"\xab", "ab"},     {"\x20", "20"},     {"\xab\xcd", "ad"},         {"\x20\x61", "21"},
      {"\x30\xab", "3b"}, {"\x61\x20", "60"}, {"\x30\x31\xab\xcd", "3d"}, {"\x30\xab\xcd\x31", "01"},
      {"h2", "h2"},       {"x", "xx"}};
  for (const auto& [name, expected] : cases) {
    const std::string bytes = hello_bytes(numbers({0x1301}), extension_bytes(16, vector16(vector8(name))));
    const auto hello = read_client_hello(as_bytes(bytes), Carrier::tcp);
    ASSERT_TRUE(hello);
    EXPECT_EQ(ja4(*hello, Carrier::tcp).substr(0, 10), "t12i0101" + std::string(expected));
  }
}

TEST(Hello, EveryTruncationIsSafe) {
  const std::string bytes = example();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);
    if (const auto hello = read_client_hello(as_bytes(cut), Carrier::tcp)) ja4(*hello, Carrier::tcp);
    (void)read_server_hello(as_bytes(cut));
    (void)read_sslv2_client_hello(as_bytes(cut));
  }
  EXPECT_FALSE(read_client_hello(as_bytes(bytes.substr(0, 40)), Carrier::tcp));
}

TEST(Digests, KnownValues) {
  EXPECT_EQ(hex_digest(Digest::md5, ""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(hex_digest(Digest::sha1, "abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hex_digest(Digest::sha256, "abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace weir::tls
