// Exporters that send by TCP: messages in pieces, several at once, bounds, silence.
#include <gtest/gtest.h>
#include <poll.h>

#include "engine/export_streams.hpp"
#include "records/flow.hpp"
#include "records/oddity.hpp"

namespace weir {
namespace {

// "STREAM", the length of the whole message in one byte, and 9 or more bytes: a flow with the decoder's
// number of messages as its domain.
class StreamDecoder final : public ExportDecoder {
 public:
  void message(ExportContext& context, Bytes bytes) override {
    context.add(ExportCount::messages);
    Flow flow{.bytes = bytes.size()};
    flow.domain = ++messages_;
    flow.direction = context.stream ? "stream" : "datagram";
    context.out.emit(flow);
  }

 private:
  std::uint32_t messages_ = 0;
};

constexpr RecordTypeOf stream_records[] = {record_type<Flow>};
bool is_stream(Bytes b) {
  return as_text(b).starts_with("STREAM");
}
constexpr CollectorSpec stream_spec{
    .name = "test-stream",
    .doc = "For tests",
    .port = 2,
    .recognises = is_stream,
    .framed = [](Bytes b) -> std::size_t {
      if (b.size() < 7) return 0;
      return is_stream(b) && b[6] >= 16 ? b[6] : CollectorSpec::npos;
    },
    .make = []() -> std::unique_ptr<ExportDecoder> { return std::make_unique<StreamDecoder>(); },
    .records = stream_records};
const Registrar<CollectorSpec> registered{stream_spec};

std::string message(std::size_t size) {
  std::string text = "STREAM";
  text += static_cast<char>(size);
  text.resize(size, '.');
  return text;
}

class ExportStreamsTest : public ::testing::Test {
 protected:
  ExportStreamsTest() {
    for (const RecordType* type : {&record_type<Flow>(), &record_type<Oddity>()})
      wants[type->id].wanted = true;
  }
  void listen(const StreamOptions& options) {
    std::vector<TcpListener> listeners;
    listeners.push_back(*TcpListener::listen(*parse_endpoint("127.0.0.1:0")));
    place = listeners.front().local();
    streams = std::make_unique<ExportStreams>(std::move(listeners), exporters, options);
  }
  Descriptor connect() {
    sockaddr_storage address{};
    const socklen_t size = to_sockaddr(place, address);
    Descriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    return fd;
  }
  // Serves until nothing has been ready; what was sent on loopback before is.
  void serve() {
    while (streams->serve(now, out)) {
    }
  }
  void send(const Descriptor& fd, std::string_view text) {
    ASSERT_EQ(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
    serve();
  }
  static bool closed(const Descriptor& fd) {
    pollfd entry{fd.get(), POLLIN, 0};
    char byte = 0;
    return ::poll(&entry, 1, 0) == 1 && ::recv(fd.get(), &byte, 1, MSG_DONTWAIT) <= 0;
  }
  template <class R>
  std::vector<R> made() const {
    std::vector<R> all;
    for (const Batch::Entry& e : batch.entries())
      if (e.type == &record_type<R>()) all.push_back(*static_cast<const R*>(e.record));
    return all;
  }

  Emitter::Wants wants{};
  Batch batch;
  Emitter out{wants, batch};
  Exporters exporters;
  Endpoint place;
  Time now{1'700'000'000'000'000'000};
  std::unique_ptr<ExportStreams> streams;
};

TEST_F(ExportStreamsTest, CutMessagesWhereverThePiecesEnd) {
  listen({});
  const std::string all = message(16) + message(200) + message(17);
  for (std::size_t piece = 1; piece < all.size(); piece += 31) {
    batch.clear();
    out.into(batch);
    const Descriptor fd = connect();
    for (std::size_t at = 0; at < all.size(); at += piece) send(fd, std::string_view{all}.substr(at, piece));
    const auto flows = made<Flow>();
    ASSERT_EQ(flows.size(), 3U) << piece;
    EXPECT_EQ(flows[1].bytes, 200U);
    EXPECT_EQ(flows[2].domain, 3U) << "one decoder for the connection";
    EXPECT_EQ(flows[2].direction, "stream");
  }
  EXPECT_EQ(exporters.totals().exporters, 1U) << "connections of one address are one exporter";
}

TEST_F(ExportStreamsTest, GiveEachConnectionADecoder) {
  listen({});
  const Descriptor first = connect(), second = connect();
  send(first, message(20));
  send(second, message(20));
  const auto flows = made<Flow>();
  ASSERT_EQ(flows.size(), 2U);
  EXPECT_EQ(flows[1].domain, 1U);
}

TEST_F(ExportStreamsTest, CloseWhatIsNoProtocol) {
  listen({});
  const Descriptor from_the_start = connect(), later = connect();
  send(from_the_start, "GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(closed(from_the_start));
  send(later, message(30));
  EXPECT_FALSE(closed(later));
  send(later, "and now something else");
  EXPECT_TRUE(closed(later));
  EXPECT_EQ(streams->connections(), 0U);
  EXPECT_EQ(streams->counts().unrecognised, 2U);
  EXPECT_EQ(exporters.totals().unrecognised, 2U);
  ASSERT_EQ(made<Oddity>().size(), 1U) << "once a minute";
  EXPECT_EQ(made<Oddity>()[0].proto, IpProto::tcp);
}

TEST_F(ExportStreamsTest, RefuseTooManyConnections) {
  listen({.connections = 2});
  const Descriptor first = connect(), second = connect(), third = connect();
  serve();
  EXPECT_FALSE(closed(first));
  EXPECT_FALSE(closed(second));
  EXPECT_TRUE(closed(third));
  EXPECT_EQ(streams->counts().accepted, 2U);
  EXPECT_EQ(streams->counts().refused, 1U);
  EXPECT_EQ(made<Oddity>().at(0).name, "too_many_connections");
}

TEST_F(ExportStreamsTest, CloseWhoIsSilentForTooLong) {
  listen({.idle = seconds(10)});
  const Descriptor silent = connect(), busy = connect();
  serve();
  now = now + seconds(8);
  send(busy, message(16));
  now = now + seconds(8);
  serve();
  EXPECT_TRUE(closed(silent));
  EXPECT_FALSE(closed(busy));
  EXPECT_EQ(streams->counts().timed_out, 1U);
}

TEST_F(ExportStreamsTest, ForgetWhoHasClosed) {
  listen({});
  {
    const Descriptor fd = connect();
    send(fd, message(16));
  }
  // The end of a connection on loopback is there with the close.
  serve();
  EXPECT_EQ(streams->connections(), 0U);
  EXPECT_EQ(made<Flow>().size(), 1U);
}

}  // namespace
}  // namespace weir
