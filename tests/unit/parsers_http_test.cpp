#include "records/http.hpp"

#include <gmock/gmock.h>

#include "parser_fixture.hpp"

namespace weir {
namespace {

using test::ParserFlow;
using test::Turn;
using testing::ElementsAre;

std::vector<Http> played(ParserFlow& flow, const std::vector<Turn>& turns) {
  flow.play(turns);
  flow.end();
  return flow.records<Http>();
}

const std::string get = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
const std::string empty_ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

TEST(Http, RequestAndResponseAreOneRecord) {
  const std::vector<Turn> turns = {
      {Side::orig,
       "POST /form?q=1 HTTP/1.1\r\nHost: WWW.Example.com:8080\r\nUser-Agent: curl/8\r\nReferer: "
       "http://r.example/\r\n"
       "Origin: http://o.example\r\nAuthorization: Basic YWxpY2U6c2VjcmV0\r\nX-Forwarded-For: "
       "10.9.8.7\r\nVia: 1.1 proxy\r\n"
       "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"},
      {Side::resp,
       "HTTP/1.1 201 Created at last\r\nServer: nginx\r\nLocation: /x\r\nContent-Type: application/json\r\n"
       "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"}};
  test::expect_same_when_split("http", turns);
  ParserFlow flow("http");
  const auto records = played(flow, turns);
  ASSERT_EQ(records.size(), 1u);
  const Http& r = records[0];
  EXPECT_EQ(r.trans_depth, 1u);
  EXPECT_EQ(r.method, "POST");
  EXPECT_EQ(r.host, "WWW.Example.com");
  EXPECT_EQ(r.host_port, 8080);
  EXPECT_EQ(r.uri, "/form?q=1");
  EXPECT_EQ(r.version, "1.1");
  EXPECT_EQ(r.user_agent, "curl/8");
  EXPECT_EQ(r.referrer, "http://r.example/");
  EXPECT_EQ(r.origin, "http://o.example");
  EXPECT_EQ(r.username, "alice");
  EXPECT_EQ(r.x_forwarded_for, "10.9.8.7");
  EXPECT_THAT(r.proxied, ElementsAre("X-FORWARDED-FOR -> 10.9.8.7", "VIA -> 1.1 proxy"));
  EXPECT_EQ(r.status_code, 201);
  EXPECT_EQ(r.status_text, "Created at last");
  EXPECT_EQ(r.server, "nginx");
  EXPECT_EQ(r.location, "/x");
  EXPECT_EQ(r.request_content_type, "text/plain");
  EXPECT_EQ(r.response_content_type, "application/json");
  EXPECT_EQ(r.response_encoding, "gzip");
  EXPECT_EQ(r.request_content_length, 5u);
  EXPECT_EQ(r.request_body_bytes, 5u);
  EXPECT_EQ(r.response_body_bytes, 3u);
  EXPECT_EQ(r.latency->ns, 1'000'000);
  EXPECT_EQ(r.user_agent.data() == nullptr, false);
}

TEST(Http, PipelinedRequestsMeetTheirResponses) {
  const std::vector<Turn> turns = {{Side::orig,
                                    "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: "
                                    "a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n"},
                                   {Side::resp,
                                    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
                                    "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"
                                    "HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n"},
                                   {Side::orig, "GET /4 HTTP/1.1\r\n\r\n"},
                                   {Side::resp,
                                    "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: "
                                    "chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: v\r\n\r\n"}};
  test::expect_same_when_split("http", turns);
  ParserFlow flow("http");
  const auto records = played(flow, turns);
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[0].uri, "/1");
  EXPECT_EQ(records[0].response_body_bytes, 2u);
  EXPECT_EQ(records[1].method, "HEAD");
  EXPECT_EQ(records[1].response_content_length, 9999u);
  EXPECT_EQ(records[1].response_body_bytes, 0u);
  EXPECT_EQ(records[2].status_code, 304);
  EXPECT_EQ(records[3].status_code, 404);
  EXPECT_EQ(records[3].response_body_bytes, 13u);
  EXPECT_EQ(records[3].trans_depth, 4u);
  EXPECT_TRUE(flow.oddities().empty());
}

TEST(Http, BodyWithoutLengthLastsToTheEnd) {
  ParserFlow flow("http");
  const auto records = played(flow, {{Side::orig, "GET / HTTP/1.0\r\n\r\n"},
                                     {Side::resp, "HTTP/1.0 200 OK\r\n\r\nHTTP/1.1 200 no header\r\n\r\n"}});
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].response_body_bytes, 26u);
}

TEST(Http, Version09HasNoHeaders) {
  ParserFlow flow("http");
  const std::vector<Turn> turns = {{Side::orig, "GET /old\r\n"}, {Side::resp, "<html>hello"}};
  test::expect_same_when_split("http", turns);
  const auto records = played(flow, turns);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].version, "0.9");
  EXPECT_EQ(records[0].uri, "/old");
  EXPECT_FALSE(records[0].status_code);
  EXPECT_EQ(records[0].response_body_bytes, 11u);
}

TEST(Http, RequestWithoutAVersionMayHaveHeaders) {
  const std::vector<Turn> turns = {{Side::orig, "GET /x\r\nHost: a.example\r\n\r\n"},
                                   {Side::resp, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"}};
  test::expect_same_when_split("http", turns);
  ParserFlow flow("http");
  const auto records = played(flow, turns);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].host, "a.example");
  EXPECT_EQ(records[0].status_code, 400);
}

TEST(Http, InterimResponseIsKeptApart) {
  ParserFlow flow("http");
  const auto records = played(
      flow, {{Side::orig, "PUT /f HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"},
             {Side::resp, "HTTP/1.1 100 Continue\r\n\r\n"},
             {Side::orig, "data"},
             {Side::resp, empty_ok}});
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].info_code, 100);
  EXPECT_EQ(records[0].info_text, "Continue");
  EXPECT_EQ(records[0].status_code, 200);
  EXPECT_EQ(records[0].request_body_bytes, 4u);
}

TEST(Http, EarlyResponseWaitsForTheRequestBody) {
  ParserFlow flow("http");
  flow.send(Side::orig, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345");
  flow.send(Side::resp, empty_ok);
  EXPECT_TRUE(flow.records<Http>().empty());
  flow.send(Side::orig, "67890" + get);
  ASSERT_EQ(flow.records<Http>().size(), 1u);
  EXPECT_EQ(flow.records<Http>()[0].request_body_bytes, 10u);
  flow.send(Side::resp, empty_ok);
  EXPECT_EQ(flow.records<Http>().size(), 2u);
}

TEST(Http, HeaderLinesMayFold) {
  const std::vector<Turn> turns = {
      {Side::orig, "GET / HTTP/1.1\r\nUser-Agent: one\r\n\ttwo\r\n  three\r\nHost : a.example \r\n\r\n"},
      {Side::resp, empty_ok}};
  test::expect_same_when_split("http", turns);
  ParserFlow flow("http");
  const auto records = played(flow, turns);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].user_agent, "one two  three");
  EXPECT_EQ(records[0].host, "a.example");
}

TEST(Http, ConnectToNoAuthorityNamesNoHost) {
  ParserFlow flow("http");
  flow.send(Side::orig, "CONNECT / HTTP/1.1\r\n\r\n");
  flow.end();
  ASSERT_EQ(flow.records<Http>().size(), 1u);
  EXPECT_EQ(flow.records<Http>()[0].host.data(), nullptr);
}

TEST(Http, ConnectAndUpgradeHandOver) {
  ParserFlow flow("http");
  flow.send(Side::orig, "CONNECT site.example:443 HTTP/1.1\r\n\r\n");
  flow.send(Side::orig, "\x16\x03\x01 early");
  flow.send(Side::resp, "HTTP/1.0 200 Connection established\r\n\r\nrest");
  EXPECT_EQ(flow.parse, Parse::rematch);
  EXPECT_EQ(flow.rest, "rest");
  ASSERT_EQ(flow.records<Http>().size(), 1u);
  EXPECT_EQ(flow.records<Http>()[0].host, "site.example");
  EXPECT_EQ(flow.records<Http>()[0].host_port, 443);

  ParserFlow refused("http");
  refused.play({{Side::orig, "CONNECT a:443 HTTP/1.1\r\n\r\n"},
                {Side::resp, "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"},
                {Side::orig, get},
                {Side::resp, empty_ok}});
  EXPECT_EQ(refused.records<Http>().size(), 2u);
  EXPECT_EQ(refused.parse, Parse::more);

  ParserFlow socket("http");
  socket.play({{Side::orig, "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"},
               {Side::resp, "HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x01x"}});
  EXPECT_EQ(socket.parse, Parse::rematch);
  EXPECT_EQ(socket.records<Http>()[0].upgrade, "websocket");
}

TEST(Http, GapInsideABodyDoesNotLoseTheNext) {
  ParserFlow flow("http");
  flow.send(Side::orig, get + get);
  flow.send(Side::resp, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789");
  flow.gap(Side::resp, 80);
  flow.send(Side::resp, "0123456789HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
  const auto records = flow.records<Http>();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].response_body_bytes, 20u);
  EXPECT_EQ(records[1].status_code, 404);
}

TEST(Http, GapInAHeaderFindsTheNextMessage) {
  ParserFlow flow("http");
  flow.send(Side::orig, get);
  flow.send(Side::resp, "HTTP/1.1 200 OK\r\nSer");
  flow.gap(Side::resp, 50);
  flow.send(Side::resp, "junk body");
  flow.send(Side::orig, "GET /second HTTP/1.1\r\nHost: b\r\n\r\n");
  flow.send(Side::resp, "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
  const auto records = flow.records<Http>();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].status_code, 200);
  EXPECT_EQ(records[1].uri, "/second");
  EXPECT_EQ(records[1].status_code, 500);
}

TEST(Http, LostResponseDoesNotShiftThePairs) {
  ParserFlow flow("http");
  flow.send(Side::orig, get);
  flow.gap(Side::resp, 500);
  flow.send(Side::orig, "GET /second HTTP/1.1\r\nHost: b\r\n\r\n");
  flow.send(Side::resp, "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
  flow.end();
  const auto records = flow.records<Http>();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_FALSE(records[0].status_code);
  EXPECT_EQ(records[1].uri, "/second");
  EXPECT_EQ(records[1].status_code, 500);
}

TEST(Http, ResponseAloneIsRecorded) {
  ParserFlow flow("http");
  const auto records = played(flow, {{Side::resp, empty_ok}});
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].method.data(), nullptr);
  EXPECT_EQ(records[0].status_code, 200);
}

TEST(Http, UnansweredRequestsAreRecordedAtTheEnd) {
  ParserFlow flow("http");
  const auto records = played(flow, {{Side::orig, get + "GET /partial HTTP/1.1\r\nHost: b\r\nUser-"}});
  ASSERT_EQ(records.size(), 2u);
  EXPECT_FALSE(records[0].status_code);
  EXPECT_EQ(records[1].uri, "/partial");
}

TEST(Http, PipelineIsBounded) {
  ParserFlow flow("http");
  for (int i = 0; i < 100; ++i) flow.send(Side::orig, get);
  EXPECT_EQ(flow.records<Http>().size(), 36u);
  EXPECT_THAT(flow.oddities(), ElementsAre("http_deep_pipeline"));
  flow.send(Side::resp, empty_ok);
  flow.end();
  EXPECT_EQ(flow.records<Http>().size(), 101u);
}

TEST(Http, LongLinesAreCut) {
  ParserFlow flow("http");
  const auto records =
      played(flow, {{Side::orig, "GET / HTTP/1.1\r\nX: " + std::string(100'000, 'x') + "\r\nHost: a\r\n\r\n"},
                    {Side::resp, empty_ok}});
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].host, "a");
  EXPECT_EQ(records[0].status_code, 200);
  EXPECT_THAT(flow.oddities(), ElementsAre("http_long_line"));
}

TEST(Http, BadFramingIsNoted) {
  ParserFlow flow("http");
  flow.play({{Side::orig, get + get},
             {Side::resp, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabc"}});
  EXPECT_THAT(flow.oddities(), ElementsAre("http_bad_content_length"));
  ParserFlow chunked("http");
  chunked.play(
      {{Side::orig, get}, {Side::resp, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}});
  EXPECT_THAT(chunked.oddities(), ElementsAre("http_bad_chunk"));
  ParserFlow bad("http");
  bad.send(Side::orig, "this is not http at all\r\n");
  EXPECT_THAT(bad.oddities(), ElementsAre("http_bad_request_line"));
  bad.send(Side::resp, "neither is this\r\n");
  EXPECT_EQ(bad.parse, Parse::malformed);
  ParserFlow answered("http");
  answered.send(Side::orig, "rubbish\r\n");
  answered.send(Side::resp, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  ASSERT_EQ(answered.records<Http>().size(), 1u);
  EXPECT_EQ(answered.records<Http>()[0].status_code, 400);
}

TEST(Http, HostComesFromTheTargetWhenThereIsNoHeader) {
  ParserFlow flow("http");
  const auto records = played(
      flow,
      {{Side::orig,
        "GET http://user@proxy.example:81/x?y HTTP/1.0\r\n\r\nGET / HTTP/1.1\r\nHost: [fd77::1]:8\r\n\r\n"}});
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].host, "proxy.example");
  EXPECT_EQ(records[0].host_port, 81);
  EXPECT_EQ(records[1].host, "fd77::1");
  EXPECT_EQ(records[1].host_port, 8);
}

TEST(Http, ContentIsRecognised) {
  const ParserFlow flow("http");
  EXPECT_EQ(flow.match("GET / HTTP/1.1\r\n"), Match::yes);
  EXPECT_EQ(flow.match("PROPFIND /a b HTTP/1.0\r\n"), Match::yes);
  EXPECT_EQ(flow.match("HTTP/1.1 200 OK\r\n", Side::resp), Match::yes);
  EXPECT_EQ(flow.match("GET /loo"), Match::maybe);
  EXPECT_EQ(flow.match("G"), Match::maybe);
  EXPECT_EQ(flow.match("HTT"), Match::maybe);
  EXPECT_EQ(flow.match("GET /\r\n"), Match::maybe);
  EXPECT_EQ(flow.match("OPTIONS sip:a@b SIP/2.0\r\n"), Match::no);
  EXPECT_EQ(flow.match("EHLO mail.example\r\n"), Match::no);
  EXPECT_EQ(flow.match("PRI * HTTP/2.0\r\n"), Match::no);
  EXPECT_EQ(flow.match("SSH-2.0-x\r\n"), Match::no);
  EXPECT_EQ(flow.match("\x16\x03\x01"), Match::no);
}

}  // namespace
}  // namespace weir
