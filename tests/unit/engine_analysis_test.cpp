// What the engine makes of a flow's bytes beyond what one parser does.
#include <gtest/gtest.h>

#include "engine/pipeline.hpp"
#include "engine/record_types.hpp"
#include "packet_bytes.hpp"
#include "records/http.hpp"

namespace weir::test {
namespace {

// Raw IP packets, a millisecond apart.
class Packets final : public PacketSource {
 public:
  explicit Packets(std::vector<Octets> packets) : packets_(std::move(packets)) {}

  Result<bool> read(PacketSlice& slice, std::size_t) override {
    const std::size_t before = next_;
    for (; next_ < packets_.size(); ++next_) {
      const auto size = static_cast<std::uint32_t>(packets_[next_].size());
      slice.packets.push_back({Time{1'700'000'000'000'000'000 + static_cast<std::int64_t>(next_) * 1'000'000},
                               packets_[next_].data(), size, size, 101, 0});
    }
    return next_ != before;
  }
  const std::vector<Damage>& damages() const override { return damages_; }
  std::uint64_t bytes_read() const noexcept override { return 0; }
  std::uint64_t bytes_total() const noexcept override { return 0; }

 private:
  std::vector<Octets> packets_;
  std::vector<Damage> damages_;
  std::size_t next_ = 0;
};

// f(type, record) for every record of the packets.
template <class F>
void read(std::vector<Octets> packets, F&& f) {
  Plan plan;
  for (const RecordType* type : record_types()) plan.wants[type->id].wanted = true;
  choose_parsers(plan);
  Packets source(std::move(packets));
  const std::atomic<bool> stop{false};
  EXPECT_TRUE(run(plan, source, nullptr, nullptr, std::forward<F>(f), {}, stop).has_value());
}

// The names of the records that come, in order; flows and packets aside.
std::string records_of(std::vector<Octets> packets) {
  std::string names;
  read(std::move(packets), [&](const RecordType& type, const void*) {
    if (type.name != "flow" && type.name != "packet" && type.name != "stat")
      names += std::string(type.name) + " ";
  });
  return names;
}

Octets segment(std::size_t sequence, std::string_view data) {
  return ip4(6, be16(50000) + be16(80) + be32(sequence) + be32(1) + hex("5018 2000 0000 0000") + text(data));
}

const Octets snmp =
    hex("3026 020101 0406 7075626c6963 a019 0204 00000001 020100 020100 300b 3009 0605 2b06010201 0500");
const Octets dns = hex("1234 0100 0001 0000 0000 0000 01 61 04 74657374 00 0001 0001");

TEST(Analysis, DatagramsOfAnotherProtocolAreRecognisedAnew) {
  EXPECT_EQ(records_of({ip4(17, udp(50000, 53, snmp)), ip4(17, udp(50000, 53, dns))}), "snmp dns ");
}

TEST(Analysis, DatagramsOfNoProtocolAreMalformed) {
  EXPECT_EQ(records_of({ip4(17, udp(50000, 53, dns)), ip4(17, udp(50000, 53, hex("00")))}), "oddity dns ");
}

TEST(Analysis, BytesHeldBackKeepTheTimeTheyCame) {
  std::vector<std::int64_t> times;
  read({segment(1, "G"), segment(2, "ET /held HTTP/1.1\r\nHost: a.test\r\n\r\n"),
        segment(37, "GET /next HTTP/1.1\r\nHost: a.test\r\n\r\n")},
       [&](const RecordType& type, const void* record) {
         if (&type == &record_type<Http>())
           times.push_back(static_cast<const Http*>(record)->time.ns % 1'000'000'000);
       });
  EXPECT_EQ(times, (std::vector<std::int64_t>{0, 2'000'000}));
}

}  // namespace
}  // namespace weir::test
