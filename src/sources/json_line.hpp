// One JSON object (RFC 8259) as weir's json output writes it: the values are texts, numbers, booleans, null
// or lists of these. Objects within are passed over.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ascii.hpp"

namespace weir {

struct JsonValue {
  enum class Kind : std::uint8_t { text, number, boolean, list, other };
  Kind kind = Kind::other;
  std::string text;                // of a text, decoded; of a number or boolean, as written
  std::vector<std::string> items;  // of a list: its texts and numbers
};
struct JsonMember {
  std::string name;
  JsonValue value;
};

class JsonLine {
 public:
  // Nothing when it is no object, or not a whole one. Hostile bytes take bounded time and depth.
  static std::optional<std::vector<JsonMember>> parse(std::string_view text) {
    JsonLine line(text);
    std::vector<JsonMember> members;
    if (!line.object(&members, 0)) return std::nullopt;
    line.skip_space();
    if (!line.rest_.empty()) return std::nullopt;
    return members;
  }

 private:
  static constexpr int deepest = 16;

  explicit JsonLine(std::string_view text) noexcept : rest_(text) {}

  void skip_space() noexcept {
    while (!rest_.empty() && (is_blank(rest_[0]) || rest_[0] == '\r' || rest_[0] == '\n'))
      rest_.remove_prefix(1);
  }
  bool take(char c) noexcept {
    skip_space();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool object(std::vector<JsonMember>* members, int depth) {
    if (depth > deepest || !take('{')) return false;
    if (take('}')) return true;
    do {
      JsonMember member;
      if (!take('"') || !string(member.name) || !take(':') || !value(member.value, depth)) return false;
      if (members != nullptr) members->push_back(std::move(member));
    } while (take(','));
    return take('}');
  }

  bool list(JsonValue& out, int depth) {
    out.kind = JsonValue::Kind::list;
    if (depth > deepest || !take('[')) return false;
    if (take(']')) return true;
    do {
      JsonValue item;
      if (!value(item, depth)) return false;
      if (item.kind == JsonValue::Kind::text || item.kind == JsonValue::Kind::number)
        out.items.push_back(std::move(item.text));
    } while (take(','));
    return take(']');
  }

  bool value(JsonValue& out, int depth) {
    skip_space();
    if (rest_.empty()) return false;
    switch (rest_[0]) {
      case '"':
        out.kind = JsonValue::Kind::text;
        rest_.remove_prefix(1);
        return string(out.text);
      case '{': return object(nullptr, depth + 1);
      case '[': return list(out, depth + 1);
      default: return word(out);
    }
  }

  bool word(JsonValue& out) {
    std::size_t size = 0;
    while (size < rest_.size() && std::string_view(",]} \t\r\n").find(rest_[size]) == std::string_view::npos)
      ++size;
    out.text = rest_.substr(0, size);
    rest_.remove_prefix(size);
    if (out.text == "null") return true;
    const bool boolean = out.text == "true" || out.text == "false";
    out.kind = boolean ? JsonValue::Kind::boolean : JsonValue::Kind::number;
    return boolean ||
           (!out.text.empty() && (out.text[0] == '-' || (out.text[0] >= '0' && out.text[0] <= '9')));
  }

  // Behind the first quote.
  bool string(std::string& out) {
    while (true) {
      const std::size_t plain = rest_.find_first_of("\"\\");
      if (plain == rest_.npos) return false;
      out.append(rest_.substr(0, plain));
      const bool end = rest_[plain] == '"';
      rest_.remove_prefix(plain + 1);
      if (end) return restore_bytes(out);
      if (!escape(out)) return false;
    }
  }

  bool escape(std::string& out) {
    if (rest_.empty()) return false;
    constexpr std::string_view names = "\"\\/bfnrt", values = "\"\\/\b\f\n\r\t";
    const char c = rest_[0];
    rest_.remove_prefix(1);
    if (const std::size_t known = names.find(c); known != names.npos) {
      out += values[known];
      return true;
    }
    if (c != 'u') return false;
    auto code = hex4();
    if (!code) return false;
    constexpr std::uint32_t high = 0xd800, low = 0xdc00, after = 0xe000;
    if (*code >= high && *code < low && rest_.starts_with("\\u")) {
      rest_.remove_prefix(2);
      const auto second = hex4();
      if (!second || *second < low || *second >= after) return false;
      code = 0x10000 + ((*code - high) << 10U) + (*second - low);
    } else if (*code >= high && *code < after) {
      return false;
    }
    append_utf8(out, *code);
    return true;
  }

  std::optional<std::uint32_t> hex4() noexcept {
    if (rest_.size() < 4) return std::nullopt;
    const auto code = parse_digits<std::uint32_t>(rest_.substr(0, 4), 16);
    rest_.remove_prefix(4);
    return code;
  }

  static void append_utf8(std::string& out, std::uint32_t code) {
    const auto byte = [&](std::uint32_t b) { out += static_cast<char>(b); };
    if (code < 0x80) return byte(code);
    if (code < 0x800) {
      byte(0xc0 | code >> 6U);
    } else if (code < 0x10000) {
      byte(0xe0 | code >> 12U);
      byte(0x80 | (code >> 6U & 0x3fU));
    } else {
      byte(0xf0 | code >> 18U);
      byte(0x80 | (code >> 12U & 0x3fU));
      byte(0x80 | (code >> 6U & 0x3fU));
    }
    byte(0x80 | (code & 0x3fU));
  }

  // \xNN stands for a byte that is not UTF-8 (core/json.hpp).
  static bool restore_bytes(std::string& text) {
    for (std::size_t at = text.find("\\x"); at != text.npos; at = text.find("\\x", at + 1))
      if (at + 4 <= text.size())
        if (const auto byte = parse_digits<std::uint8_t>(std::string_view(text).substr(at + 2, 2), 16))
          text.replace(at, 4, 1, static_cast<char>(*byte));
    return true;
  }

  std::string_view rest_;
};

}  // namespace weir
