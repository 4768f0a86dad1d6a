// CSV as RFC 4180 has it, but with a bare line feed. Null is an empty field, an empty text is "". List
// elements are joined by ';' (one inside an element is \x3b).
#include "sinks/delimited.hpp"

namespace weir {
namespace {

struct Csv {
  static constexpr std::string_view extension = "csv";
  static constexpr char separator = ',', joiner = ';';

  static void put(std::string& out, std::string_view text, bool in_list) {
    if (!text.empty() && is_plain(text)) return void(out.append(text));
    if (in_list) return append_shown(out, text, joiner);
    std::string shown;
    append_shown(shown, text, '\0');
    append_quoted(out, shown, shown.empty());
  }
  static std::string finish_list(std::string_view joined) {
    std::string out;
    append_quoted(out, joined, false);
    return out;
  }

 private:
  // Most texts: nothing to escape or quote.
  static bool is_plain(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
      return c > 0x20 && c < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\';
    });
  }
  // Line feeds and tabs stand as they are inside quotes; what no reader could show is escaped.
  static void append_shown(std::string& out, std::string_view text, char also) {
    for (std::size_t at = 0; at < text.size();) {
      const char c = text[at];
      const std::size_t length = utf8_length(text, at);
      const bool control = static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' && c != '\r';
      if (length == 0 || control || c == 0x7f || (also != '\0' && c == also) ||
          looks_like_hex_escape(text, at)) {
        char escape[4];
        out.append(escape, write_hex_escape(escape, static_cast<unsigned char>(c)));
        ++at;
      } else {
        out.append(text, at, length);
        at += length;
      }
    }
  }
  static void append_quoted(std::string& out, std::string_view text, bool always) {
    if (!always && text.find_first_of(",\"\r\n") == std::string_view::npos) {
      out += text;
      return;
    }
    out += '"';
    for (const char c : text) {
      if (c == '"') out += '"';
      out += c;
    }
    out += '"';
  }
};

constexpr SinkSpec spec{
    .name = "csv",
    .doc = "Comma-separated values with a header line (RFC 4180)",
    .mixes_types = false,
    .open = DelimitedSink<Csv>::open,
};

}  // namespace
WEIR_REGISTER(SinkSpec, spec);
}  // namespace weir
