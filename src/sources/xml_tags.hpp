// The tags of an XML document one after the other, with their attributes: as much of XML 1.0 as programs
// write for programs. Text counts when it stands directly behind a tag; comments, DTDs and CDATA are passed
// over.
#pragma once

#include <charconv>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "packet/input.hpp"

namespace weir {

struct XmlTag {
  std::string name;
  bool opens = false, closes = false;  // both: <name/>
  std::vector<std::pair<std::string, std::string>> attributes;
  std::string text;  // up to the next tag

  // Empty when there is none.
  std::string_view attribute(std::string_view wanted) const noexcept {
    for (const auto& [key, value] : attributes)
      if (key == wanted) return value;
    return {};
  }
};

class XmlTags {
 public:
  enum class End : std::uint8_t { none, whole, cut, too_long };

  // The input is borrowed.
  explicit XmlTags(Input& input) noexcept : input_(input) {}

  // False at the end, whose kind end() tells. Hostile bytes take bounded memory.
  bool next(XmlTag& tag) {
    while (end_ == End::none) {
      const std::size_t begin = find('<', 0);
      if (begin == std::string_view::npos) return stop(End::whole);
      const std::size_t behind = tag_end(begin);
      if (behind == std::string_view::npos) return stop(End::cut);
      const std::size_t follows = std::min(find('<', behind), window().size());
      if (end_ != End::none) return false;
      const std::string_view inner = window().substr(begin + 1, behind - begin - 2);
      const bool counts = !inner.empty() && inner[0] != '!' && inner[0] != '?';
      if (counts) {
        tag = {};
        read(inner, tag);
        tag.text = decoded(window().substr(behind, follows - behind));
      }
      used_ = follows;
      if (counts) return true;
    }
    return false;
  }
  End end() const noexcept { return end_; }

 private:
  static constexpr std::size_t longest = std::size_t{1} << 20U;  // of a tag with the text behind it

  std::string_view window() {
    if (used_ != 0) input_.advance(std::exchange(used_, 0), 1);
    return as_text(input_.window());
  }
  // npos at the end of the input.
  std::size_t find(char c, std::size_t from) {
    while (true) {
      const std::string_view text = window();
      const std::size_t at = text.find(c, from);
      if (at != text.npos) return at;
      from = text.size();
      if (!more()) return text.npos;
    }
  }
  bool more() {
    const std::size_t size = input_.window().size();
    if (size >= longest) return stop(End::too_long);
    input_.advance(0, 2 * size + 4096);
    return input_.window().size() > size;
  }
  bool stop(End end) noexcept {
    if (end_ == End::none) end_ = end;
    return false;
  }
  // One past the '>' of what begins there, which may stand in quotes, but not to end it; npos: none.
  std::size_t tag_end(std::size_t begin) {
    while (window().size() < begin + 4)
      if (!more()) break;
    if (window().substr(begin).starts_with("<!--")) {
      for (std::size_t at = begin + 4; (at = find('>', at)) != std::string_view::npos; ++at)
        if (window().substr(0, at).ends_with("--")) return at + 1;
      return std::string_view::npos;
    }
    char quote = 0;
    for (std::size_t at = begin + 1;; ++at) {
      if (at >= window().size() && !more()) return std::string_view::npos;
      const char c = as_text(input_.window())[at];
      if (quote != 0)
        quote = c == quote ? '\0' : quote;
      else if (c == '"' || c == '\'')
        quote = c;
      else if (c == '>')
        return at + 1;
    }
  }

  static bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

  static void read(std::string_view inner, XmlTag& tag) {
    tag.closes = inner.starts_with('/') || inner.ends_with('/');
    tag.opens = !inner.starts_with('/');
    if (inner.starts_with('/')) inner.remove_prefix(1);
    if (inner.ends_with('/')) inner.remove_suffix(1);
    const auto word = [&](std::string_view ends) {
      const std::size_t size = std::min(inner.find_first_of(ends), inner.size());
      const std::string_view found = inner.substr(0, size);
      inner.remove_prefix(size);
      return std::string(found);
    };
    const auto skip_space = [&] {
      while (!inner.empty() && is_space(inner[0])) inner.remove_prefix(1);
    };
    tag.name = word(" \t\r\n");
    for (skip_space(); !inner.empty(); skip_space()) {
      std::string key = word("= \t\r\n");
      skip_space();
      if (!inner.starts_with('=')) return;
      inner.remove_prefix(1);
      skip_space();
      if (inner.empty() || (inner[0] != '"' && inner[0] != '\'')) return;
      const std::size_t close = inner.find(inner[0], 1);
      if (close == inner.npos) return;
      tag.attributes.emplace_back(std::move(key), decoded(inner.substr(1, close - 1)));
      inner.remove_prefix(close + 1);
    }
  }

  // XML 1.0 §4.1 and §4.6. What is no reference stays as it is.
  static std::string decoded(std::string_view text) {
    std::string out;
    while (!text.empty()) {
      const std::size_t plain = std::min(text.find('&'), text.size());
      out.append(text.substr(0, plain));
      text.remove_prefix(plain);
      const std::size_t end = text.find(';');
      if (text.empty() || end == text.npos || !reference(text.substr(1, end - 1), out)) {
        out.append(text.substr(0, 1));
        text.remove_prefix(std::min<std::size_t>(text.size(), 1));
      } else {
        text.remove_prefix(end + 1);
      }
    }
    return out;
  }
  static bool reference(std::string_view name, std::string& out) {
    constexpr std::pair<std::string_view, char> names[] = {
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    for (const auto& [word, c] : names)
      if (word == name) {
        out += c;
        return true;
      }
    if (!name.starts_with('#')) return false;
    name.remove_prefix(1);
    const bool hex = name.starts_with('x');
    if (hex) name.remove_prefix(1);
    unsigned code = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), code, hex ? 16 : 10);
    if (error != std::errc{} || end != name.data() + name.size() || code == 0 || code > 0x7f) return false;
    out += static_cast<char>(code);  // others stay as they are written
    return true;
  }

  Input& input_;
  std::size_t used_ = 0;
  End end_ = End::none;
};

}  // namespace weir
