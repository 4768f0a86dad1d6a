#include "os/command_line.hpp"

#include <fstream>
#include <string_view>

namespace weir {

std::string own_command_line() {
  std::ifstream in("/proc/self/cmdline", std::ios::binary);
  std::string out;
  for (std::string word; std::getline(in, word, '\0');) {
    if (!out.empty()) out += ' ';
    if (!word.empty() && word.find_first_of(" \t\n\"'\\$`*?&;|<>()") == word.npos) {
      out += word;
      continue;
    }
    out += '"';
    for (const char c : word) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  return out;
}

}  // namespace weir
