// NetFlow v9 (RFC 3954).
#include "sources/template_decoder.hpp"

namespace weir {
namespace {

constexpr std::size_t header_size = 20;
constexpr std::uint16_t template_set = 0, options_set = 1, first_data_set = 256;  // RFC 3954 §5.2, §6.1

class Netflow9Decoder final : public TemplateDecoder {
 public:
  void message(ExportContext& context, Bytes bytes) override {
    context.add(ExportCount::messages);
    context.add(ExportCount::bytes, bytes.size());
    expire_pending(context);
    ByteReader r(bytes);
    r.skip(4);  // version and count; the count is often wrong, and the sets tell where they end
    MessageHeader header{.has_uptime = true};
    header.uptime = r.u32();
    header.sent = {std::int64_t{r.u32()} * 1'000'000'000};
    const std::uint32_t sequence = r.u32();
    header.domain = r.u32();
    if (!r.ok()) return malformed(context, "truncated_header");
    Domain* const of = domain(context, header.domain);
    if (of == nullptr) return;
    const bool restarted = uptime_went_back(of->uptime, header.uptime);
    of->uptime = header.uptime;
    of->sequence.take(sequence, 1, late_messages, restarted, context);
    while (r.remaining() >= 4) {
      const std::uint16_t id = r.u16(), length = r.u16();
      if (length < 4) return malformed(context, "bad_set_length");
      if (length - 4U > r.remaining()) malformed(context, "truncated_set");  // what is whole in it is read
      set(context, *of, header, id, r.bytes(std::min<std::size_t>(length - 4U, r.remaining())));
    }
    // Fewer than four bytes fill up the last set, which then does not count them.
  }

 private:
  static constexpr std::uint32_t late_messages = 64;

  void set(ExportContext& context, Domain& of, const MessageHeader& header, std::uint16_t id, Bytes body) {
    if (id == template_set)
      templates(context, of, ByteReader(body));
    else if (id == options_set)
      options_templates(context, of, ByteReader(body));
    else if (id >= first_data_set)
      data_set(context, of, header, id, body);
    else
      context.oddity("reserved_set", {});
  }

  // Reads `count` fields, or fails the reader.
  static void read_fields(ByteReader& r, std::size_t count, std::uint32_t enterprise,
                          std::vector<TemplateField>& out) {
    if (count > r.remaining() / 4) return r.fail();
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint16_t id = r.u16(), length = r.u16();
      out.push_back({enterprise, id, length});
    }
  }

  void templates(ExportContext& context, Domain& of, ByteReader r) {
    while (r.remaining() >= 4) {
      Definition d{};
      d.id = r.u16();
      const std::size_t count = r.u16();
      if (d.id == 0 && count == 0) return;  // padding
      read_fields(r, count, 0, d.fields);
      take(context, of, r, std::move(d));
    }
  }

  void options_templates(ExportContext& context, Domain& of, ByteReader r) {
    while (r.remaining() >= 6) {
      Definition d{};
      d.id = r.u16();
      d.options = true;
      const std::size_t scope_bytes = r.u16(), option_bytes = r.u16();
      if (d.id == 0 && scope_bytes == 0 && option_bytes == 0) return;  // padding
      d.scopes = static_cast<std::uint16_t>(scope_bytes / 4);
      read_fields(r, scope_bytes / 4, v9_scope, d.fields);
      read_fields(r, option_bytes / 4, 0, d.fields);
      take(context, of, r, std::move(d));
    }
  }

  void take(ExportContext& context, Domain& of, const ByteReader& r, Definition d) {
    // NetFlow v9 has no variable lengths: nothing is as long as this.
    const bool is_possible =
        std::ranges::none_of(d.fields, [](const TemplateField& f) { return f.length == variable_length; });
    if (!r.ok() || d.id < first_data_set || !is_possible) return malformed(context, "bad_template");
    learn(context, of, std::move(d));
  }
};

bool recognises(Bytes message) {
  return message.size() >= header_size && load_be16(message.data()) == 9;
}

constexpr RecordTypeOf records[] = {record_type<Flow>};
constexpr CollectorSpec spec{
    .name = "netflow9",
    .doc = "NetFlow v9 (RFC 3954)",
    .port = 2055,
    .recognises = recognises,
    .framed = nullptr,
    .make = []() -> std::unique_ptr<ExportDecoder> { return std::make_unique<Netflow9Decoder>(); },
    .records = records};

}  // namespace
WEIR_REGISTER(CollectorSpec, spec);
}  // namespace weir
