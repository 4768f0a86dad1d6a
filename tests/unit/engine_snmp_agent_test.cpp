// How an SNMP agent is written, and what is wrong with it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/snmp_agent.hpp"

namespace weir {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(SnmpAgent, IsAUrl) {
  const SnmpAgent a = parse_snmp_agent("snmp://sec%40ret@switch1:1161").value();
  EXPECT_EQ(a.community, "sec@ret");
  EXPECT_EQ(a.host, "switch1");
  EXPECT_EQ(a.port, 1161);
  EXPECT_EQ(a.version, 2);
  EXPECT_EQ(a.label(), "switch1:1161");
  const SnmpAgent b = parse_snmp_agent("snmp://[2001:db8::1]:161?version=1").value();
  EXPECT_EQ(b.community, "public");
  EXPECT_EQ(b.host, "2001:db8::1");
  EXPECT_EQ(b.version, 1);
  EXPECT_EQ(b.label(), "2001:db8::1");
}

TEST(SnmpAgent, OfVersion3HasAUser) {
  const SnmpAgent a = parse_snmp_agent("snmp://ops@core?auth=SHA-256:password1&priv=AES:pass%26word").value();
  EXPECT_EQ(a.version, 3);
  EXPECT_EQ(a.community, "ops");
  EXPECT_EQ(a.auth, "SHA-256");
  EXPECT_EQ(a.auth_password, "password1");
  EXPECT_EQ(a.priv_password, "pass&word");
}

TEST(SnmpAgent, TakesSecretsFromElsewhere) {
  const SnmpSecrets secrets{.community = "hush", .auth_password = "password1", .priv_password = "password2"};
  EXPECT_EQ(parse_snmp_agent("snmp://switch1", secrets).value().community, "hush");
  EXPECT_EQ(parse_snmp_agent("snmp://other@switch1", secrets).value().community, "other");
  const SnmpAgent a = parse_snmp_agent("snmp://ops@core?auth=SHA-256&priv=AES", secrets).value();
  EXPECT_EQ(a.auth_password, "password1");
  EXPECT_EQ(a.priv, "AES");
  EXPECT_EQ(a.priv_password, "password2");
  EXPECT_EQ(parse_snmp_agent("snmp://ops@core?auth=SHA-256:written-here", secrets).value().auth_password,
            "written-here");
  EXPECT_THAT(parse_snmp_agent("snmp://ops@core?auth=SHA-256").error().line(),
              HasSubstr("WEIR_SNMP_AUTH_PASSWORD"));
}

TEST(SnmpAgent, SaysWhatIsWrongWithoutTheSecret) {
  const auto error = [](std::string_view text) {
    const auto agent = parse_snmp_agent(text);
    return agent ? std::string("fine") : agent.error().line();
  };
  EXPECT_THAT(error("snmp://hush@"), HasSubstr("snmp://: no host in it"));
  EXPECT_THAT(error("snmp://hush@host:99999"), HasSubstr("port 99999 is outside 1-65535"));
  EXPECT_THAT(error("snmp://hush@host:99999"), Not(HasSubstr("hush")));
  EXPECT_THAT(error("snmp://a%2@host"), HasSubstr("two hexadecimal digits"));
  EXPECT_THAT(error("snmp://a@host?version=4"), HasSubstr("no SNMP version 4"));
  EXPECT_THAT(error("snmp://a@host?auth=SHA:short"), HasSubstr("8 characters"));
  EXPECT_THAT(error("snmp://a@host?priv=AES:long enough"), HasSubstr("priv needs auth"));
  EXPECT_THAT(error("snmp://a@host?colour=red"), HasSubstr("unknown option colour"));
  EXPECT_THAT(error("snmp://a@[::1"), HasSubstr("no ]"));
}

}  // namespace
}  // namespace weir
