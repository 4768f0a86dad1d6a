#include "filter/literals.hpp"

#include <charconv>
#include <cmath>
#include <limits>

#include "core/size.hpp"
#include "core/suggest.hpp"

namespace weir::filter {
namespace {

constexpr Key v4_first = Key{0xffff} << 32, v4_last = v4_first | 0xffff'ffffU;

struct Typing {
  const Source& source;
  std::string_view field;
  Kind kind;
  Unit unit;

  tl::unexpected<Error> wrong(std::size_t at, std::string_view text, std::string hint) const {
    return source.error(
        at, std::string(field) + " is " + std::string(noun_of(kind)) + "; " + shown(text) + " is not one",
        std::move(hint));
  }
};

// An integer with sign and magnitude; nullopt when the text is no number or beyond 64 bits.
struct Whole {
  bool negative = false;
  std::uint64_t magnitude = 0;
};
std::optional<Whole> parse_whole(std::string_view text) {
  Whole w;
  if (text.starts_with('-')) {
    w.negative = true;
    text.remove_prefix(1);
  }
  const char* const last = text.data() + text.size();
  if (text.starts_with("0x") || text.starts_with("0X")) {
    const auto [end, error] = std::from_chars(text.data() + 2, last, w.magnitude, 16);
    return error == std::errc{} && end == last ? std::optional(w) : std::nullopt;
  }
  const auto [end, error] = std::from_chars(text.data(), last, w.magnitude);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  std::string_view rest(end, static_cast<std::size_t>(last - end));
  std::uint64_t fraction = 0, unit = 1;
  if (rest.size() > 1 && rest[0] == '.') {
    for (rest.remove_prefix(1); !rest.empty() && rest[0] >= '0' && rest[0] <= '9'; rest.remove_prefix(1)) {
      if (unit >= 1'000'000'000'000'000) return std::nullopt;
      fraction = fraction * 10 + static_cast<std::uint64_t>(rest[0] - '0');
      unit *= 10;
    }
  }
  const std::uint64_t scale = scale_of(rest);
  const Key total = Key{w.magnitude} * scale + Key{fraction} * scale / unit;
  const bool exact = Key{fraction} * scale % unit == 0;
  if (scale == 0 || !exact || total > std::numeric_limits<std::uint64_t>::max()) return std::nullopt;
  w.magnitude = static_cast<std::uint64_t>(total);
  return w;
}

std::string write_whole(std::uint64_t magnitude, bool negative, Unit unit) {
  std::string out = negative ? "-" : "";
  if (magnitude != 0 && (unit == Unit::bytes || unit == Unit::bits_per_second))
    for (const Scale& s : scales)
      if (magnitude % s.factor == 0)
        return out + std::to_string(magnitude / s.factor) + std::string(s.suffix);
  return out + std::to_string(magnitude);
}

std::uint64_t largest(Kind kind) noexcept {
  switch (kind) {
    case Kind::u8: return 0xff;
    case Kind::u16: return 0xffff;
    case Kind::u32: return 0xffff'ffff;
    default: return std::numeric_limits<std::uint64_t>::max();
  }
}

Value single(Key key, std::string canonical) {
  return {key, key, std::move(canonical), false};
}

Result<Value> type_integer(const Typing& t, std::size_t at, std::string_view text) {
  auto whole = parse_whole(text);
  if (const auto time = t.unit == Unit::seconds && !whole ? parse_duration(text) : Duration{};
      time && time->ns != 0)
    if (time->ns % 1'000'000'000 == 0)
      whole = Whole{.magnitude = static_cast<std::uint64_t>(time->ns) / 1'000'000'000};
  if (!whole)
    return t.wrong(at, text,
                   t.unit == Unit::seconds ? "write 30s, 5m or 3600" : "write 1500, 1k, 1M, 1Mi or 0x1f");
  const bool is_signed = t.kind == Kind::i64;
  const std::uint64_t most = is_signed ? sign_bit - (whole->negative ? 0 : 1) : largest(t.kind);
  if ((whole->negative && whole->magnitude != 0 && !is_signed) || whole->magnitude > most)
    return t.source.error(at, std::string(t.field) + " " + std::string(text) + " is outside " +
                                  (is_signed ? "64 bits" : "0-" + std::to_string(most)));
  const bool negative = whole->negative && whole->magnitude != 0;
  const Key key = !is_signed ? Key{whole->magnitude}
                  : negative ? Key{sign_bit - whole->magnitude}
                             : Key{sign_bit + whole->magnitude};
  return single(key, write_whole(whole->magnitude, negative, t.unit));
}

Result<Value> type_double(const Typing& t, std::size_t at, std::string_view text) {
  double number = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error != std::errc{} || end != last || !std::isfinite(number)) {
    const auto whole = parse_whole(text);
    if (!whole) return t.wrong(at, text, "write 0.5, 1500 or 1k");
    number = static_cast<double>(whole->magnitude) * (whole->negative ? -1 : 1);
  }
  number += 0.0;
  char buffer[32];
  return single(key_of(number),
                std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, number).ptr));
}

Result<Value> type_prefix(const Typing& t, std::size_t at, std::string_view text) {
  const auto prefix = parse_prefix(text);
  if (!prefix)
    return t.wrong(at, text, prefix.error().what.starts_with("prefix length") ? prefix.error().what : "");
  const Key low = key_of(prefix->address);
  if (prefix->length == 128) return single(low, to_string(prefix->address));
  return Value{low, low | (~Key{0} >> prefix->length), to_string(*prefix), true};
}

Result<Value> type_proto(const Typing& t, std::size_t at, std::string_view text) {
  if (const auto proto = parse_ip_proto(text)) {
    const std::string_view name = name_of(*proto);
    return single(key_of(*proto),
                  name.empty() ? std::to_string(static_cast<unsigned>(*proto)) : std::string(name));
  }
  std::vector<std::string_view> names;
  for (unsigned n = 0; n < 256; ++n)
    if (const auto name = name_of(static_cast<IpProto>(n)); !name.empty()) names.push_back(name);
  return t.wrong(at, text, suggestion(text, names, "write tcp, udp or a number 0-255"));
}

Result<Value> type_time(const Typing& t, std::size_t at, std::string_view text) {
  const auto time = parse_time(text);
  if (!time) return t.wrong(at, text, time.error().hint);
  char buffer[time_text_max];
  const std::string_view written(buffer, static_cast<std::size_t>(write_rfc3339(buffer, *time) - buffer));
  std::string_view nanos = written.substr(19, 10);  // ".123456789"
  nanos = nanos.substr(0, nanos.find_last_not_of("0.") + 1);
  return single(key_of(*time), quoted(std::string(written.substr(0, 19)) + std::string(nanos) + "Z"));
}

Result<Value> type_duration(const Typing& t, std::size_t at, std::string_view text) {
  const bool negative = text.starts_with('-');
  auto duration = parse_duration(text.substr(negative ? 1 : 0));
  if (!duration) return t.wrong(at, text, duration.error().hint);
  if (negative) duration->ns = -duration->ns;
  constexpr std::int64_t minute = 60'000'000'000, hour = 60 * minute;
  const std::int64_t ns = duration->ns;
  const auto in_units = [&](std::int64_t unit, char letter) {
    return single(key_of(*duration), std::to_string(ns / unit) + letter);
  };
  if (ns != 0 && ns % hour == 0) return in_units(hour, 'h');
  if (ns != 0 && ns % minute == 0) return in_units(minute, 'm');
  char buffer[40];
  return single(key_of(*duration), std::string(buffer, write_seconds(buffer, *duration)) + "s");
}

// One end of a range, or the whole literal.
Result<Value> type_one(const Typing& t, std::size_t at, std::string_view text) {
  switch (t.kind) {
    case Kind::boolean:
      if (text == "true" || text == "1") return single(1, "true");
      if (text == "false" || text == "0") return single(0, "false");
      return t.wrong(at, text, {});
    case Kind::f64: return type_double(t, at, text);
    case Kind::time: return type_time(t, at, text);
    case Kind::duration: return type_duration(t, at, text);
    case Kind::addr: return type_prefix(t, at, text);
    case Kind::proto: return type_proto(t, at, text);
    case Kind::mac: {
      const auto mac = parse_mac(text);
      if (!mac) return t.wrong(at, text, "write 00:1b:21:0a:0b:0c");
      char buffer[mac_text_max];
      return single(key_of(*mac), std::string(buffer, write_mac(buffer, *mac)));
    }
    default: return type_integer(t, at, text);
  }
}

// Where "a..b" or, for numbers and addresses, "a-b" is split; npos for a single value.
std::size_t range_mark(std::string_view text, Kind kind) {
  if (const std::size_t dots = text.find(".."); dots != std::string_view::npos && dots > 0) return dots;
  const bool hyphen = kind != Kind::time && kind != Kind::mac && kind != Kind::boolean && kind != Kind::f64;
  return hyphen ? text.find('-', 1) : std::string_view::npos;
}

}  // namespace

Domain domain_of(Kind kind) noexcept {
  switch (kind) {
    case Kind::boolean: return {0, 1};
    case Kind::proto: return {0, 0xff};
    case Kind::mac: return {0, (Key{1} << 48) - 1};
    case Kind::addr: return {0, ~Key{0}};
    case Kind::f64:
      return {key_of(-std::numeric_limits<double>::infinity()),
              key_of(std::numeric_limits<double>::infinity())};
    default: return {0, largest(kind)};
  }
}

std::string_view noun_of(Kind kind) noexcept {
  switch (kind) {
    case Kind::boolean: return "true or false";
    case Kind::text: return "text";
    case Kind::time: return "a time";
    case Kind::duration: return "a duration";
    case Kind::addr: return "an address";
    case Kind::mac: return "a MAC address";
    case Kind::proto: return "a protocol";
    default: return "a number";
  }
}

Result<Value> type_literal(const Source& source, const Literal& literal, std::string_view field, Kind kind,
                           Unit unit) {
  const Typing typing{source, field, kind, unit};
  std::string_view from = literal.text, to = literal.upto;
  bool is_range = literal.is_range;
  if (!is_range) {
    // "ipv6-icmp" is one protocol, not a range: the whole word comes first.
    auto whole = type_one(typing, literal.at, from);
    const std::size_t mark = range_mark(from, kind);
    if (whole || mark == std::string_view::npos) return whole;
    to = from.substr(mark + (from[mark] == '.' ? 2 : 1));
    from = from.substr(0, mark);
    is_range = true;
  }
  WEIR_TRY(const Value low, type_one(typing, literal.at, from));
  WEIR_TRY(const Value high, type_one(typing, literal.at, to));
  if (low.is_span || high.is_span)
    return source.error(literal.at, "a range runs between two addresses, not prefixes");
  if (low.low > high.high)
    return source.error(literal.at, "the range " + shown(from) + " to " + shown(to) + " is empty");
  if (kind == Kind::addr &&
      (low.low - v4_first > v4_last - v4_first) != (high.low - v4_first > v4_last - v4_first))
    return source.error(literal.at, "a range does not mix IPv4 and IPv6");
  return Value{low.low, high.high, low.canonical + ".." + high.canonical, true};
}

}  // namespace weir::filter
