#include "packet/input_paths.hpp"

#include <glob.h>
#include <sys/stat.h>

#include <algorithm>

namespace weir {
namespace {

bool is_pattern(const std::string& input) {
  struct stat about{};
  return input != "-" && input.find_first_of("*?[") != std::string::npos &&
         ::stat(input.c_str(), &about) != 0;
}

}  // namespace

Result<std::vector<std::string>> expand_inputs(std::span<const std::string> inputs) {
  std::vector<std::string> paths;
  for (const std::string& input : inputs) {
    if (!is_pattern(input)) {
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
