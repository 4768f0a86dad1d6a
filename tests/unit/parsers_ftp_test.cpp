#include "records/ftp.hpp"

#include <gmock/gmock.h>

#include "parser_fixture.hpp"

namespace weir {
namespace {

using test::ParserFlow;
using test::Turn;
using testing::ElementsAre;

std::vector<Ftp> played(ParserFlow& flow, const std::vector<Turn>& turns) {
  flow.play(turns);
  flow.end();
  return flow.records<Ftp>();
}

TEST(Ftp, RepliesTellTheDirectory) {
  ParserFlow flow("ftp");
  std::vector<Turn> turns = {{Side::resp, "220 FTP\r\n"}};
  const auto ask = [&](std::string command, std::string reply) {
    turns.push_back({Side::orig, command + "\r\n"});
    turns.push_back({Side::resp, reply + "\r\n"});
    turns.push_back({Side::orig, "DELE x\r\n"});
    turns.push_back({Side::resp, "250 ok\r\n"});
  };
  ask("CWD a/./b//c", "250 ok");
  ask("CWD ..", "250 ok");
  ask("CWD nowhere", "550 no");
  ask("CWD ../../..", "250 ok");
  ask("PWD", R"(257 "/home/""ann""" is the current directory)");
  ask("CDUP", "200 ok");
  ask("CDUP", "250 ok");
  ask("CWD ../top/", "250 ok");
  ask("CWD " + std::string(4000, 'a'), "250 ok");
  ask("CWD " + std::string(4000, 'a'), "250 ok");
  std::vector<std::string> directories;
  for (const Ftp& r : played(flow, turns)) directories.emplace_back(r.directory);
  EXPECT_THAT(directories, ElementsAre("a/b/c", "a/b", "a/b", "..", "/home/\"ann\"", "/home", "/", "/top",
                                       "/top/" + std::string(4000, 'a'), ""));
}

TEST(Ftp, CommandsMeetTheirReplies) {
  const std::vector<Turn> turns = {{Side::resp, "220-Welcome\r\n220 to FTP\r\n"},
                                   {Side::orig, "USER anonymous\r\n"},
                                   {Side::resp, "331 Guest login ok\r\n"},
                                   {Side::orig, "PASS me@example\r\n"},
                                   {Side::resp, "230-Hello\r\n 230 not yet\r\n230 Logged in\r\n"},
                                   {Side::orig, "PASV\r\n"},
                                   {Side::resp, "227 Entering Passive Mode (199,233,217,249,221,90)\r\n"},
                                   {Side::orig, "size a.txt\r\n"},
                                   {Side::resp, "213 77\r\n"},
                                   {Side::orig, "RETR a.txt\r\n"},
                                   {Side::resp, "150 Opening\r\n"},
                                   {Side::resp, "226 Transfer complete\r\n"},
                                   {Side::orig, "PORT 10,0,0,1,131,46\r\nSTOR b.txt\r\n"},
                                   {Side::resp, "200 ok\r\n150 Opening b.txt (1234 bytes).\r\n226 done\r\n"},
                                   {Side::orig, "QUIT\r\n"},
                                   {Side::resp, "221 bye\r\n"}};
  test::expect_same_when_split("ftp", turns);
  ParserFlow flow("ftp");
  const auto r = played(flow, turns);
  ASSERT_EQ(r.size(), 5u);
  EXPECT_EQ(r[0].banner, "to FTP");
  EXPECT_EQ(r[0].command, "PASS");
  EXPECT_EQ(r[0].password, "me@example");
  EXPECT_EQ(r[0].arg.data(), nullptr);
  EXPECT_EQ(r[0].reply_code, 230);
  EXPECT_EQ(r[0].reply_text, "Logged in");
  EXPECT_EQ(r[1].banner.data(), nullptr);
  EXPECT_EQ(r[1].command, "PASV");
  EXPECT_EQ(r[1].data_passive, true);
  EXPECT_EQ(to_string(*r[1].data_src_ip), "10.0.0.1");
  EXPECT_EQ(to_string(*r[1].data_dst_ip), "199.233.217.249");
  EXPECT_EQ(r[1].data_dst_port, 56666);
  EXPECT_EQ(r[2].command, "RETR");
  EXPECT_EQ(r[2].arg, "a.txt");
  EXPECT_EQ(r[2].file_size, 77u);
  EXPECT_EQ(r[2].reply_code, 226);
  EXPECT_EQ(r[3].data_passive, false);
  EXPECT_EQ(to_string(*r[3].data_src_ip), "10.0.0.2");
  EXPECT_EQ(r[3].data_dst_port, 33582);
  EXPECT_EQ(r[4].command, "STOR");
  EXPECT_EQ(r[4].file_size, 1234u);
  EXPECT_TRUE(flow.oddities().empty());
}

TEST(Ftp, PasswordsOfRealUsersAreNeverKept) {
  ParserFlow flow("ftp");
  flow.play({{Side::resp, "220 FTP\r\n"},
             {Side::orig, "USER alice\r\nPASS secret\r\n"},
             {Side::resp, "331 x\r\n530 no\r\n"}});
  flow.end();
  ASSERT_EQ(flow.records<Ftp>().size(), 1u);
  for (const std::string& line : flow.lines()) EXPECT_EQ(line.find("secret"), line.npos);
  EXPECT_EQ(flow.records<Ftp>()[0].reply_code, 530);
}

TEST(Ftp, ExtendedDataConnections) {
  ParserFlow flow("ftp");
  const auto r =
      played(flow, {{Side::resp, "220 FTP\r\n"},
                    {Side::orig, "EPSV\r\nEPRT |2|2001:db8::1|5282|\r\nEPRT bogus\r\n"},
                    {Side::resp, "229 Entering Extended Passive Mode (|||6446|)\r\n200 ok\r\n501 bad\r\n"}});
  ASSERT_EQ(r.size(), 3u);
  EXPECT_EQ(to_string(*r[0].data_dst_ip), "10.0.0.2");
  EXPECT_EQ(r[0].data_dst_port, 6446);
  EXPECT_EQ(to_string(*r[1].data_dst_ip), "2001:db8::1");
  EXPECT_EQ(r[1].data_dst_port, 5282);
  EXPECT_FALSE(r[2].data_passive);
}

TEST(Ftp, AuthTlsHandsOver) {
  ParserFlow flow("ftp");
  flow.play({{Side::resp, "220 FTP\r\n"}, {Side::orig, "AUTH TLS\r\n"}, {Side::resp, "234 go\r\n"}});
  EXPECT_EQ(flow.parse, Parse::rematch);
  EXPECT_EQ(flow.records<Ftp>()[0].command, "AUTH");
}

TEST(Ftp, WhatIsPendingIsRecordedAtTheEnd) {
  ParserFlow flow("ftp");
  const auto r = played(flow, {{Side::orig, "USER bob\r\nRETR x\r\n"}});
  ASSERT_EQ(r.size(), 2u);
  EXPECT_EQ(r[0].command, "USER");
  EXPECT_EQ(r[1].command, "RETR");
  EXPECT_FALSE(r[1].reply_code);
}

TEST(Ftp, GapsAndLongLinesDoNotStopIt) {
  ParserFlow flow("ftp");
  flow.send(Side::resp, "220 FTP\r\n");
  flow.send(Side::orig, "DELE " + std::string(10'000, 'x') + "\r\nDELE a\r\n");
  flow.gap(Side::resp, 100);
  flow.send(Side::resp, "est of a reply\r\n");
  flow.send(Side::orig, "DELE b\r\n");
  flow.send(Side::resp, "250 gone\r\n");
  flow.end();
  const auto r = flow.records<Ftp>();
  ASSERT_EQ(r.size(), 3u);
  EXPECT_FALSE(r[1].reply_code);
  EXPECT_EQ(r[2].arg, "b");
  EXPECT_EQ(r[2].reply_code, 250);
  EXPECT_THAT(flow.oddities(), ElementsAre("ftp_long_line"));
}

TEST(Ftp, ReplyCodesNeedNoSpaceBehind) {
  ParserFlow flow("ftp");
  const auto r = played(flow, {{Side::resp, "220FTP\r\n"},
                               {Side::orig, "DELE a\r\nDELE b\r\n"},
                               {Side::resp, "250-one\r\n250two\r\n250 gone\r\n550none\r\n"}});
  ASSERT_EQ(r.size(), 2u);
  EXPECT_EQ(r[0].reply_text, "gone");
  EXPECT_EQ(r[1].reply_code, 550);
  EXPECT_EQ(r[1].reply_text, "none");
}

TEST(Ftp, ContentIsRecognised) {
  const ParserFlow flow("ftp");
  EXPECT_EQ(flow.match("220 (vsFTPd 3.0.3)\r\n", Side::resp), Match::yes);
  EXPECT_EQ(flow.match("220 welcome\r\n", Side::resp), Match::maybe);
  EXPECT_EQ(flow.match("220 mx ESMTP\r\n", Side::resp), Match::no);
  EXPECT_EQ(flow.match("USER bob\r\n"), Match::maybe);
  EXPECT_EQ(flow.match("GET / HTTP/1.0\r\n"), Match::no);
}

}  // namespace
}  // namespace weir
