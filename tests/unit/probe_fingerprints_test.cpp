// The fingerprints that are built in: each with the example in its file. Hostile answers end.
#include "probe/fingerprints.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace weir {
namespace {

using testing::HasSubstr;

const Conversation* find_conversation(const Fingerprints& all, std::string_view name) {
  for (const Conversation& c : all.conversations())
    if (c.name == name) return &c;
  return nullptr;
}

// The conversation an example is an answer to.
std::string first_conversation(const Fingerprint& f) {
  return f.answer_to.front();
}
IpProto proto_of(const Fingerprints& all, std::string_view name) {
  const Conversation* c = find_conversation(all, name);
  return c == nullptr ? IpProto::tcp : c->proto;
}

TEST(ServiceFingerprints, AreRead) {
  const auto all = Fingerprints::read(Fingerprints::built_in_files());
  ASSERT_TRUE(all.has_value()) << all.error().line();
  std::set<std::string> services;
  for (const Fingerprint& f : all->fingerprints()) services.insert(f.identity.service);
  EXPECT_GE(services.size(), 80U);
}

// Each example gives what is written beside it, and what is not written is written nowhere in the
// fingerprint, or written there without groups.
TEST(ServiceFingerprints, WorkedExamples) {
  const Fingerprints& all = Fingerprints::built_in();
  for (const Fingerprint& f : all.fingerprints()) {
    SCOPED_TRACE(f.where);
    const std::string name = first_conversation(f);
    const auto got = all.identify(name, proto_of(all, name), as_bytes(f.example.answer));
    ASSERT_TRUE(got.has_value()) << "its own example does not match";
    EXPECT_EQ(got->service, f.identity.service);
    EXPECT_EQ(got->confidence, f.identity.confidence) << "another one is preferred";
    const auto same = [](std::string_view key, const std::string& value, const std::string& expected,
                         const std::string& pattern) {
      const bool stated = !expected.empty() || pattern.find('$') != pattern.npos;
      EXPECT_EQ(value, stated ? expected : pattern) << key;
    };
    const Identity& want = f.example.identity;
    same("product", got->product, want.product, f.identity.product);
    same("version", got->version, want.version, f.identity.version);
    same("info", got->info, want.info, f.identity.info);
    same("os", got->os, want.os, f.identity.os);
    same("hostname", got->hostname, want.hostname, f.identity.hostname);
    same("device", got->device, want.device, f.identity.device);
    if (!want.cpe.empty()) {
      EXPECT_EQ(got->cpe, want.cpe);
    }
    for (const std::string& cpe : got->cpe) EXPECT_TRUE(cpe.starts_with("cpe:/")) << cpe;
  }
}

// An example that is cut anywhere is no crash, and never claims more than the whole.
TEST(ServiceFingerprints, CutAnswersAreAnswers) {
  const Fingerprints& all = Fingerprints::built_in();
  for (const Fingerprint& f : all.fingerprints()) {
    const std::string name = first_conversation(f);
    const std::string_view answer = f.example.answer;
    for (std::size_t size = 0; size < answer.size(); size += 1 + answer.size() / 16)
      all.identify(name, proto_of(all, name), as_bytes(answer.substr(0, size)));
  }
}

// Runs of the characters that patterns repeat over: without limits some of these would not end.
TEST(ServiceFingerprints, HostileAnswersEnd) {
  const Fingerprints& all = Fingerprints::built_in();
  std::vector<std::string> answers;
  constexpr std::string_view pieces[] = {"a",
                                         "\r\n",
                                         " ",
                                         "\xff\xfb\x01",
                                         "0.",
                                         "220 a ESMTP ",
                                         "HTTP/1.1 200 \r\nServer: ",
                                         "<title>",
                                         {"\x00\x01", 2},
                                         "{\"name\":\"",
                                         "we\x84",
                                         "* OK "};
  for (const std::string_view piece : pieces) {
    std::string answer;
    while (answer.size() < 60'000) answer += piece;
    answers.push_back(answer);
    answers.push_back("HTTP/1.1 200 OK\r\nX: 1\r\n\r\n" + answer);
  }
  for (const std::string& answer : answers)
    for (const Conversation& c : all.conversations()) all.identify(c.name, c.proto, as_bytes(answer));
}

TEST(ServiceFingerprints, TcpAnswersAreComparedWithBanners) {
  const Fingerprints& all = Fingerprints::built_in();
  const std::string_view banner = "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n";
  const auto late = all.identify("http", IpProto::tcp, as_bytes(banner));
  ASSERT_TRUE(late.has_value());
  EXPECT_EQ(late->product, "OpenSSH");
  EXPECT_FALSE(all.identify("dns", IpProto::udp, as_bytes(banner)).has_value());
}

Result<Fingerprints> read(std::string_view text) {
  const FingerprintFile file{"mine.yaml", text};
  return Fingerprints::read(std::span(&file, 1));
}

constexpr std::string_view good = R"(source: own
conversations:
  - {name: hello, transport: tcp, ports: [7000, 7001], send: 'hi\x00\r\n'}
fingerprints:
  - service: hello
    answer_to: hello
    pattern: '^hello (\S+) (.)'
    product: Hello
    version: $1.${2:u8}
    cpe: 'a:x:hello world:$1'
    confidence: 90
    example: {answer: 'hello 2 A', version: '2.65'}
)";

TEST(ServiceFingerprints, OwnFiles) {
  const auto mine = read(good);
  ASSERT_TRUE(mine.has_value()) << mine.error().line();
  ASSERT_EQ(mine->conversations().size(), 1U);
  const Conversation& c = mine->conversations().front();
  EXPECT_EQ(c.ports, (std::vector<std::uint16_t>{7000, 7001}));
  ASSERT_EQ(c.send.size(), 1U);
  EXPECT_EQ(c.send.front(), std::string("hi\0\r\n", 5));
  const auto got = mine->identify("hello", IpProto::tcp, as_bytes("hello 1:2/3 \x01"));
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->version, "1:2/3.1");
  EXPECT_EQ(got->cpe, std::vector<std::string>{"cpe:/a:x:hello_world:1%3a2%2f3"});
}

// A version that would be half a version is none.
TEST(ServiceFingerprints, GroupsWithoutAPart) {
  const auto mine = read(R"(source: own
fingerprints:
  - {service: s, answer_to: banner, pattern: '^s(?: v(\S+))?', product: P, version: 'v $1', cpe: 'a:p:p:$1',
     confidence: 50, example: {answer: s}}
)");
  ASSERT_TRUE(mine.has_value()) << mine.error().line();
  const auto got = mine->identify("banner", IpProto::tcp, as_bytes("s"));
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->version, "");
  EXPECT_EQ(got->cpe, std::vector<std::string>{"cpe:/a:p:p"});
}

TEST(ServiceFingerprints, MistakesInOneLine) {
  const auto with = [](std::string_view from, std::string_view to) {
    std::string text(good);
    text.replace(text.find(from), from.size(), to);
    const auto result = read(text);
    return result ? "no error" : result.error().line();
  };
  EXPECT_EQ(with("ports: [7000", "ports: [70000"), "mine.yaml:3:43: port 70000 is outside 0-65535");
  EXPECT_EQ(with("product:", "prodct:"), "mine.yaml:8:5: unknown key \"prodct\" (did you mean product?)");
  EXPECT_THAT(with("'^hello (", "'^hello (("), HasSubstr("mine.yaml:7:14: pattern, character"));
  EXPECT_THAT(with("$1.${2:u8}", "$0"), HasSubstr("mine.yaml:9:14: after $ comes a group's number"));
  EXPECT_THAT(with("$1.${2:u8}", "${2:u9}"), HasSubstr("after $ comes"));
  EXPECT_THAT(with("$1.${2:u8}", "${2:u8"), HasSubstr("after $ comes"));
  EXPECT_THAT(with("confidence: 90", "confidence: 101"), HasSubstr("1 to 100 percent"));
  EXPECT_THAT(with("hi\\x00", "hi\\xg0"), HasSubstr("a backslash is followed by"));
  EXPECT_THAT(with("hi\\x00\\r\\n", "hi\\"), HasSubstr("a backslash is followed by"));
  EXPECT_THAT(with("answer_to: hello", "answer_to: hallo"), HasSubstr("there is no conversation \"hallo\""));
  EXPECT_THAT(with("source: own", ""), HasSubstr("has no \"source\""));
  EXPECT_THAT(with("{answer: 'hello 2 A', version: '2.65'}", "{version: '2'}"),
              HasSubstr("has no \"answer\""));
  EXPECT_THAT(with("fingerprints:\n", "fingerprints: [\n"), HasSubstr("is not YAML"));
  EXPECT_FALSE(read("").has_value());
  EXPECT_FALSE(read("[]").has_value());
}

}  // namespace
}  // namespace weir
