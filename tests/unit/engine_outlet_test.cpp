// Batches of several threads into one sink.
#include <gtest/gtest.h>

#include <thread>

#include "engine/outlet.hpp"
#include "records/flow.hpp"
#include "records/stat.hpp"

namespace weir {
namespace {

class ListSink final : public Sink {
 public:
  explicit ListSink(std::size_t room = ~std::size_t{0}) : room_(room) {}
  void encode(const RecordType& type, const void* record, std::string& out) const override {
    if (&type == &record_type<Flow>())
      out += "flow " + std::to_string(static_cast<const Flow*>(record)->bytes) + "\n";
    else
      out += "stat\n";
  }
  Result<void> consume(const RecordType&, const void*, std::string_view encoded) override {
    if (text.size() + encoded.size() > room_) return fail(Code::environment, "no space left", "list");
    text += encoded;
    return {};
  }
  Result<void> flush() override { return {}; }
  Result<void> close() override { return {}; }

  std::string text;

 private:
  const std::size_t room_;
};

void add_flow(Delivery& delivery, std::uint64_t bytes) {
  const Flow flow{.bytes = bytes, .packets = 2};
  delivery.batch.add(record_type<Flow>(), &flow, {});
}

TEST(Outlet, WritesSoManyFlowsAndAllElse) {
  ListSink sink;
  Outlet outlet(sink, 3);
  Delivery delivery;
  add_flow(delivery, 1);
  add_flow(delivery, 2);
  EXPECT_TRUE(outlet.deliver(delivery, true));
  add_flow(delivery, 3);
  add_flow(delivery, 4);
  const Stat stat{};
  delivery.batch.add(record_type<Stat>(), &stat, {});
  EXPECT_FALSE(outlet.deliver(delivery, true));
  EXPECT_EQ(sink.text, "flow 1\nflow 2\nflow 3\nstat\n");
  EXPECT_EQ(outlet.records(), 4U);
  EXPECT_EQ(outlet.flows(), 3U);
  EXPECT_EQ(outlet.bytes(), 6U);
  EXPECT_EQ(outlet.packets(), 6U);
}

TEST(Outlet, KeepsTheFirstFailure) {
  ListSink sink(8);
  Outlet outlet(sink);
  Delivery delivery;
  add_flow(delivery, 1);
  EXPECT_TRUE(outlet.deliver(delivery, true));
  add_flow(delivery, 2);
  EXPECT_FALSE(outlet.deliver(delivery, true));
  EXPECT_EQ(outlet.result().error().what, "no space left");
  EXPECT_EQ(sink.text, "flow 1\n");
}

TEST(OutletThreads, ShareOneSinkByWholeBatches) {
  ListSink sink;
  Outlet outlet(sink);
  constexpr unsigned threads = 4, batches = 500;
  std::vector<std::thread> running;
  for (unsigned t = 0; t < threads; ++t)
    running.emplace_back([&, t] {
      Delivery delivery;
      for (unsigned i = 0; i < batches; ++i) {
        add_flow(delivery, t);
        add_flow(delivery, t);
        outlet.deliver(delivery, false);
      }
    });
  for (std::thread& t : running) t.join();
  EXPECT_EQ(outlet.flows(), std::uint64_t{threads} * batches * 2);
  ASSERT_EQ(sink.text.size(), std::size_t{threads} * batches * 14);
  for (std::size_t at = 0; at < sink.text.size(); at += 14)
    ASSERT_EQ(sink.text.substr(at, 7), sink.text.substr(at + 7, 7));
}

}  // namespace
}  // namespace weir
