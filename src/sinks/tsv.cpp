// Tab-separated values. In texts a tab is \t, a line feed \n, a carriage return \r, a backslash \\; null is
// nothing. List elements are joined by ',' (one inside an element is \x2c).
#include "sinks/delimited.hpp"

namespace weir {
namespace {

struct Tsv {
  static constexpr std::string_view extension = "tsv";
  static constexpr char separator = '\t', joiner = ',';

  static void put(std::string& out, std::string_view text, bool in_list) {
    if (is_plain(text)) return void(out.append(text));
    for (std::size_t at = 0; at < text.size();) {
      const char c = text[at];
      const std::size_t length = utf8_length(text, at);
      if (const char letter = escape_letter(c); letter != '\0') {
        out += '\\';
        out += letter;
        ++at;
      } else if (length == 0 || static_cast<unsigned char>(c) < 0x20 || c == 0x7f ||
                 (in_list && c == joiner)) {
        char escape[4];
        out.append(escape, write_hex_escape(escape, static_cast<unsigned char>(c)));
        ++at;
      } else {
        out.append(text, at, length);
        at += length;
      }
    }
  }
  static std::string_view finish_list(std::string_view joined) { return joined; }

 private:
  // Most texts: nothing to escape.
  static bool is_plain(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return c >= 0x20 && c < 0x7f && c != ',' && c != '\\'; });
  }
  static char escape_letter(char c) {
    switch (c) {
      case '\t': return 't';
      case '\n': return 'n';
      case '\r': return 'r';
      case '\\': return '\\';
      default: return '\0';
    }
  }
};

constexpr SinkSpec spec{
    .name = "tsv",
    .doc = "Tab-separated values with a header line",
    .mixes_types = false,
    .open = DelimitedSink<Tsv>::open,
};

}  // namespace
WEIR_REGISTER(SinkSpec, spec);
}  // namespace weir
