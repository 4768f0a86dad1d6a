// flow-tools' stream files (its ftlib.h): a header, then records of one size, of one NetFlow version, in the
// byte order of the machine that wrote them; all after the header may be one zlib stream.
#include <fmt/core.h>
#include <zlib.h>

#include "flow/exported.hpp"
#include "packet/input.hpp"
#include "plugin/record_file.hpp"

namespace weir {
namespace {

// Where a record has what every record has.
struct Counted {
  std::uint8_t uptime, exporter, packets, bytes, first, last;
};
// Where a record has what; 0: nowhere (its time is there).
struct Layout {
  std::uint16_t version;
  std::uint8_t method, size;  // aggregation of version 8, bytes of a record
  Counted counted;
  std::uint8_t src = 0, dst = 0, next_hop = 0, bgp_next_hop = 0, in = 0, out = 0, src_port = 0, dst_port = 0;
  std::uint8_t proto = 0, tos = 0, flags = 0, engine = 0, src_mask = 0, dst_mask = 0, src_as = 0, dst_as = 0;
};

// What the versions without aggregation have in common.
constexpr Layout plain(std::uint16_t version, std::uint8_t size, bool routes = true,
                       std::uint8_t bgp_next_hop = 0) {
  Layout l{version, 0, size, {8, 12, 32, 36, 40, 44}};
  l.src = 16, l.dst = 20, l.next_hop = 24, l.in = 28, l.out = 30, l.src_port = 48, l.dst_port = 50;
  l.proto = 52, l.tos = 53, l.flags = 54, l.bgp_next_hop = bgp_next_hop;
  if (routes) l.engine = 56, l.src_mask = 58, l.dst_mask = 59, l.src_as = 60, l.dst_as = 62;
  return l;
}
// Stream version 1 has NetFlow 1 and 5 in one layout; its time is when the router started.
constexpr Layout early(std::uint16_t version) {
  Layout l{version, 0, 60, {0, 0, 24, 28, 32, 36}};
  l.src = 8, l.dst = 12, l.next_hop = 16, l.in = 20, l.out = 22, l.src_port = 40, l.dst_port = 42;
  l.proto = 46, l.tos = 47, l.flags = 48;
  if (version == 5) l.src_as = 52, l.dst_as = 54, l.src_mask = 56, l.dst_mask = 57;
  return l;
}
constexpr Layout early_layouts[] = {early(1), early(5)};

// Aggregations count flows before packets; three of them do not, three have uptime and exporter exchanged.
constexpr Counted usual{8, 12, 20, 24, 28, 32}, exchanged{12, 8, 20, 24, 28, 32},
    uncounted{8, 12, 16, 20, 24, 28};
constexpr Layout layouts[] = {
    plain(1, 60, false),
    plain(5, 64),
    plain(6, 72, true, 68),
    plain(7, 68),
    plain(1005, 72),  // 5 with tags
    {.version = 8,
     .method = 1,
     .size = 48,
     .counted = usual,
     .in = 40,
     .out = 42,
     .engine = 44,
     .src_as = 36,
     .dst_as = 38},
    {.version = 8,
     .method = 2,
     .size = 48,
     .counted = usual,
     .src_port = 40,
     .dst_port = 42,
     .proto = 36,
     .engine = 44},
    {.version = 8,
     .method = 3,
     .size = 48,
     .counted = exchanged,
     .src = 36,
     .in = 44,
     .engine = 46,
     .src_mask = 40,
     .src_as = 42},
    {.version = 8,
     .method = 4,
     .size = 48,
     .counted = usual,
     .dst = 36,
     .out = 46,
     .engine = 42,
     .dst_mask = 40,
     .dst_as = 44},
    {.version = 8,
     .method = 5,
     .size = 56,
     .counted = usual,
     .src = 36,
     .dst = 40,
     .in = 52,
     .out = 54,
     .engine = 46,
     .src_mask = 45,
     .dst_mask = 44,
     .src_as = 48,
     .dst_as = 50},
    {.version = 8,
     .method = 6,
     .size = 52,
     .counted = uncounted,
     .dst = 32,
     .out = 44,
     .tos = 48,
     .engine = 50},
    {.version = 8,
     .method = 7,
     .size = 56,
     .counted = uncounted,
     .src = 36,
     .dst = 32,
     .in = 50,
     .out = 48,
     .tos = 52,
     .engine = 54},
    {.version = 8,
     .method = 8,
     .size = 64,
     .counted = uncounted,
     .src = 36,
     .dst = 32,
     .in = 54,
     .out = 52,
     .src_port = 50,
     .dst_port = 48,
     .proto = 60,
     .tos = 56,
     .engine = 58},
    {.version = 8,
     .method = 9,
     .size = 48,
     .counted = usual,
     .in = 40,
     .out = 42,
     .tos = 46,
     .engine = 44,
     .src_as = 36,
     .dst_as = 38},
    {.version = 8,
     .method = 10,
     .size = 48,
     .counted = usual,
     .in = 40,
     .out = 42,
     .src_port = 36,
     .dst_port = 38,
     .proto = 46,
     .tos = 47,
     .engine = 44},
    {.version = 8,
     .method = 11,
     .size = 48,
     .counted = exchanged,
     .src = 36,
     .in = 44,
     .tos = 41,
     .engine = 46,
     .src_mask = 40,
     .src_as = 42},
    {.version = 8,
     .method = 12,
     .size = 48,
     .counted = exchanged,
     .dst = 36,
     .out = 40,
     .tos = 45,
     .engine = 46,
     .dst_mask = 44,
     .dst_as = 42},
    {.version = 8,
     .method = 13,
     .size = 60,
     .counted = usual,
     .src = 36,
     .dst = 40,
     .in = 48,
     .out = 50,
     .tos = 56,
     .engine = 54,
     .src_mask = 53,
     .dst_mask = 52,
     .src_as = 44,
     .dst_as = 46},
};

// What the header says that matters for the records.
struct Header {
  bool big = false, compressed = false;
  std::uint8_t stream = 0, method = 0;
  std::uint16_t version = 0;
  std::uint32_t exporter = 0;
  std::size_t size = 0;
};
constexpr std::uint32_t compressed_flag = 2;
constexpr std::size_t header_1_size = 360, header_3_start = 8, header_3_max = 65536;

std::uint16_t load16(const std::uint8_t* p, bool big) noexcept {
  return big ? load_be16(p) : load_le<std::uint16_t>(p);
}
std::uint32_t load32(const std::uint8_t* p, bool big) noexcept {
  return big ? load_be32(p) : load_le<std::uint32_t>(p);
}

// Numbers of one record, in its byte order.
class Record {
 public:
  Record(const std::uint8_t* p, bool big) noexcept : p_(p), big_(big) {}
  std::uint8_t u8(std::uint8_t at) const noexcept { return p_[at]; }
  std::uint16_t u16(std::uint8_t at) const noexcept { return load16(p_ + at, big_); }
  std::uint32_t u32(std::uint8_t at) const noexcept { return load32(p_ + at, big_); }
  Addr addr(std::uint8_t at) const noexcept { return of(at == 0 ? 0 : u32(at)); }
  std::optional<Addr> known_addr(std::uint8_t at) const noexcept {
    return at == 0 || u32(at) == 0 ? std::nullopt : std::optional<Addr>(addr(at));
  }
  static Addr of(std::uint32_t number) noexcept {
    const std::uint8_t bytes[] = {static_cast<std::uint8_t>(number >> 24),
                                  static_cast<std::uint8_t>(number >> 16),
                                  static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
    return Addr::v4(bytes);
  }

 private:
  const std::uint8_t* p_;
  bool big_;
};

void set_times(Flow& f, const Record& r, const Layout& l, bool early_stream) {
  constexpr std::int64_t ms = 1'000'000, second = 1'000'000'000;
  const std::int64_t now = std::int64_t{r.u32(0)} * second + r.u32(4) * (early_stream ? ms : 1);
  const std::int64_t started = now - (l.counted.uptime == 0 ? 0 : std::int64_t{r.u32(l.counted.uptime)} * ms);
  f.time = Time{started + std::int64_t{r.u32(l.counted.first)} * ms};
  // The router's clock wraps after 49 days.
  const std::uint32_t length = r.u32(l.counted.last) - r.u32(l.counted.first);
  if (length < 1U << 31U) f.duration = Duration{std::int64_t{length} * ms};
}

Flow flow_of(const Record& r, const Layout& l, const Header& h) {
  Flow f;
  set_times(f, r, l, h.stream == 1);
  f.packets = f.src_packets = r.u32(l.counted.packets);
  f.bytes = f.src_bytes = r.u32(l.counted.bytes);
  FlowRef& ref = f.ref;
  ref.src_ip = r.addr(l.src);
  ref.dst_ip = r.addr(l.dst);
  if (l.proto != 0) ref.proto = IpProto{r.u8(l.proto)};
  if (l.src_port != 0) ref.src_port = r.u16(l.src_port), ref.dst_port = r.u16(l.dst_port);
  if (ref.proto == IpProto::icmp)
    set_icmp_ports(ref,
                   {static_cast<std::uint8_t>(ref.dst_port >> 8U), static_cast<std::uint8_t>(ref.dst_port)});
  if (l.flags != 0 && ref.proto == IpProto::tcp) f.src_tcp_flags = flags_text(r.u8(l.flags));
  if (l.tos != 0) f.src_tos = r.u8(l.tos);
  if (l.in != 0) f.in_interface = r.u16(l.in);
  if (l.out != 0) f.out_interface = r.u16(l.out);
  if (l.src_as != 0) f.src_as = r.u16(l.src_as);
  if (l.dst_as != 0) f.dst_as = r.u16(l.dst_as);
  if (l.src_mask != 0) f.src_mask = r.u8(l.src_mask);
  if (l.dst_mask != 0) f.dst_mask = r.u8(l.dst_mask);
  f.next_hop = r.known_addr(l.next_hop);
  f.bgp_next_hop = r.known_addr(l.bgp_next_hop);
  f.exporter = r.known_addr(l.counted.exporter);
  if (!f.exporter && h.exporter != 0) f.exporter = Record::of(h.exporter);
  if (l.engine != 0) f.domain = std::uint32_t{r.u8(l.engine)} << 8U | r.u8(l.engine + 1U);
  return f;
}

// The header's fields of stream version 3: type, length, value.
void read_fields(Header& h, Bytes fields) {
  enum : std::uint16_t { version = 2, method = 4, exporter = 5, flags = 8 };
  while (fields.size() >= 4) {
    const std::uint16_t type = load16(&fields[0], h.big), length = load16(&fields[2], h.big);
    fields = fields.subspan(4);
    if (length > fields.size()) return;
    const std::uint8_t* value = fields.data();
    if (type == version && length >= 2) h.version = load16(value, h.big);
    if (type == method && length >= 1) h.method = value[0];
    if (type == exporter && length >= 4) h.exporter = load32(value, h.big);
    if (type == flags && length >= 4) h.compressed = (load32(value, h.big) & compressed_flag) != 0;
    fields = fields.subspan(length);
  }
}

bool is_flow_tools(Bytes head) {
  return head.size() >= 4 && head[0] == 0xcf && head[1] == 0x10 && (head[2] == 1 || head[2] == 2);
}

Result<Header> read_header(Input& input, const std::string& name) {
  input.advance(0, header_3_start);
  if (!is_flow_tools(input.window())) return fail(Code::usage, "not a file of flow-tools'", name);
  const auto short_header = [&] { return fail(Code::usage, "the file ends inside its header", name); };
  Header h{.big = input.window()[2] == 2, .stream = input.window()[3]};
  if (h.stream != 1 && h.stream != 3)
    return fail(Code::usage, fmt::format("flow-tools' stream version {} is not known", h.stream), name);
  if (input.window().size() < header_3_start) return short_header();
  h.size = h.stream == 1 ? header_1_size : load32(&input.window()[4], h.big);
  if (h.size < header_3_start || h.size > header_3_max)
    return fail(Code::usage, fmt::format("claims a header of {} bytes", h.size), name);
  input.advance(0, h.size);
  const Bytes head = input.window();
  if (head.size() < h.size) return short_header();
  if (h.stream == 3) {
    read_fields(h, head.subspan(header_3_start, h.size - header_3_start));
    return h;
  }
  constexpr std::uint16_t unknown_version = 0xffff;
  h.version = load16(&head[4], h.big);
  if (h.version == unknown_version) h.version = 1;
  h.compressed = (load32(&head[16], h.big) & compressed_flag) != 0;
  return h;
}

const Layout* layout_of(const Header& h) {
  const std::span<const Layout> all =
      h.stream == 1 ? std::span<const Layout>(early_layouts) : std::span<const Layout>(layouts);
  for (const Layout& l : all)
    if (l.version == h.version && (l.version != 8 || l.method == h.method)) return &l;
  return nullptr;
}

// The inside of a zlib stream, piece by piece.
class Inflated {
 public:
  Inflated() { ok_ = inflateInit(&z_) == Z_OK; }
  ~Inflated() { inflateEnd(&z_); }
  Inflated(const Inflated&) = delete;
  Inflated& operator=(const Inflated&) = delete;

  // `size` bytes, valid until the next call; fewer at the end. Takes from the input what it needs.
  Bytes next(Input& input, std::size_t size) {
    begin_ += taken_;
    taken_ = 0;
    if (end_ - begin_ < size) refill(input, size);
    taken_ = std::min(size, end_ - begin_);
    return {&buffer_[begin_], taken_};
  }
  bool corrupt() const noexcept { return !ok_; }
  bool finished() const noexcept { return finished_; }

 private:
  void refill(Input& input, std::size_t size) {
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
              buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
    end_ -= begin_;
    begin_ = 0;
    while (ok_ && !finished_ && end_ < size) {
      input.advance(0, 1);
      const Bytes in = input.window();
      if (in.empty()) return;
      z_.next_in = const_cast<Bytef*>(in.data());  // zlib does not write there; its type predates const
      z_.avail_in = static_cast<unsigned>(std::min<std::size_t>(in.size(), 1U << 30U));
      z_.next_out = &buffer_[end_];
      z_.avail_out = static_cast<unsigned>(buffer_.size() - end_);
      const unsigned before = z_.avail_in;
      const int code = inflate(&z_, Z_NO_FLUSH);
      input.advance(before - z_.avail_in, 0);
      end_ = buffer_.size() - z_.avail_out;
      finished_ = code == Z_STREAM_END;
      ok_ = code == Z_OK || finished_;
    }
  }

  z_stream z_{};
  std::array<std::uint8_t, 65536> buffer_{};
  std::size_t begin_ = 0, end_ = 0, taken_ = 0;
  bool ok_ = false, finished_ = false;
};

class FlowToolsFile final : public RecordFile {
 public:
  FlowToolsFile(std::unique_ptr<Input> input, std::string name, const Header& header, const Layout& layout)
      : input_(std::move(input)), name_(std::move(name)), header_(header), layout_(layout) {
    input_->advance(header_.size, 0);
    if (header_.compressed) inflated_ = std::make_unique<Inflated>();
  }

  Result<bool> read(Emitter& out, std::size_t most) override {
    std::size_t flows = 0;
    while (flows < most && !ended_) {
      const Bytes record = next();
      if (record.size() < layout_.size) {
        at_end(record.size());
        break;
      }
      ++flows, ++flows_;
      out.emit(flow_of(Record(record.data(), header_.big), layout_, header_));
    }
    return flows != 0;
  }
  const std::vector<Damage>& damages() const override { return damages_; }
  std::uint64_t bytes_read() const noexcept override { return input_->bytes_read(); }
  std::uint64_t bytes_total() const noexcept override { return input_->bytes_total(); }

 private:
  Bytes next() {
    if (inflated_ != nullptr) return inflated_->next(*input_, layout_.size);
    input_->advance(taken_, layout_.size);
    taken_ = std::min<std::size_t>(layout_.size, input_->window().size());
    return input_->window().first(taken_);
  }
  void at_end(std::size_t left) {
    ended_ = true;
    if (!input_->broken().empty())
      damaged("unreadable_file", input_->broken());
    else if (inflated_ != nullptr && inflated_->corrupt())
      damaged("corrupt_compression", "the compressed records are corrupt");
    else if (left != 0 || (inflated_ != nullptr && !inflated_->finished()))
      damaged("truncated_file", "the file ends inside a record");
  }
  void damaged(std::string_view name, std::string_view what) {
    damages_.push_back({name_, input_->offset(), name, fmt::format("{}, after {} flows", what, flows_)});
  }

  std::unique_ptr<Input> input_;
  std::string name_;
  Header header_;
  const Layout& layout_;
  std::unique_ptr<Inflated> inflated_;  // when compressed
  std::size_t taken_ = 0;               // of the window: the record at hand
  std::uint64_t flows_ = 0;
  std::vector<Damage> damages_;
  bool ended_ = false;
};

Result<std::unique_ptr<RecordFile>> open(std::unique_ptr<Input> input, std::string name) {
  WEIR_TRY(const Header header, read_header(*input, name));
  const Layout* layout = layout_of(header);
  if (layout == nullptr)
    return fail(Code::usage,
                header.version == 8
                    ? fmt::format("holds NetFlow 8 of aggregation {}, which is not known", header.method)
                    : fmt::format("holds NetFlow {}, which is not known", header.version),
                std::move(name));
  return std::make_unique<FlowToolsFile>(std::move(input), std::move(name), header, *layout);
}

constexpr RecordTypeOf records[] = {record_type<Flow>};
constexpr RecordFileSpec spec{.name = "flow-tools",
                              .doc = "flow-tools' stream files of NetFlow 1, 5, 6, 7, 8 and 1005",
                              .recognises = is_flow_tools,
                              .open = open,
                              .records = records};

}  // namespace
WEIR_REGISTER(RecordFileSpec, spec);
}  // namespace weir
