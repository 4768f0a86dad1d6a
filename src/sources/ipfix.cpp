// IPFIX (RFC 7011), in datagrams and in streams; biflows (RFC 5103), enterprise elements, and structured data
// (RFC 6313), which is skipped.
#include "sources/template_decoder.hpp"

namespace weir {
namespace {

constexpr std::size_t header_size = 16;
constexpr std::uint16_t template_set = 2, options_set = 3, first_data_set = 256;  // RFC 7011 §3.3.2

class IpfixDecoder final : public TemplateDecoder {
 public:
  void message(ExportContext& context, Bytes bytes) override {
    context.add(ExportCount::messages);
    context.add(ExportCount::bytes, bytes.size());
    expire_pending(context);
    ByteReader r(bytes);
    r.skip(2);
    const std::size_t length = r.u16();
    MessageHeader header;
    header.sent = {std::int64_t{r.u32()} * 1'000'000'000};
    const std::uint32_t sequence = r.u32();
    header.domain = r.u32();
    if (!r.ok() || length < header_size) return malformed(context, "truncated_header");
    // A datagram with more or less than the message it claims: what is there is read.
    if (length != bytes.size()) malformed(context, "bad_message_length");
    r = ByteReader(bytes.first(std::min(length, bytes.size())));
    r.skip(header_size);
    Domain* const of = domain(context, header.domain);
    if (of == nullptr) return;
    const auto records = sets(context, *of, header, r);
    // RFC 7011 §3.1: the number counts data records, before this message.
    of->sequence.take(sequence, records.value_or(0), late_records, false, context);
    if (!records) of->sequence.forget();
  }

 private:
  static constexpr std::uint32_t late_records = 64 * 64;  // of 64 messages
  static constexpr std::uint16_t enterprise_bit = 0x8000;

  // Returns how many data records there were; nullopt when that cannot be told.
  std::optional<std::uint32_t> sets(ExportContext& context, Domain& of, const MessageHeader& header,
                                    ByteReader r) {
    std::optional<std::uint32_t> records = 0;
    while (r.remaining() >= 4) {
      const std::uint16_t id = r.u16(), length = r.u16();
      if (length < 4) {
        malformed(context, "bad_set_length");
        return std::nullopt;
      }
      const bool is_whole = length - 4U <= r.remaining();
      if (!is_whole) malformed(context, "truncated_set");  // what is whole in it is read
      const Bytes body = r.bytes(std::min<std::size_t>(length - 4U, r.remaining()));
      if (id == template_set || id == options_set) {
        templates(context, of, ByteReader(body), id == options_set);
      } else if (id >= first_data_set) {
        const auto here = data_set(context, of, header, id, body);
        records = records && here && is_whole ? std::optional(*records + *here) : std::nullopt;
      } else {
        context.oddity("reserved_set", {});
      }
    }
    return records;
  }

  void templates(ExportContext& context, Domain& of, ByteReader r, bool options) {
    while (r.remaining() >= 4) {
      Definition d{};
      d.id = r.u16();
      d.options = options;
      const std::size_t count = r.u16();
      if (d.id == 0 && count == 0) return;  // padding
      if (count == 0) {
        withdrawal(context, of, d.id, options);
        continue;
      }
      if (options) d.scopes = r.u16();
      if (count > r.remaining() / 4) return malformed(context, "bad_template");
      for (std::size_t i = 0; i < count; ++i) d.fields.push_back(read_field(r));
      if (!r.ok() || d.id < first_data_set || d.scopes > count || (options && d.scopes == 0))
        return malformed(context, "bad_template");
      learn(context, of, std::move(d));
    }
  }

  static TemplateField read_field(ByteReader& r) noexcept {
    TemplateField f;
    f.id = r.u16();
    f.length = r.u16();
    if ((f.id & enterprise_bit) != 0) {
      f.id &= static_cast<std::uint16_t>(~enterprise_bit);
      f.enterprise = r.u32();
    }
    return f;
  }

  // RFC 7011 §8.1: in datagrams they must not be sent, and are ignored: one that came late would withdraw a
  // template that was sent after it.
  void withdrawal(const ExportContext& context, Domain& of, std::uint16_t id, bool options) {
    if (!context.stream) return context.oddity("withdrawal_in_datagram", {});
    if (id == template_set || id == options_set)
      withdraw_all(context, of, options);
    else
      withdraw(context, of, id);
  }
};

bool recognises(Bytes message) {
  return message.size() >= header_size && load_be16(message.data()) == 10;
}

std::size_t framed(Bytes stream) {
  if (stream.size() < 4) return 0;
  const std::size_t length = load_be16(stream.data() + 2);
  return load_be16(stream.data()) == 10 && length >= header_size ? length : CollectorSpec::npos;
}

Time exported(Bytes message) {
  return {std::int64_t{load_be32(message.data() + 4)} * 1'000'000'000};
}

constexpr RecordTypeOf records[] = {record_type<Flow>};
constexpr CollectorSpec spec{
    .name = "ipfix",
    .doc = "IPFIX (RFC 7011), by UDP and TCP",
    .port = 4739,
    .recognises = recognises,
    .framed = framed,
    .make = []() -> std::unique_ptr<ExportDecoder> { return std::make_unique<IpfixDecoder>(); },
    .records = records,
    .exported = exported};

}  // namespace
WEIR_REGISTER(CollectorSpec, spec);
}  // namespace weir
