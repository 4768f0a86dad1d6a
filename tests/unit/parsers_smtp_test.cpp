#include "records/smtp.hpp"

#include <gmock/gmock.h>

#include "parser_fixture.hpp"

namespace weir {
namespace {

using test::ParserFlow;
using test::Turn;
using testing::ElementsAre;

std::vector<Smtp> played(ParserFlow& flow, const std::vector<Turn>& turns) {
  flow.play(turns);
  flow.end();
  return flow.records<Smtp>();
}

const std::string mail =
    "Received: from relay.example (relay.example [192.0.2.7])\r\n\tby mx.example; Mon, 1 Jan 2026\r\n"
    "Received: from pc ([IPv6:2001:db8::9]) by relay.example\r\n"
    "Date: Mon, 1 Jan 2026 00:00:00 +0000\r\nFrom: Alice <alice@a.example>\r\n"
    "To: \"Bob, the\" <bob@b.example>, carol@c.example\r\nCc: dave@d.example\r\nReply-To: "
    "alice2@a.example\r\n"
    "Message-ID: <1@a.example>\r\nIn-Reply-To: <0@b.example>\r\nSubject: two\r\n lines\r\nX-Mailer: "
    "swaks\r\n\r\n"
    "Body\r\n..stuffed\r\nSubject: not this\r\n";

const std::vector<Turn> session = {{Side::resp, "220-mx.example ESMTP Postfix\r\n220 welcome\r\n"},
                                   {Side::orig, "EHLO pc.example\r\n"},
                                   {Side::resp, "250-mx.example\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n"},
                                   {Side::orig, "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n"},
                                   {Side::resp, "235 2.7.0 ok\r\n"},
                                   {Side::orig,
                                    "MAIL FROM:<alice@a.example> SIZE=100\r\nRCPT TO:<bob@b.example>\r\nRCPT "
                                    "TO: carol@c.example\r\nDATA\r\n"},
                                   {Side::resp, "250 ok\r\n250 ok\r\n250 ok\r\n354 go on\r\n"},
                                   {Side::orig, mail + ".\r\nMAIL FROM:<>\r\nRCPT TO:<x@y.example>\r\n"},
                                   {Side::resp, "250 2.0.0 queued as 1\r\n250 ok\r\n550 no such user\r\n"},
                                   {Side::orig, "RSET\r\nQUIT\r\n"},
                                   {Side::resp, "250 ok\r\n221 bye\r\n"}};

TEST(Smtp, EachMailIsOneRecord) {
  test::expect_same_when_split("smtp", session);
  ParserFlow flow("smtp");
  const auto records = played(flow, session);
  ASSERT_EQ(records.size(), 2u);
  const Smtp& m = records[0];
  EXPECT_EQ(m.trans_depth, 1u);
  EXPECT_EQ(m.banner, "mx.example ESMTP Postfix");
  EXPECT_EQ(m.helo, "pc.example");
  EXPECT_EQ(m.auth, "PLAIN");
  EXPECT_EQ(m.username, "alice");
  EXPECT_EQ(m.mailfrom, "alice@a.example");
  EXPECT_THAT(m.rcptto, ElementsAre("bob@b.example", "carol@c.example"));
  EXPECT_EQ(m.date, "Mon, 1 Jan 2026 00:00:00 +0000");
  EXPECT_EQ(m.from, "Alice <alice@a.example>");
  EXPECT_THAT(m.to, ElementsAre("\"Bob, the\" <bob@b.example>", "carol@c.example"));
  EXPECT_THAT(m.cc, ElementsAre("dave@d.example"));
  EXPECT_EQ(m.reply_to, "alice2@a.example");
  EXPECT_EQ(m.msg_id, "<1@a.example>");
  EXPECT_EQ(m.in_reply_to, "<0@b.example>");
  EXPECT_EQ(m.subject, "two lines");
  EXPECT_EQ(m.user_agent, "swaks");
  EXPECT_EQ(m.first_received,
            "from relay.example (relay.example [192.0.2.7]) by mx.example; Mon, 1 Jan 2026");
  EXPECT_EQ(m.second_received, "from pc ([IPv6:2001:db8::9]) by relay.example");
  ASSERT_EQ(m.path.size(), 4u);
  EXPECT_EQ(to_string(m.path[2]), "192.0.2.7");
  EXPECT_EQ(to_string(m.path[3]), "2001:db8::9");
  EXPECT_EQ(m.last_reply_code, 250);
  EXPECT_EQ(m.last_reply, "2.0.0 queued as 1");
  EXPECT_EQ(m.mail_bytes, mail.size());
  EXPECT_FALSE(m.tls);
  EXPECT_EQ(records[1].mailfrom, "");
  EXPECT_NE(records[1].mailfrom.data(), nullptr);
  EXPECT_THAT(records[1].rcptto, ElementsAre("x@y.example"));
  EXPECT_TRUE(flow.oddities().empty());
}

TEST(Smtp, ChunksCarryMailsWithoutADot) {
  const std::string chunk = "Subject: chunked\r\n\r\n.\r\nMAIL";
  const std::vector<Turn> turns = {
      {Side::resp, "220 mx ESMTP\r\n"},
      {Side::orig, "EHLO a\r\nMAIL FROM:<a@a>\r\nRCPT TO:<b@b>\r\nBDAT " + std::to_string(chunk.size()) +
                       "\r\n" + chunk + "BDAT 2 LAST\r\n\r\nQUIT\r\n"},
      {Side::resp, "250 a\r\n250 b\r\n250 c\r\n250 d\r\n250 done\r\n221 bye\r\n"}};
  test::expect_same_when_split("smtp", turns);
  ParserFlow flow("smtp");
  const auto records = played(flow, turns);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].subject, "chunked");
  EXPECT_EQ(records[0].mail_bytes, chunk.size() + 2);
  EXPECT_EQ(records[0].last_reply, "done");
}

TEST(Smtp, RefusedDataIsNotReadAsAMail) {
  ParserFlow flow("smtp");
  const auto records = played(flow, {{Side::resp, "220 mx ESMTP\r\n"},
                                     {Side::orig, "HELO a\r\nMAIL FROM:<a@a>\r\nDATA\r\n"},
                                     {Side::resp, "250 a\r\n250 b\r\n503 no recipients\r\n"},
                                     {Side::orig, "MAIL FROM:<b@b>\r\n"},
                                     {Side::resp, "250 ok\r\n"}});
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].last_reply_code, 503);
  EXPECT_EQ(records[1].mailfrom, "b@b");
}

TEST(Smtp, StarttlsHandsOver) {
  ParserFlow flow("smtp");
  flow.play({{Side::resp, "220 mx ESMTP\r\n"},
             {Side::orig, "EHLO a\r\n"},
             {Side::resp, "250 STARTTLS\r\n"},
             {Side::orig, "STARTTLS\r\n"},
             {Side::resp, "220 2.0.0 go\r\n"}});
  EXPECT_EQ(flow.parse, Parse::rematch);
  flow.end();
  const auto records = flow.records<Smtp>();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_TRUE(records[0].tls);
  EXPECT_EQ(records[0].helo, "a");
}

TEST(Smtp, FailedLoginsAreOneRecord) {
  ParserFlow flow("smtp");
  const auto records = played(flow, {{Side::resp, "220 mx ESMTP\r\n"},
                                     {Side::orig, "EHLO a\r\n"},
                                     {Side::resp, "250 ok\r\n"},
                                     {Side::orig, "AUTH LOGIN\r\n"},
                                     {Side::resp, "334 VXNlcm5hbWU6\r\n"},
                                     {Side::orig, "Ym9i\r\n"},
                                     {Side::resp, "334 UGFzc3dvcmQ6\r\n"},
                                     {Side::orig, "c2VjcmV0\r\n"},
                                     {Side::resp, "535 no\r\n"},
                                     {Side::orig, "QUIT\r\n"}});
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].username, "bob");
  EXPECT_EQ(records[0].last_reply_code, 535);
  EXPECT_EQ(records[0].mailfrom.data(), nullptr);
}

TEST(Smtp, GapInABodyStillFindsItsEnd) {
  ParserFlow flow("smtp");
  flow.play({{Side::resp, "220 mx ESMTP\r\n"},
             {Side::orig, "HELO a\r\nMAIL FROM:<a@a>\r\nDATA\r\n"},
             {Side::resp, "250 a\r\n250 b\r\n354 go\r\n"},
             {Side::orig, "Subject: s\r\nX"}});
  flow.gap(Side::orig, 1000);
  flow.send(Side::orig, ".\r\nmore\r\n.\r\nMAIL FROM:<b@b>\r\n");
  flow.end();
  const auto records = flow.records<Smtp>();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].subject, "s");
  EXPECT_EQ(records[1].mailfrom, "b@b");
}

TEST(Smtp, BoundsAreKept) {
  ParserFlow flow("smtp");
  flow.send(Side::orig, "HELO a\r\nMAIL FROM:<a@a>\r\n");
  for (int i = 0; i < 300; ++i) flow.send(Side::orig, "RCPT TO:<b@b>\r\n");
  flow.send(Side::orig, "NOOP " + std::string(10'000, 'x') + "\r\nDATA\r\n");
  flow.send(Side::orig, "X: " + std::string(100'000, 'y') + "\r\n\r\n");
  flow.end();
  ASSERT_EQ(flow.records<Smtp>().size(), 1u);
  EXPECT_EQ(flow.records<Smtp>()[0].rcptto.size(), 256u);
  EXPECT_THAT(flow.oddities(), ElementsAre("smtp_many_recipients", "smtp_long_line", "smtp_long_header"));
}

TEST(Smtp, ContentIsRecognised) {
  const ParserFlow flow("smtp");
  EXPECT_EQ(flow.match("220 mx.example ESMTP Postfix\r\n", Side::resp), Match::yes);
  EXPECT_EQ(flow.match("220 mx.example ready\r\n", Side::resp), Match::maybe);
  EXPECT_EQ(flow.match("220 (vsFTPd 3.0.3)\r\n", Side::resp), Match::no);
  EXPECT_EQ(flow.match("EHLO a\r\n"), Match::yes);
  EXPECT_EQ(flow.match("EH"), Match::maybe);
  EXPECT_EQ(flow.match("GET / HTTP/1.0\r\n"), Match::no);
}

}  // namespace
}  // namespace weir
