#include "packet/input_paths.hpp"

#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

namespace weir {
namespace {

bool is_pattern(const std::string& input) {
  struct stat about{};
  return input != "-" && input.find_first_of("*?[") != std::string::npos &&
         ::stat(input.c_str(), &about) != 0;
}

// Every file below the folder, in the order of their names; hidden ones are another program's bookkeeping.
std::vector<std::string> files_below(const std::string& folder) {
  namespace fs = std::filesystem;
  std::vector<std::string> found;
  std::error_code ignored;
  fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, ignored);
  for (; at != fs::recursive_directory_iterator(); at.increment(ignored)) {
    const bool hidden = at->path().filename().string().starts_with('.');
    if (at->is_directory(ignored)) {
      if (hidden) at.disable_recursion_pending();
    } else if (!hidden && at->is_regular_file(ignored)) {
      found.push_back(at->path().string());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

Result<std::vector<std::string>> expand_inputs(std::span<const std::string> inputs) {
  std::vector<std::string> paths;
  for (const std::string& input : inputs) {
    if (!is_pattern(input)) {
      std::error_code ignored;
      if (std::filesystem::is_directory(input, ignored)) {
        const auto below = files_below(input);
        if (below.empty()) return fail(Code::usage, "there is no file in the folder", input);
        paths.insert(paths.end(), below.begin(), below.end());
        continue;
      }
      paths.push_back(input);
      continue;
    }
    glob_t found{};
    const int code = ::glob(input.c_str(), GLOB_TILDE, nullptr, &found);
    if (code == 0) paths.insert(paths.end(), found.gl_pathv, found.gl_pathv + found.gl_pathc);
    ::globfree(&found);
    if (code != 0) return fail(Code::usage, "no file matches the pattern", input);
  }
  if (paths.empty())
    return fail(Code::usage, "no capture file is named", {}, "name one, or - for standard input");
  if (std::count(paths.begin(), paths.end(), "-") > 1)
    return fail(Code::usage, "standard input is named twice", "-");
  return paths;
}

}  // namespace weir
