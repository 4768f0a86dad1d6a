// Any bytes as the journal of a scan, behind what makes it one of ours: it goes on, or it is one line of
// error. Whoever goes on may write to it, and reads the same again.
#include "engine/scan_journal.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "core/assert.hpp"

namespace {

using namespace weir;

Result<std::unique_ptr<ScanJournal>> resume(const std::string& path) {
  auto journal = ScanJournal::resume(path);
  if (!journal) WEIR_ASSERT(journal.error().line().find('\n') == std::string::npos);
  return journal;
}

}  // namespace

// The first byte says how much of the header is a real one's: all, all but what follows, or nothing.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t header = 32, page = 4096;  // magic, size of an entry, seed, size of the plan
  if (size == 0) return 0;
  const Descriptor file(::memfd_create("journal", MFD_CLOEXEC));
  const std::string path = "/proc/self/fd/" + std::to_string(file.get());
  std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 3 != 0) {
    static const std::string real = [] {
      const std::string name = "/tmp/weir_fuzz_journal." + std::to_string(::getpid());
      {
        const auto made = ScanJournal::create(name, "", "", 1).value();
      }
      std::string start(header, '\0');
      const Descriptor made(::open(name.c_str(), O_RDONLY));
      WEIR_ASSERT(::read(made.get(), start.data(), header) == static_cast<ssize_t>(header));
      ::unlink(name.c_str());
      return start;
    }();
    std::string whole(page, '\0');
    const std::size_t kept = data[0] % 3 == 1 ? header : header - 8;
    const std::size_t given = std::min(bytes.size(), std::size_t{80});
    whole.replace(0, kept, real, 0, kept);
    whole.replace(kept, given, bytes, 0, given);
    bytes = whole + bytes.substr(given);
  }
  WEIR_ASSERT(::write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  std::size_t entries = 0;
  if (const auto journal = resume(path)) {
    for (const JournalEntry& e : (*journal)->take_entries()) {
      WEIR_ASSERT(e.answer.reason.view().size() + e.answer.tcp_options.view().size() < sizeof e);
      ++entries;
    }
    (*journal)->progress((*journal)->place());
    WEIR_ASSERT((*journal)->add({.cell = 7}));
  } else {
    return 0;
  }
  const auto again = resume(path);
  WEIR_ASSERT(again && (*again)->take_entries().size() == entries + 1);
  return 0;
}
