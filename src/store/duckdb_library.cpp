#include "store/duckdb_library.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

namespace weir {
namespace {

std::vector<std::string> candidates() {
  if (const char* chosen = std::getenv("WEIR_DUCKDB"); chosen != nullptr && *chosen != '\0') return {chosen};
  std::vector<std::string> paths;
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  if (!ignored) {
    paths.push_back(program.parent_path() / "libduckdb.so");
    paths.push_back(program.parent_path().parent_path() / "lib/weir/libduckdb.so");
  }
  paths.emplace_back(WEIR_DUCKDB_LIBRARY);
  paths.emplace_back("libduckdb.so");
  return paths;
}

// Thousands of its functions are never called, and what it looks up it has itself: to bind all of them at
// once, after a look into every other library, took a quarter of the time of a short question. Sanitizers
// have to be asked first.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int how_opened = RTLD_LAZY | RTLD_LOCAL;
#else
constexpr int how_opened = RTLD_LAZY | RTLD_LOCAL | RTLD_DEEPBIND;
#endif

Result<DuckLibrary> open_library() {
  std::string why;
  for (const std::string& path : candidates()) {
    std::error_code ignored;
    if (path.find('/') != std::string::npos && !std::filesystem::exists(path, ignored)) continue;
    void* handle = dlopen(path.c_str(), how_opened);
    if (handle == nullptr) {
      why = dlerror();
      continue;
    }
    DuckLibrary library{};
    const char* missing = nullptr;
#define WEIR_DUCKDB_FIND(name)                                                             \
  library.name = reinterpret_cast<decltype(library.name)>(dlsym(handle, "duckdb_" #name)); \
  if (library.name == nullptr) missing = "duckdb_" #name;
    WEIR_DUCKDB_FUNCTIONS(WEIR_DUCKDB_FIND)
#undef WEIR_DUCKDB_FIND
    if (missing == nullptr) return library;
    why = path + " lacks " + missing + ": weir needs DuckDB 1.4 or later";
    dlclose(handle);
  }
  return fail(Code::environment, "the DuckDB library cannot be loaded" + (why.empty() ? "" : ": " + why),
              "libduckdb.so", "./dev setup fetches it; WEIR_DUCKDB names another one");
}

}  // namespace

Result<const DuckLibrary*> DuckLibrary::load() {
  static const Result<DuckLibrary> library = open_library();
  if (!library) return tl::unexpected<Error>(library.error());
  return &*library;
}

}  // namespace weir
