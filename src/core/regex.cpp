#include "core/regex.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <new>

namespace weir {
namespace {

constexpr std::size_t pattern_max = 4096;
// Backtracking steps per starting point; a text that needs more does not match.
constexpr std::uint32_t match_limit = 100'000;
// Only so much of a text is searched; where it was cut, $ does not match.
constexpr std::size_t subject_max = 16 * 1024;
// JIT code's own stack, per thread; a text that needs more does not match.
constexpr std::size_t stack_first = 32 * 1024, stack_max = 512 * 1024;

struct Release {
  void operator()(pcre2_code* p) const noexcept { pcre2_code_free(p); }
  void operator()(pcre2_match_data* p) const noexcept { pcre2_match_data_free(p); }
  void operator()(pcre2_match_context* p) const noexcept { pcre2_match_context_free(p); }
  void operator()(pcre2_compile_context* p) const noexcept { pcre2_compile_context_free(p); }
  void operator()(pcre2_jit_stack* p) const noexcept { pcre2_jit_stack_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Release>;

// Matching writes here, so each thread has its own.
struct Workspace {
  Owned<pcre2_match_data> data{pcre2_match_data_create(std::tuple_size_v<Regex::Groups>, nullptr)};
  Owned<pcre2_match_context> limits{pcre2_match_context_create(nullptr)};
  Owned<pcre2_jit_stack> stack{pcre2_jit_stack_create(stack_first, stack_max, nullptr)};

  Workspace() {
    if (!data || !limits || !stack) throw std::bad_alloc();
    pcre2_set_match_limit(limits.get(), match_limit);
    pcre2_set_depth_limit(limits.get(), match_limit);
    pcre2_set_heap_limit(limits.get(), 1024);  // KiB, for the interpreter where there is no JIT
    pcre2_jit_stack_assign(limits.get(), nullptr, stack.get());
  }
};

}  // namespace

struct Regex::Code {
  Owned<pcre2_code> pattern;
  bool jit;
};

Regex::Regex(std::unique_ptr<Code> code) noexcept : code_(std::move(code)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

tl::expected<Regex, Regex::Failure> Regex::compile(std::string_view pattern, bool ignore_case) {
  if (pattern.size() > pattern_max)
    return tl::unexpected(Failure{"longer than " + std::to_string(pattern_max) + " bytes", 0});
  const bool ascii = std::all_of(pattern.begin(), pattern.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  const std::uint32_t options = PCRE2_NEVER_BACKSLASH_C | (ignore_case ? PCRE2_CASELESS : 0U) |
                                (ascii ? PCRE2_NEVER_UTF : PCRE2_UTF | PCRE2_MATCH_INVALID_UTF);
  int error = 0;
  PCRE2_SIZE offset = 0;
  Owned<pcre2_code> code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), options,
                                       &error, &offset, nullptr));
  if (!code) {
    PCRE2_UCHAR message[160] = "";
    pcre2_get_error_message(error, message, sizeof message);
    return tl::unexpected(Failure{reinterpret_cast<const char*>(message), offset});
  }
  const bool jit = pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE) == 0;
  return Regex(std::make_unique<Code>(Code{std::move(code), jit}));
}

namespace {

// What pcre2_match returned; the groups are in the workspace's data.
int run(const pcre2_code* pattern, bool jit, std::string_view text, const Workspace& workspace) noexcept {
  const bool cut = text.size() > subject_max;
  return (jit ? pcre2_jit_match : pcre2_match)(pattern, reinterpret_cast<PCRE2_SPTR>(text.data()),
                                               cut ? subject_max : text.size(), 0, cut ? PCRE2_NOTEOL : 0,
                                               workspace.data.get(), workspace.limits.get());
}

const Workspace& workspace_of_thread() {
  thread_local const Workspace workspace;
  return workspace;
}

}  // namespace

bool Regex::matches(std::string_view text) const noexcept {
  return run(code_->pattern.get(), code_->jit, text, workspace_of_thread()) >= 0;
}

bool Regex::match(std::string_view text, Groups& groups) const noexcept {
  const Workspace& workspace = workspace_of_thread();
  const int found = run(code_->pattern.get(), code_->jit, text, workspace);
  if (found < 0) return false;
  // 0: there are more groups than wanted. Groups past the last one that took part are not written.
  const std::size_t written = found == 0 ? groups.size() : static_cast<std::size_t>(found);
  const PCRE2_SIZE* at = pcre2_get_ovector_pointer(workspace.data.get());
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const bool took_part = i < written && at[2 * i] != PCRE2_UNSET && at[2 * i] <= at[2 * i + 1];
    groups[i] = took_part ? text.substr(at[2 * i], at[2 * i + 1] - at[2 * i]) : std::string_view();
  }
  return true;
}

}  // namespace weir
