// Any bytes as what a device answers to the commands of its system, which the first byte chooses; a zero byte
// ends an answer, and begins the later of two texts. What is kept cannot command a terminal, and what is said
// to have changed makes one text of the other.
#include "devices/configuration.hpp"

#include <algorithm>

#include "core/assert.hpp"

namespace {

using namespace weir;

std::vector<std::string> pieces_of(std::string_view text) {
  std::vector<std::string> pieces(1);
  for (const char c : text) {
    if (c == '\0')
      pieces.emplace_back();
    else
      pieces.back() += c;
  }
  return pieces;
}

void check_kept(const DeviceSystem& system, std::vector<std::string> answers) {
  answers.resize(std::min(answers.size(), system.commands.size()));
  const std::string kept = kept_configuration(system, answers);
  for (const char c : kept)
    WEIR_ASSERT((static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) || c == '\t' || c == '\n');
  for (std::size_t at = kept.find('\xc2'); at != std::string::npos; at = kept.find('\xc2', at + 1))
    WEIR_ASSERT((static_cast<unsigned char>(kept[at + 1]) & 0xe0U) != 0x80);
  WEIR_ASSERT(kept.empty() || (kept.back() == '\n' && !kept.ends_with("\n\n")));
  for (const std::string_view line : lines_of(kept)) {
    const std::string shown = masked(system, line, "key");
    WEIR_ASSERT(shown.find('\n') == std::string::npos);
  }
}

void check_changes(const std::string& old_text, const std::string& new_text) {
  const auto before = lines_of(old_text), after = lines_of(new_text);
  const auto changes = changed_lines(before, after);
  std::vector<std::string_view> made;
  std::size_t at = 0;  // in `before`
  for (const LineChange& change : changes) {
    WEIR_ASSERT(change.before >= at && change.before <= before.size());
    while (at < change.before) made.push_back(before[at++]);
    WEIR_ASSERT(made.size() == change.after);
    if (change.added)
      made.push_back(after[change.after]);
    else
      ++at;
  }
  while (at < before.size()) made.push_back(before[at++]);
  WEIR_ASSERT(made == after && changes.empty() == (before == after));
  const auto as_is = [](std::string_view line) { return std::string(line); };
  WEIR_ASSERT(unified_diff(before, after, changes, as_is).empty() == changes.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<DeviceSystem> systems = load_device_systems({}).value();
  if (size == 0) return 0;
  const auto answers = pieces_of({reinterpret_cast<const char*>(data) + 1, size - 1});
  check_kept(systems[data[0] % systems.size()], answers);
  check_changes(answers.front(), answers.back());
  return 0;
}
