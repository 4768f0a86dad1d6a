#include "engine/scan_journal.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace weir {
namespace {

constexpr std::size_t page = 4096;
constexpr std::uint64_t magic = 0x32304e4353524557;  // "WERSCN02"

static_assert(std::is_trivially_copyable_v<JournalEntry>);

tl::unexpected<Error> failed(std::string what, const std::string& path) {
  return fail(Code::environment, what + ": " + std::strerror(errno), path);
}

bool write_all(int fd, const void* bytes, std::size_t size) noexcept {
  const auto* at = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t written = ::write(fd, at, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    at += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

bool makes_sense(const JournalEntry& e) noexcept {
  return e.stage <= StageKind::ports && e.pass < ScanStage::most_passes && e.answer.state <= CellState::up &&
         e.answer.reason.size <= e.answer.reason.bytes.size() &&
         e.answer.tcp_options.size <= e.answer.tcp_options.bytes.size();
}

}  // namespace

// The first page. A place is one word, so that it is never half written: 2 bits of stage, 1 finished, 5 of
// pass, 56 done.
struct ScanJournal::Header {
  std::uint64_t magic, entry_size, seed, plan_size;
  std::array<char, 64> identity;
  std::atomic<std::uint64_t> place;
};

ScanJournal::ScanJournal(Descriptor fd, std::string path, Header* header) noexcept
    : fd_(std::move(fd)), path_(std::move(path)), header_(header) {}

ScanJournal::~ScanJournal() {
  ::munmap(header_, page);
}

Result<std::unique_ptr<ScanJournal>> ScanJournal::create(const std::string& path, const std::string& plan,
                                                         std::string_view identity, std::uint64_t seed) {
  if (plan.size() > most_plan) return fail(Code::usage, "the arguments are too long to be kept", path);
  Descriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_APPEND, 0600));
  if (!fd && errno == EEXIST)
    return fail(Code::usage, "is there already", path, "go on with --resume, or name another file");
  if (!fd) return failed("cannot be created", path);
  const std::string start = std::string(page, '\0') + plan;
  if (!write_all(fd.get(), start.data(), start.size())) return failed("cannot be written", path);
  void* mapped = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (mapped == MAP_FAILED) return failed("cannot be mapped", path);
  auto* header = new (mapped) Header{};
  header->entry_size = sizeof(JournalEntry);
  header->seed = seed;
  header->plan_size = plan.size();
  std::memcpy(header->identity.data(), identity.data(), std::min(identity.size(), header->identity.size()));
  std::unique_ptr<ScanJournal> journal(new ScanJournal(std::move(fd), path, header));
  journal->plan_ = plan;
  journal->progress({});
  std::atomic_ref(header->magic).store(magic, std::memory_order_release);  // now it is one
  return journal;
}

Result<std::unique_ptr<ScanJournal>> ScanJournal::resume(const std::string& path) {
  Descriptor fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_APPEND));
  if (!fd && (errno == ENOENT || errno == ENOTDIR))
    return fail(Code::usage, "no such file", path, "a scan with --journal makes one");
  if (!fd) return failed("cannot be opened", path);
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return failed("cannot be read", path);
  const auto size = static_cast<std::size_t>(std::max<off_t>(status.st_size, 0));
  const auto foreign = [&] { return fail(Code::usage, "is no journal of a scan", path); };
  if (!S_ISREG(status.st_mode) || size < page) return foreign();
  void* mapped = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (mapped == MAP_FAILED) return failed("cannot be mapped", path);
  std::unique_ptr<ScanJournal> journal(new ScanJournal(std::move(fd), path, static_cast<Header*>(mapped)));
  const Header& header = *journal->header_;
  if (header.magic != magic || header.plan_size > most_plan || size < page + header.plan_size)
    return foreign();
  if (header.entry_size != sizeof(JournalEntry))
    return fail(Code::usage, "was written by another version of weir", path, "begin anew with --journal");
  WEIR_CHECK(journal->load(size));
  return journal;
}

Result<void> ScanJournal::load(std::size_t size) {
  plan_.resize(header_->plan_size);
  std::size_t at = page;
  const auto read = [&](void* to, std::size_t count) {
    const ssize_t got = ::pread(fd_.get(), to, count, static_cast<off_t>(at));
    at += count;
    return got == static_cast<ssize_t>(count);
  };
  if (!plan_.empty() && !read(plan_.data(), plan_.size())) return failed("cannot be read", path_);
  while (at + sizeof(JournalEntry) <= size) {
    JournalEntry entry;
    if (!read(&entry, sizeof entry)) return failed("cannot be read", path_);
    if (!makes_sense(entry)) return fail(Code::failed, "is damaged", path_, "begin anew with --journal");
    entries_.push_back(entry);
  }
  // An entry that was cut off belongs to an answer that nobody was told of.
  if (at != size && ::ftruncate(fd_.get(), static_cast<off_t>(at)) != 0)
    return failed("cannot be cut", path_);
  return {};
}

std::string_view ScanJournal::identity() const noexcept {
  return {header_->identity.data(), header_->identity.size()};
}
std::uint64_t ScanJournal::seed() const noexcept {
  return header_->seed;
}

JournalPlace ScanJournal::place() const noexcept {
  const std::uint64_t word = header_->place.load(std::memory_order_relaxed);
  return {static_cast<StageKind>(word >> 62), static_cast<unsigned>(word >> 56 & 31),
          word & ~std::uint64_t{0} >> 8, (word >> 61 & 1) != 0};
}

void ScanJournal::progress(const JournalPlace& p) noexcept {
  header_->place.store(std::uint64_t{static_cast<std::uint8_t>(p.stage)} << 62 |
                           std::uint64_t{p.finished ? 1U : 0U} << 61 | std::uint64_t{p.pass & 31} << 56 |
                           p.done,
                       std::memory_order_relaxed);
}

Result<void> ScanJournal::add(const JournalEntry& entry) {
  if (!write_all(fd_.get(), &entry, sizeof entry)) return failed("cannot be written", path_);
  return {};
}

}  // namespace weir
