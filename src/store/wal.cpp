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

#include "os/file_system.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weir {
namespace {

constexpr std::string_view magic = "weirwal2";
constexpr std::string_view extension = ".wal";

// A frame: its header, then `size` bytes that the checksum covers together with the fields behind it.
enum class FrameKind : std::uint32_t { schema = 1, block = 2 };
struct FrameHeader {
  std::uint64_t checksum;
  std::uint32_t size;
  std::uint32_t kind;
  std::uint32_t table;  // a number of the segment's own, from its schema frames
  std::uint32_t count;  // records; the rest is their BlockSummary
  std::int64_t earliest, latest;
  std::uint32_t timed;
  std::uint32_t bitmap;  // bytes of the united bitmap, which the body begins with
};
static_assert(sizeof(FrameHeader) == 48);

std::uint64_t checksum_of(const FrameHeader& header, const void* body) noexcept {
  const auto* fields = reinterpret_cast<const char*>(&header) + sizeof header.checksum;
  return XXH3_64bits_withSeed(body, header.size, XXH3_64bits(fields, sizeof header - sizeof header.checksum));
}

std::string frame(FrameKind kind, std::uint32_t table, std::string_view body, const BlockSummary& summary) {
  FrameHeader header{.checksum = 0,
                     .size = static_cast<std::uint32_t>(summary.present.size() + body.size()),
                     .kind = static_cast<std::uint32_t>(kind),
                     .table = table,
                     .count = summary.count,
                     .earliest = summary.earliest.ns,
                     .latest = summary.latest.ns,
                     .timed = summary.timed ? 1U : 0U,
                     .bitmap = static_cast<std::uint32_t>(summary.present.size())};
  std::string out(sizeof header, '\0');
  out += summary.present;
  out += body;
  header.checksum = checksum_of(header, out.data() + sizeof header);
  std::memcpy(out.data(), &header, sizeof header);
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
    if (const auto begun = segment->append(magic); !begun) {
      unlink(segment->path().c_str());  // a full disk would gather one with every attempt
      return tl::unexpected<Error>(begun.error());
    }
    return segment;
  }
}

void WalSegment::add(const RecordType& type, std::span<const void* const> records) {
  ColumnBlock& block = tables_.try_emplace(type.id, Table{&type, ColumnBlock(type)}).first->second.block;
  pending_bytes_ -= block.bytes();
  block.add(records);
  pending_bytes_ += block.bytes();
  records_ += records.size();
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
      WEIR_CHECK(append(frame(FrameKind::schema, id, encode_schema(*table.type), {})));
      table.declared = true;
    }
    if (table.block.rows() == 0) continue;
    std::string body;
    table.block.encode(body);
    WEIR_CHECK(append(frame(FrameKind::block, id, body, table.block.summary())));
    pending_bytes_ -= table.block.bytes();
    table.block.clear();
  }
  return {};
}

Result<void> WalSegment::reserve(std::uint64_t bytes) {
  if (written_ + bytes <= reserved_) return {};
  // Twice of it, so as not to ask for each write.
  while (fallocate(fd_, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(written_), static_cast<off_t>(2 * bytes)) !=
         0) {
    if (errno == EINTR) continue;
    if (errno == EOPNOTSUPP || errno == ENOSYS) break;
    return system_error(path_);
  }
  reserved_ = written_ + 2 * bytes;
  return {};
}

Result<void> WalSegment::sync() {
  if (fdatasync(fd_) != 0) return system_error(path_);
  if (!named_on_disk_) WEIR_CHECK(sync_path(std::filesystem::path(path_).parent_path().string()));
  named_on_disk_ = true;
  return {};
}

// The file in memory; its writer is gone or will not touch it any more.
struct SegmentReader::Mapping {
  Bytes bytes;

  Mapping() noexcept = default;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (!bytes.empty()) munmap(const_cast<std::uint8_t*>(bytes.data()), bytes.size());
  }
};

SegmentReader::SegmentReader(std::unique_ptr<Mapping> mapping) noexcept : mapping_(std::move(mapping)) {}
SegmentReader::SegmentReader(SegmentReader&&) noexcept = default;
SegmentReader& SegmentReader::operator=(SegmentReader&&) noexcept = default;
SegmentReader::~SegmentReader() = default;

Result<SegmentReader> SegmentReader::open(
    const std::string& path, const std::function<const RecordType*(std::string_view)>& type_named) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return system_error(path);
  struct stat now{};
  auto mapping = std::make_unique<Mapping>();
  if (fstat(fd, &now) == 0 && now.st_size > 0) {
    const auto size = static_cast<std::size_t>(now.st_size);
    void* p = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (p == MAP_FAILED) {
      auto error = system_error(path);
      ::close(fd);
      return error;
    }
    mapping->bytes = {static_cast<const std::uint8_t*>(p), size};
  }
  ::close(fd);
  SegmentReader reader(std::move(mapping));
  reader.scan(type_named);
  return reader;
}

void SegmentReader::scan(const std::function<const RecordType*(std::string_view)>& type_named) {
  const Bytes all = mapping_->bytes;
  std::size_t at = as_text(all).starts_with(magic) ? magic.size() : all.size();
  if (at == all.size()) cut_ = at == magic.size() ? 0 : at;
  std::map<std::uint32_t, const BlockDecoder*> tables;
  while (all.size() - at >= sizeof(FrameHeader)) {
    FrameHeader header;
    std::memcpy(&header, all.data() + at, sizeof header);
    const Bytes rest = all.subspan(at + sizeof header);
    if (header.size > rest.size() || header.bitmap > header.size ||
        checksum_of(header, rest.data()) != header.checksum)
      break;
    const Bytes body = rest.first(header.size);
    at += sizeof header + header.size;
    if (header.kind == static_cast<std::uint32_t>(FrameKind::schema)) {
      const RecordType* type = type_named(BlockDecoder::name_in(body));
      auto decoder = type == nullptr ? std::nullopt : BlockDecoder::make(body, *type);
      if (!decoder) continue;
      decoders_.push_back(std::make_unique<BlockDecoder>(*std::move(decoder)));
      tables[header.table] = decoders_.back().get();
    } else if (const auto table = tables.find(header.table); table != tables.end()) {
      blocks_.push_back({table->second, body.subspan(header.bitmap), header.count});
      hold(*table->second, {.count = header.count,
                            .timed = header.timed != 0,
                            .earliest = {header.earliest},
                            .latest = {header.latest},
                            .present = std::string(as_text(body.first(header.bitmap)))});
    }
  }
  cut_ += all.size() - at;
}

void SegmentReader::hold(const BlockDecoder& decoder, const BlockSummary& summary) {
  auto holding = std::ranges::find(holdings_, &decoder.type(), &SegmentHolding::type);
  if (holding == holdings_.end()) {
    holdings_.push_back({&decoder.type(), {}, std::vector<bool>(decoder.type().fields.size())});
    holding = holdings_.end() - 1;
  }
  BlockSummary& sum = holding->summary;
  sum.count += summary.count;
  sum.timed &= summary.timed;
  sum.earliest = std::min(sum.earliest, summary.earliest);
  sum.latest = std::max(sum.latest, summary.latest);
  const std::vector<bool> fields = decoder.fields_in(as_bytes(summary.present));
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (fields[i]) holding->present[i] = true;
}

bool SegmentReader::Cursor::next(Batch& batch) {
  const std::vector<Block>& blocks = reader_->blocks_;
  while (block_ < blocks.size()) {
    const Block& block = blocks[block_++];
    if (&block.decoder->type() == type_ && block.decoder->decode(block.bytes, block.rows, batch)) return true;
  }
  return false;
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
