// Decoders by exporter: bounds, counts, the oddity limiter, saved state; from several threads.
#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "engine/exporters.hpp"
#include "records/flow.hpp"
#include "records/oddity.hpp"
#include "records/stat.hpp"

namespace weir {
namespace {

// "TEST" and a byte: 'f' makes a flow whose domain is the number of messages so far, 't' learns something,
// 'o' is odd.
class TestDecoder final : public ExportDecoder {
 public:
  void message(ExportContext& context, Bytes bytes) override {
    context.add(ExportCount::messages);
    ++messages_;
    if (bytes[4] == 'o') context.oddity("test_odd", "o");
    if (bytes[4] == 't') changed_ = true;
    if (bytes[4] != 'f') return;
    context.add(ExportCount::flows);
    Flow flow{.time = context.received, .bytes = 10, .packets = 1};
    flow.domain = messages_;
    flow.exporter = context.exporter;
    context.out.emit(flow);
  }
  bool take_changed() noexcept override { return std::exchange(changed_, false); }
  void save(std::vector<std::uint8_t>& out) const override {
    out.push_back(static_cast<std::uint8_t>(messages_));
  }
  void restore(Bytes state) override {
    if (!state.empty()) messages_ = state[0];
  }

 private:
  std::uint32_t messages_ = 0;
  bool changed_ = false;
};

constexpr RecordTypeOf records[] = {record_type<Flow>};
constexpr CollectorSpec test_spec{
    .name = "test",
    .doc = "For tests",
    .port = 1,
    .recognises = [](Bytes b) { return b.size() == 5 && as_text(b.first(4)) == "TEST"; },
    .framed = nullptr,
    .make = []() -> std::unique_ptr<ExportDecoder> { return std::make_unique<TestDecoder>(); },
    .records = records};
const Registrar<CollectorSpec> registered{test_spec};

struct MemoryStore final : ExportStateStore {
  std::map<std::pair<Addr, std::string>, std::vector<std::uint8_t>> states;
  std::vector<std::uint8_t> load(const Addr& exporter, std::string_view protocol) override {
    const auto it = states.find({exporter, std::string(protocol)});
    return it == states.end() ? std::vector<std::uint8_t>{} : it->second;
  }
  void store(const Addr& exporter, std::string_view protocol, Bytes state) override {
    states[{exporter, std::string(protocol)}].assign(state.begin(), state.end());
  }
};

Addr address(unsigned n) {
  const std::uint8_t four[] = {10, static_cast<std::uint8_t>(n >> 16), static_cast<std::uint8_t>(n >> 8),
                               static_cast<std::uint8_t>(n)};
  return Addr::v4(four);
}
constexpr Time start{1'700'000'000'000'000'000};
Sender from(unsigned n, Time at = start) {
  return {.address = address(n), .port = 9, .received = at};
}

Emitter::Wants everything() {
  Emitter::Wants wants{};
  for (const RecordType* type : {&record_type<Flow>(), &record_type<Oddity>(), &record_type<Stat>()})
    wants[type->id].wanted = true;
  return wants;
}

class ExportersTest : public ::testing::Test {
 protected:
  // Records of type R made so far.
  template <class R>
  std::vector<R> made() const {
    std::vector<R> all;
    for (const Batch::Entry& e : batch.entries())
      if (e.type == &record_type<R>()) all.push_back(*static_cast<const R*>(e.record));
    return all;
  }
  void send(Exporters& exporters, const Sender& sender, std::string_view text) {
    exporters.datagram(sender, as_bytes(text), out);
  }

  const Emitter::Wants wants = everything();
  Batch batch;
  Emitter out{wants, batch};
};

TEST_F(ExportersTest, KeepOneDecoderForEachAddressWhateverThePort) {
  Exporters exporters;
  Sender other_port = from(1);
  other_port.port = 1000;
  send(exporters, from(1), "TESTf");
  send(exporters, from(2), "TESTf");
  send(exporters, other_port, "TESTf");
  const auto flows = made<Flow>();
  ASSERT_EQ(flows.size(), 3U);
  EXPECT_EQ(flows[1].domain, 1U);
  EXPECT_EQ(flows[2].domain, 2U);
  EXPECT_EQ(exporters.totals().exporters, 2U);
}

TEST_F(ExportersTest, ForgetWhoWasSilentLongestAndKeepTheCounts) {
  Exporters exporters({.most = 3});
  for (const unsigned n : {1U, 2U, 3U, 1U, 4U}) send(exporters, from(n), "TESTf");
  send(exporters, from(1), "TESTf");
  EXPECT_EQ(made<Flow>().back().domain, 3U) << "1 was heard of after 2 and must still be known";
  send(exporters, from(2), "TESTf");
  EXPECT_EQ(made<Flow>().back().domain, 1U) << "2 was forgotten";
  const ExporterTotals totals = exporters.totals();
  EXPECT_EQ(totals.exporters, 3U);
  EXPECT_EQ(totals.forgotten, 2U);
  EXPECT_EQ(totals[ExportCount::flows], 7U);
  exporters.stats(start, out);
  std::uint64_t flows = 0;
  for (const Stat& s : made<Stat>())
    if (s.name == "export_flows") flows += s.value;
  EXPECT_EQ(flows, 7U);
}

TEST_F(ExportersTest, DoNotGrowWithForgedAddresses) {
  Exporters exporters({.most = 10, .most_strangers = 5});
  for (unsigned n = 0; n < 5000; ++n) {
    send(exporters, from(n), "TESTt");
    send(exporters, from(n), "who knows");
  }
  exporters.stats(start, out);
  std::map<std::string_view, std::size_t> by_name;
  for (const Stat& s : made<Stat>()) ++by_name[s.name];
  EXPECT_EQ(by_name["export_messages"], 11U) << "10 and what was forgotten";
  EXPECT_EQ(by_name["export_unrecognised"], 5U);
  EXPECT_EQ(exporters.totals().unrecognised, 5000U);
}

TEST_F(ExportersTest, TellAnOddityOnceAMinute) {
  Exporters exporters;
  for (int second = 0; second < 130; ++second) send(exporters, from(1, start + seconds(second)), "TESTo");
  send(exporters, from(2, start), "TESTo");
  send(exporters, from(1, start), "TEST");
  const auto told = made<Oddity>();
  ASSERT_EQ(told.size(), 5U);
  EXPECT_EQ(told[1].time, start + seconds(60));
  EXPECT_EQ(told[2].time, start + seconds(120));
  EXPECT_EQ(told[0].name, "test_odd");
  EXPECT_EQ(told[0].source, "test");
  EXPECT_EQ(told[0].src_ip, address(1));
  EXPECT_EQ(told[3].src_ip, address(2));
  EXPECT_EQ(told[4].name, "unknown_protocol");
  EXPECT_EQ(exporters.totals().oddities_limited, 127U);
}

TEST_F(ExportersTest, GiveNewDecodersTheirSavedState) {
  MemoryStore store;
  {
    Exporters exporters({.store = &store});
    send(exporters, from(1), "TESTf");
    exporters.save();
    EXPECT_TRUE(store.states.empty()) << "nothing has changed";
    send(exporters, from(1), "TESTt");
    exporters.save();
    EXPECT_EQ(store.states.size(), 1U);
  }
  Exporters exporters({.store = &store});
  send(exporters, from(1), "TESTf");
  EXPECT_EQ(made<Flow>().back().domain, 3U);
}

TEST_F(ExportersTest, SaveWhoIsForgotten) {
  MemoryStore store;
  Exporters exporters({.most = 1, .store = &store});
  send(exporters, from(1), "TESTt");
  send(exporters, from(2), "TESTf");
  EXPECT_EQ(store.states.count({address(1), "test"}), 1U);
}

TEST(ExportersThreads, LoseNoCountWhileExportersAreForgotten) {
  Exporters exporters({.most = 4});
  constexpr unsigned threads = 4, each = 20'000;
  const Emitter::Wants wants = everything();
  std::vector<std::thread> running;
  for (unsigned t = 0; t < threads; ++t)
    running.emplace_back([&, t] {
      Batch batch;
      Emitter out(wants, batch);
      for (unsigned i = 0; i < each; ++i) {
        exporters.datagram(from((i * (t + 1)) % 7), as_bytes("TESTf"), out);
        if (i % 1000 != 0) continue;
        exporters.stats(start, out);
        exporters.save();
        batch.clear();
        out.into(batch);
      }
    });
  for (std::thread& t : running) t.join();
  EXPECT_EQ(exporters.totals()[ExportCount::flows], threads * each);
}

}  // namespace
}  // namespace weir
