#include "parser_fixture.hpp"
#include "records/socks.hpp"

namespace weir {
namespace {

using test::ParserFlow;
using test::Turn;
using test::unhex;

TEST(Socks, Version5NameThenAnotherProtocol) {
  const std::vector<Turn> turns = {{Side::orig, unhex("05 01 00")},
                                   {Side::resp, unhex("05 00")},
                                   {Side::orig, unhex("05 01 00 03 0b") + "example.com" + unhex("01 bb")},
                                   {Side::resp, unhex("05 00 00 01 0a000001 1234")}};
  ParserFlow flow("socks");
  flow.play(turns);
  EXPECT_EQ(flow.parse, Parse::rematch);
  const auto records = flow.records<Socks>();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].version, 5);
  EXPECT_EQ(records[0].host, "example.com");
  EXPECT_EQ(records[0].port, 443);
  EXPECT_EQ(records[0].result, "succeeded");
  EXPECT_FALSE(records[0].ip);
  test::expect_same_when_split("socks", turns);
}

TEST(Socks, Version5UserIsKeptAndThePasswordIsNot) {
  ParserFlow flow("socks");
  flow.play({{Side::orig, unhex("05 02 00 02")},
             {Side::resp, unhex("05 02")},
             {Side::orig, unhex("01 03") + "joe" + unhex("06") + "secret"},
             {Side::resp, unhex("01 01")}});
  const auto records = flow.records<Socks>();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].user, "joe");
  EXPECT_EQ(records[0].result, "authentication_refused");
  EXPECT_EQ(flow.lines()[0].find("secret"), std::string::npos);
}

TEST(Socks, Version4aAndVersion4) {
  const std::string user = std::string("joe") + '\0';
  ParserFlow named("socks");
  named.play({{Side::orig, unhex("04 01 0050 00000001") + user + "example.org" + '\0'},
              {Side::resp, unhex("00 5a 0000 00000000")}});
  ASSERT_EQ(named.records<Socks>().size(), 1U);
  EXPECT_EQ(named.records<Socks>()[0].host, "example.org");
  EXPECT_EQ(named.parse, Parse::rematch);

  ParserFlow refused("socks");
  refused.play(
      {{Side::orig, unhex("04 01 0050 0a000005") + user}, {Side::resp, unhex("00 5b 0000 00000000")}});
  ASSERT_EQ(refused.records<Socks>().size(), 1U);
  EXPECT_EQ(refused.records<Socks>()[0].ip, *parse_addr("10.0.0.5"));
  EXPECT_EQ(refused.records<Socks>()[0].result, "rejected");
  EXPECT_EQ(refused.parse, Parse::done);
}

TEST(Socks, IsNotTakenForOtherThings) {
  const ParserFlow flow("socks");
  EXPECT_EQ(flow.match(unhex("05 01 00")), Match::yes);
  EXPECT_EQ(flow.match(unhex("05 01 00 05 01")), Match::no);
  EXPECT_EQ(flow.match(unhex("05 00 0b 03 10 00 00 00")), Match::no);  // DCE/RPC bind
  EXPECT_EQ(flow.match("GET / HTTP/1.1\r\n"), Match::no);
}

}  // namespace
}  // namespace weir
