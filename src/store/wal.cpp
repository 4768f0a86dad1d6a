#include "store/wal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "store/record_codec.hpp"

namespace weir {
namespace {

constexpr std::string_view magic = "weirwal1";
constexpr std::string_view extension = ".wal";

// A frame: its header, then `size` bytes that the checksum covers together with the fields behind it.
enum class FrameKind : std::uint32_t { schema = 1, rows = 2 };
struct FrameHeader {
  std::uint64_t checksum;
  std::uint32_t size;
  std::uint32_t kind;
  std::uint32_t table;  // a number of the segment's own, from its schema frames
  std::uint32_t count;  // records
};
static_assert(sizeof(FrameHeader) == 24);

std::uint64_t checksum_of(const FrameHeader& header, const void* body) noexcept {
  const auto* fields = reinterpret_cast<const char*>(&header) + sizeof header.checksum;
  return XXH3_64bits_withSeed(body, header.size, XXH3_64bits(fields, sizeof header - sizeof header.checksum));
}

std::string frame(FrameKind kind, std::uint32_t table, std::uint32_t count, std::string_view body) {
  FrameHeader header{0, static_cast<std::uint32_t>(body.size()), static_cast<std::uint32_t>(kind), table,
                     count};
  header.checksum = checksum_of(header, body.data());
  std::string out(reinterpret_cast<const char*>(&header), sizeof header);
  out += body;
  return out;
}

tl::unexpected<Error> system_error(const std::string& path) {
  return fail(Code::environment, std::strerror(errno), path);
}

SegmentId id_of(const std::filesystem::path& path) noexcept {
  const std::string stem = path.stem().string();
  SegmentId id = 0;
  const auto [end, error] = std::from_chars(stem.data(), stem.data() + stem.size(), id, 16);
  return error == std::errc{} && end == stem.data() + stem.size() ? id : 0;
}

}  // namespace

std::string to_string(SegmentId id) {
  return fmt::format("{:016x}", id);
}

WalSegment::WalSegment(int fd, std::string path, SegmentId id) noexcept
    : fd_(fd), path_(std::move(path)), id_(id) {}

WalSegment::~WalSegment() {
  close(fd_);
}

Result<std::unique_ptr<WalSegment>> WalSegment::create(const std::string& folder) {
  namespace chrono = std::chrono;
  auto id = static_cast<SegmentId>(
      chrono::duration_cast<chrono::microseconds>(chrono::system_clock::now().time_since_epoch()).count());
  for (;; ++id) {
    std::string path = fmt::format("{}/{}{}", folder, to_string(id), extension);
    const int fd = open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0 && errno == EEXIST) continue;
    if (fd < 0) return system_error(path);
    std::unique_ptr<WalSegment> segment(new WalSegment(fd, std::move(path), id));
    // Whoever claims orphans between open and this lock finds an empty file, and may take it away.
    struct stat now{};
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || fstat(fd, &now) != 0 || now.st_nlink == 0) continue;
    WEIR_CHECK(segment->append(magic));
    return segment;
  }
}

void WalSegment::add(const RecordType& type, std::string_view encoded) {
  Table& table = tables_[type.id];
  table.type = &type;
  table.rows += encoded;
  ++table.count;
  ++records_;
  pending_bytes_ += encoded.size();
}

Result<void> WalSegment::append(std::string_view bytes) {
  const std::uint64_t before = written_;
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      auto error = system_error(path_);
      // A frame that is half there would hide all that comes behind it.
      if (ftruncate(fd_, static_cast<off_t>(before)) != 0) return error;
      written_ = before;
      return error;
    }
    written_ += static_cast<std::uint64_t>(n);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<void> WalSegment::write() {
  for (auto& [id, table] : tables_) {
    if (!table.declared) {
      WEIR_CHECK(append(frame(FrameKind::schema, id, 0, encode_schema(*table.type))));
      table.declared = true;
    }
    if (table.count == 0) continue;
    WEIR_CHECK(append(frame(FrameKind::rows, id, table.count, table.rows)));
    pending_bytes_ -= table.rows.size();
    table.rows.clear();
    table.count = 0;
  }
  return {};
}

Result<void> WalSegment::sync() const {
  if (fdatasync(fd_) != 0) return system_error(path_);
  return {};
}

namespace {

// The file, mapped; its writer is gone or will not touch it any more.
class Mapped {
 public:
  static Result<Mapped> open(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return system_error(path);
    struct stat now{};
    Mapped mapped;
    if (fstat(fd, &now) == 0 && now.st_size > 0) {
      void* p = mmap(nullptr, static_cast<std::size_t>(now.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
      if (p == MAP_FAILED) {
        auto error = system_error(path);
        ::close(fd);
        return error;
      }
      madvise(p, static_cast<std::size_t>(now.st_size), MADV_SEQUENTIAL);
      mapped.bytes_ = {static_cast<const std::uint8_t*>(p), static_cast<std::size_t>(now.st_size)};
    }
    ::close(fd);
    return mapped;
  }
  Mapped(Mapped&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  Mapped& operator=(Mapped&&) = delete;
  ~Mapped() {
    if (!bytes_.empty()) munmap(const_cast<std::uint8_t*>(bytes_.data()), bytes_.size());
  }
  Bytes bytes() const noexcept { return bytes_; }

 private:
  Mapped() noexcept = default;
  Bytes bytes_;
};

}  // namespace

Result<WalContents> read_segment(const std::string& path,
                                 const std::function<const RecordType*(std::string_view)>& type_named,
                                 const std::function<Result<void>(const RecordType&, const Batch&)>& take) {
  WEIR_TRY(const Mapped file, Mapped::open(path));
  WalContents contents;
  const Bytes all = file.bytes();
  if (!as_text(all).starts_with(magic)) {
    contents.cut = all.size();
    return contents;
  }
  std::map<std::uint32_t, RecordDecoder> decoders;
  std::size_t at = magic.size();
  Batch batch;
  while (all.size() - at >= sizeof(FrameHeader)) {
    FrameHeader header;
    std::memcpy(&header, all.data() + at, sizeof header);
    const Bytes rest = all.subspan(at + sizeof header);
    if (header.size > rest.size() || checksum_of(header, rest.data()) != header.checksum) break;
    const Bytes body = rest.first(header.size);
    at += sizeof header + header.size;
    if (header.kind == static_cast<std::uint32_t>(FrameKind::schema)) {
      const RecordType* type = type_named(RecordDecoder::name_in(body));
      if (type == nullptr) continue;
      if (auto decoder = RecordDecoder::make(body, *type)) decoders.insert_or_assign(header.table, *decoder);
      continue;
    }
    contents.records += header.count;
    const auto decoder = decoders.find(header.table);
    if (decoder == decoders.end()) {
      contents.unknown += header.count;
      continue;
    }
    ByteReader in(body);
    while (!in.empty() && decoder->second.decode(in, batch)) {
    }
    WEIR_CHECK(take(decoder->second.type(), batch));
    batch.clear();
  }
  contents.cut = all.size() - at;
  return contents;
}

OrphanSegment::OrphanSegment(int fd, std::string path, SegmentId id) noexcept
    : fd_(fd), path_(std::move(path)), id_(id) {}
OrphanSegment::OrphanSegment(OrphanSegment&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)), id_(other.id_) {}
OrphanSegment& OrphanSegment::operator=(OrphanSegment&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  std::swap(id_, other.id_);
  return *this;
}
OrphanSegment::~OrphanSegment() {
  if (fd_ >= 0) close(fd_);
}

std::vector<OrphanSegment> OrphanSegment::claim(const std::string& folder) {
  std::vector<OrphanSegment> all;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const SegmentId id = id_of(entry.path());
    if (entry.path().extension() != extension || id == 0) continue;
    const int fd = open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    struct stat now{};
    // Another process may have published it between the listing and the lock.
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &now) == 0 && now.st_nlink != 0)
      all.push_back(OrphanSegment(fd, entry.path().string(), id));
    else
      close(fd);
  }
  std::ranges::sort(all, {}, &OrphanSegment::id);
  return all;
}

}  // namespace weir
