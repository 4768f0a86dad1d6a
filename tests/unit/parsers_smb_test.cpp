// smb: both versions in one small conversation each, and the names inside a login token.
#include "parser_fixture.hpp"
#include "parsers/smb_ntlm.hpp"
#include "records/smb.hpp"

namespace weir::test {
namespace {

std::string le(std::uint64_t value, std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < std::min<std::size_t>(size, 8); ++i)
    out[i] = static_cast<char>(value >> (8 * i));
  return out;
}
std::string utf16(std::string_view ascii) {
  std::string out;
  for (const char c : ascii) out.append(1, c).append(1, '\0');
  return out;
}
std::string framed(const std::string& message) {
  std::string head = le(0, 4);
  head[2] = static_cast<char>(message.size() >> 8);
  head[3] = static_cast<char>(message.size());
  return head + message;
}
std::string smb2_message(std::uint16_t command, bool response, std::uint64_t id, const std::string& body,
                         std::uint32_t status = 0) {
  return framed("\xfeSMB" + le(64, 2) + le(0, 2) + le(status, 4) + le(command, 2) + le(1, 2) +
                le(response, 4) + le(0, 4) + le(id, 8) + le(0, 4) + le(5, 4) + le(9, 8) + le(0, 16) + body);
}

std::vector<Turn> smb2_session() {
  const std::string path = utf16("\\\\srv\\data"), file = utf16("plan.txt");
  return {
      {Side::orig,
       smb2_message(0, false, 0, le(36, 2) + le(2, 2) + le(0, 32) + le(0x0202, 2) + le(0x0300, 2))},
      {Side::resp,
       smb2_message(0, true, 0,
                    le(65, 2) + le(3, 2) + le(0x0300, 2) + le(0, 2) + le(7, 16) + le(0x40, 4) + le(0, 12) +
                        le(133'000'000'000'000'000, 8) + le(0, 8) + le(128, 2) + le(0, 6))},
      {Side::orig, smb2_message(3, false, 1, le(9, 2) + le(0, 2) + le(72, 2) + le(path.size(), 2) + path)},
      {Side::resp, smb2_message(3, true, 1, le(16, 2) + le(1, 2) + le(0, 12))},
      {Side::orig,
       smb2_message(5, false, 2, le(57, 2) + le(0, 42) + le(120, 2) + le(file.size(), 2) + le(0, 8) + file)},
      {Side::resp, smb2_message(5, true, 2, le(9, 2), 0x103)},
      {Side::resp, smb2_message(5, true, 2, le(9, 2), 0xc0000022)},
      {Side::orig, smb2_message(9, false, 3, le(0, 40))}};
}

TEST(Smb, NegotiateTreeAndRefusedFile) {
  ParserFlow flow("smb");
  const auto turns = smb2_session();
  EXPECT_EQ(flow.match(turns[0].bytes), Match::yes);
  flow.play(turns);
  flow.end();
  const auto records = flow.records<Smb>();
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].dialect, "3.0");
  EXPECT_EQ(records[0].is_signing_required, true);
  EXPECT_EQ(records[0].is_encrypting, true);
  ASSERT_EQ(records[0].dialects.size(), 2u);
  EXPECT_EQ(records[0].server_time, Time{1'655'526'400'000'000'000});
  EXPECT_EQ(records[1].path, "\\\\srv\\data");
  EXPECT_EQ(records[1].share_type, "disk");
  EXPECT_EQ(records[2].command, "create");
  EXPECT_EQ(records[2].file, "plan.txt");
  EXPECT_EQ(records[2].path, "\\\\srv\\data");
  EXPECT_EQ(records[2].status, "access_denied");
  EXPECT_EQ(records[2].rtt, milliseconds(2)) << "a pending answer is not the answer";
  EXPECT_TRUE(flow.oddities().empty());
}

TEST(Smb, StreamSegmentsDoNotShow) {
  expect_same_when_split("smb", smb2_session());
}

TEST(Smb, DataIsSkippedUnseenAndEncryptionToldOnce) {
  ParserFlow flow("smb");
  std::string write = smb2_message(9, false, 0, le(0, 40));
  write[1] = 1;  // 64 KiB more
  flow.send(Side::orig, write + std::string(65536, 'x'));
  const std::string encrypted = framed("\xfdSMB" + std::string(60, 'y'));
  flow.send(Side::orig, encrypted + encrypted);
  ASSERT_EQ(flow.records<Smb>().size(), 1u);
  EXPECT_EQ(flow.records<Smb>()[0].version, "encrypted");
}

TEST(Smb, ChainThatDoesNotAdvanceEnds) {
  ParserFlow flow("smb");
  const std::string header = "\xffSMB" + std::string("\x74", 1) + le(0, 27);
  flow.send(Side::orig, framed(header + unhex("02 74 00 2000") + le(0, 2)));
  flow.end();
  EXPECT_LE(flow.records<Smb>().size(), 1u);
}

TEST(Smb, GarbageIsOdd) {
  ParserFlow flow("smb");
  flow.send(Side::orig, framed(std::string(64, 'z')));
  EXPECT_EQ(flow.oddities(), std::vector<std::string>{"smb_bad_frame"});
}

TEST(Smb, NtlmNamesStayInsideTheToken) {
  std::string token = std::string("NTLMSSP\0", 8) + le(3, 4) + le(0, 8) + le(0, 8);
  const auto field = [](std::size_t length, std::size_t offset) {
    return le(length, 2) + le(length, 2) + le(offset, 4);
  };
  token += field(4, 64) + field(6, 68) + field(8, 5000) + field(0, 0) + le(1, 4) + utf16("AB") + utf16("bob");
  const NtlmNames n = read_ntlm(as_bytes(token));
  EXPECT_EQ(n.domain, "AB");
  EXPECT_EQ(n.user, "bob");
  EXPECT_EQ(n.host, "");
  for (std::size_t size = 0; size < token.size(); ++size)
    read_ntlm(as_bytes(std::string_view(token).substr(0, size)));
}

TEST(Smb, Utf16IntoUtf8) {
  EXPECT_EQ(utf16_text(as_bytes(unhex("e400 3dd8 00de 00d8"))), "\xc3\xa4\xf0\x9f\x98\x80\xef\xbf\xbd");
}

}  // namespace
}  // namespace weir::test
