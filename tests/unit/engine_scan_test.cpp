// Replies prove themselves, and a journal holds what a killed scan had found.
#include <gtest/gtest.h>

#include <fstream>

#include "engine/scan_journal.hpp"
#include "engine/scan_wire.hpp"
#include "packet/layer.hpp"
#include "temp_folder.hpp"

namespace weir {
namespace {

const ScanWire wire{{1, 2}, 61000};
const Time now{1'700'000'000'000'000'000};

std::optional<Reply> reply_to(Bytes packet, const ScanWire& by = wire, std::uint16_t type = 0x0800) {
  return read_reply({now + milliseconds(3), packet, type, 1, Mac{}}, by);
}

struct Ends {
  Addr us, them;
};
const Ends families[] = {{*parse_addr("192.0.2.1"), *parse_addr("198.51.100.7")},
                         {*parse_addr("2001:db8::1"), *parse_addr("2001:db8::7")}};

// What a host answers to the TCP probe in `probe`.
Bytes answer_to(const std::uint8_t* probe, const Ends& ends, std::uint8_t flags, std::uint8_t* out,
                Bytes options = {}) {
  const std::uint8_t* tcp = probe + (ends.us.is_v4() ? 20 : 40);
  TcpFields fields{.src_port = load_be16(tcp + 2),
                   .dst_port = load_be16(tcp),
                   .sequence = 77,
                   .acknowledgment = load_be32(tcp + 4) + 1,
                   .flags = flags,
                   .window = 1234,
                   .options = options};
  if (flags == tcp_flag::rst) fields.sequence = load_be32(tcp + 8), fields.acknowledgment = 0;
  return {out, write_tcp(out, {.src = ends.them, .dst = ends.us, .ttl = 57}, fields)};
}

TEST(ScanWire, TcpAnswersProveThemselves) {
  for (const Ends& ends : families) {
    std::uint8_t probe[256], out[256];
    write_tcp_probe(probe, wire, ends.us, ends.them, 443, 3, TcpProbe::syn, now);
    const std::uint32_t sent_at = static_cast<std::uint32_t>(now.ns / 1000);
    const auto byte = [&](unsigned shift) { return static_cast<std::uint8_t>(sent_at >> shift); };
    const std::uint8_t options[] = {2, 4, 5,        180,      4,       2,       8, 10, 0, 0,
                                    0, 1, byte(24), byte(16), byte(8), byte(0), 1, 3,  3, 9};
    const Bytes syn_ack = answer_to(probe, ends, tcp_flag::syn | tcp_flag::ack, out, options);
    const auto open = reply_to(syn_ack);
    ASSERT_TRUE(open);
    EXPECT_EQ(open->kind, ReplyKind::open);
    EXPECT_EQ(open->target, ends.them);
    EXPECT_EQ(open->port, (ProtoPort{IpProto::tcp, 443}));
    EXPECT_EQ(open->pass, 3U);
    EXPECT_EQ(open->answer.rtt, milliseconds(3));
    EXPECT_EQ(open->answer.mss, 1460);
    EXPECT_EQ(open->answer.ttl, 57);
    EXPECT_EQ(open->answer.tcp_options.view(), "mss,sok,ts,nop,ws9");
    // Another key, another host, one bit of the number: no proof.
    EXPECT_FALSE(reply_to(syn_ack, {{1, 3}, 61000}));
    EXPECT_FALSE(reply_to(syn_ack, {{1, 2}, 61064}));
    std::uint8_t changed[256];
    std::memcpy(changed, out, syn_ack.size());
    changed[(ends.us.is_v4() ? 20 : 40) + 11] ^= 1;
    EXPECT_FALSE(reply_to({changed, syn_ack.size()}));

    EXPECT_EQ(reply_to(answer_to(probe, ends, tcp_flag::rst | tcp_flag::ack, out))->kind, ReplyKind::closed);
    write_tcp_probe(probe, wire, ends.us, ends.them, 80, 0, TcpProbe::ack, now);
    EXPECT_EQ(reply_to(answer_to(probe, ends, tcp_flag::rst, out))->kind, ReplyKind::reset);
  }
}

TEST(ScanWire, IcmpErrorsSayWhomTheyAreAbout) {
  for (const Ends& ends : families) {
    const bool v4 = ends.us.is_v4();
    const Addr router = *parse_addr(v4 ? "203.0.113.1" : "2001:db8:1::1");
    std::uint8_t body[256]{}, out[512];
    for (const bool udp : {false, true})
      for (const Addr& from : {router, ends.them}) {
        const std::uint8_t* const end =
            udp ? write_udp_probe(body + 4, wire, ends.us, ends.them, 161, 2)
                : write_tcp_probe(body + 4, wire, ends.us, ends.them, 161, 2, TcpProbe::syn, now);
        const std::uint8_t type = v4 ? 3 : 1, code = v4 ? 3 : 4;
        const auto reply =
            reply_to({out, write_icmp(out, {.src = from, .dst = ends.us}, type, code, {body, end})});
        ASSERT_TRUE(reply);
        EXPECT_EQ(reply->kind, udp && from == ends.them ? ReplyKind::closed : ReplyKind::unreachable);
        EXPECT_EQ(reply->target, ends.them);
        EXPECT_EQ(reply->pass, 2U);
        EXPECT_EQ(reply->answer.reason.view(), "port_unreachable");
        EXPECT_EQ(reply->answer.reason_ip, from == router ? router : Addr{});
      }
  }
}

TEST(ScanWire, EchoesAndNeighbours) {
  for (const Ends& ends : families) {
    std::uint8_t probe[256], out[256];
    const std::uint8_t* const end = write_echo_probe(probe, wire, ends.us, ends.them, 1, now);
    const bool v4 = ends.us.is_v4();
    const Bytes body(probe + (v4 ? 24 : 44), end);
    const auto echo =
        reply_to({out, write_icmp(out, {.src = ends.them, .dst = ends.us}, v4 ? 0 : 129, 0, body)});
    ASSERT_TRUE(echo);
    EXPECT_EQ(echo->kind, ReplyKind::echo);
    EXPECT_EQ(echo->answer.rtt, milliseconds(3));
    EXPECT_FALSE(reply_to({out, write_icmp(out, {.src = ends.us, .dst = ends.us}, v4 ? 0 : 129, 0, body)}));
  }
  std::uint8_t frame[64];
  const Mac mac = *parse_mac("02:00:00:00:00:01");
  const Bytes asked{frame, write_arp_request(frame, mac, families[0].them, families[0].us)};
  frame[21] = 2;  // a reply
  const auto neighbour = reply_to(asked.subspan(14), wire, 0x0806);
  ASSERT_TRUE(neighbour);
  EXPECT_EQ(neighbour->target, families[0].them);
  EXPECT_EQ(neighbour->answer.mac, mac);
}

JournalEntry entry(std::uint64_t cell) {
  JournalEntry e{.cell = cell, .stage = StageKind::ports, .pass = 1, .answer = {}};
  e.answer.reason = ShortText<31>("syn_ack");
  return e;
}

TEST(ScanJournal, HoldsWhatWasFoundAndWhere) {
  const TempFolder folder;
  const std::string path = folder.file("journal");
  {
    const auto journal = *ScanJournal::create(path, "plan", "identity", 99);
    journal->progress({StageKind::ports, 2, 12'345, false});
    ASSERT_TRUE(journal->add(entry(7)));
    ASSERT_TRUE(journal->add(entry(8)));
  }
  EXPECT_EQ(ScanJournal::create(path, "plan", "identity", 99).error().code, Code::usage);
  std::ofstream(path, std::ios::binary | std::ios::app) << "cut off";
  for (int again = 0; again < 2; ++again) {
    const auto journal = *ScanJournal::resume(path);
    EXPECT_EQ(journal->plan(), "plan");
    EXPECT_TRUE(journal->identity().starts_with("identity"));
    EXPECT_EQ(journal->seed(), 99U);
    EXPECT_EQ(journal->place().stage, StageKind::ports);
    EXPECT_EQ(journal->place().pass, 2U);
    EXPECT_EQ(journal->place().done, 12'345U);
    const auto entries = journal->take_entries();
    ASSERT_EQ(entries.size(), 2U + static_cast<std::size_t>(again));
    EXPECT_EQ(entries[1].cell, 8U);
    EXPECT_EQ(entries[1].answer.reason.view(), "syn_ack");
    EXPECT_EQ(entries.back().cell, again == 0 ? 8U : 9U);  // 9: behind what was cut off
    ASSERT_TRUE(journal->add(entry(9)));
  }
}

TEST(ScanJournal, OtherFilesAreRefused) {
  const TempFolder folder;
  for (const std::string& bytes : {std::string(), std::string("hello"), std::string(10'000, 'x')})
    EXPECT_EQ(ScanJournal::resume(folder.write("other", bytes)).error().what, "is no journal of a scan");
  EXPECT_FALSE(ScanJournal::resume(folder.file("none")));
  const std::string path = folder.file("damaged");
  {
    ASSERT_TRUE(ScanJournal::create(path, "", "", 1).value()->add(entry(1)));
  }
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(4096 + 8);
  file.put('\x7f');  // no such stage
  file.close();
  EXPECT_EQ(ScanJournal::resume(path).error().what, "is damaged");
}

}  // namespace
}  // namespace weir
