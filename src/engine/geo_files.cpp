#include "engine/geo_files.hpp"

#include <fmt/core.h>
#include <maxminddb.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "os/endpoint.hpp"

namespace weir {
namespace {

constexpr unsigned letters = 26;

// Every pair of letters there is, so that a code is a number and its text needs no owner.
constexpr auto codes = [] {
  std::array<char, std::size_t{2} * letters * letters> all{};
  for (unsigned i = 0; i < letters * letters; ++i) {
    all[2 * i] = static_cast<char>('A' + i / letters);
    all[2 * i + 1] = static_cast<char>('A' + i % letters);
  }
  return all;
}();

unsigned letter(char c) noexcept {
  const auto index = static_cast<unsigned>((c | 0x20) - 'a');
  return index < letters ? index : letters;
}

CountryNumber country_in(const MMDB_entry_data_s& data) noexcept {
  if (!data.has_data || data.type != MMDB_DATA_TYPE_UTF8_STRING) return 0;
  return country_number({data.utf8_string, data.data_size});
}

std::uint32_t as_in(const MMDB_entry_data_s& data) noexcept {
  if (!data.has_data) return 0;
  switch (data.type) {
    case MMDB_DATA_TYPE_UINT16: return data.uint16;
    case MMDB_DATA_TYPE_UINT32: return data.uint32;
    case MMDB_DATA_TYPE_UINT64:
      return data.uint64 <= 0xffffffffU ? static_cast<std::uint32_t>(data.uint64) : 0;
    default: return 0;
  }
}

// Without data where there is none, or what is there cannot be read; `damaged` is set then.
MMDB_entry_data_s value_at(MMDB_entry_s entry, const char* const* path, bool& damaged) noexcept {
  MMDB_entry_data_s data{};
  const int status = MMDB_aget_value(&entry, &data, path);
  if (status != MMDB_SUCCESS) data.has_data = false;
  damaged |= status != MMDB_SUCCESS && status != MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR;
  return data;
}

}  // namespace

CountryNumber country_number(std::string_view code) noexcept {
  if (code.size() != 2) return 0;
  const unsigned first = letter(code[0]), second = letter(code[1]);
  if (first == letters || second == letters) return 0;
  return static_cast<CountryNumber>(first * letters + second + 1);
}

std::string_view country_code(CountryNumber country) noexcept {
  return country == 0 ? std::string_view{} : std::string_view{&codes[2 * (country - 1U)], 2};
}

struct GeoFiles::File {
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (opened) MMDB_close(&db);
  }
  MMDB_s db{};
  bool opened = false;
  std::atomic<std::uint64_t> damaged{0};
};

GeoFiles::GeoFiles() noexcept = default;
GeoFiles::GeoFiles(GeoFiles&&) noexcept = default;
GeoFiles& GeoFiles::operator=(GeoFiles&&) noexcept = default;
GeoFiles::~GeoFiles() = default;

Result<GeoFiles> GeoFiles::open(std::span<const std::string> paths) {
  GeoFiles geo;
  for (const std::string& path : paths) {
    std::error_code error;
    const auto kind = std::filesystem::status(path, error).type();
    if (kind == std::filesystem::file_type::not_found) return fail(Code::usage, "no such file", path);
    // An empty file cannot be mapped.
    if (kind != std::filesystem::file_type::regular || std::filesystem::is_empty(path, error))
      return fail(Code::usage, "is no MMDB file", path);
    auto file = std::make_unique<File>();
    errno = 0;
    const int status = MMDB_open(path.c_str(), MMDB_MODE_MMAP, &file->db);
    const int system = errno;
    if (status == MMDB_FILE_OPEN_ERROR || status == MMDB_IO_ERROR)
      return fail(Code::environment, system != 0 ? std::strerror(system) : "cannot be read", path);
    if (status != MMDB_SUCCESS)
      return fail(Code::usage, "is no MMDB file, or damaged", path, "fetch it again");
    file->opened = true;
    geo.files_.push_back(std::move(file));
  }
  return geo;
}

GeoAnswer GeoFiles::find(const Addr& address) const noexcept {
  static constexpr const char* maxmind_country[] = {"country", "iso_code", nullptr};
  static constexpr const char* flat_country[] = {"country_code", nullptr};
  static constexpr const char* as_number[] = {"autonomous_system_number", nullptr};
  GeoAnswer answer;
  sockaddr_storage socket{};
  to_sockaddr({address, 0}, socket);
  for (const auto& file : files_) {
    int error = MMDB_SUCCESS;
    const MMDB_lookup_result_s found =
        MMDB_lookup_sockaddr(&file->db, reinterpret_cast<const sockaddr*>(&socket), &error);
    // A file of IPv4 says nothing of IPv6.
    bool damaged = error != MMDB_SUCCESS && error != MMDB_IPV6_LOOKUP_IN_IPV4_DATABASE_ERROR;
    if (error == MMDB_SUCCESS && found.found_entry) {
      const auto value = [&](const char* const* path) { return value_at(found.entry, path, damaged); };
      if (answer.country == 0) answer.country = country_in(value(maxmind_country));
      if (answer.country == 0) answer.country = country_in(value(flat_country));
      if (answer.as == 0) answer.as = as_in(value(as_number));
    }
    if (damaged) file->damaged.fetch_add(1, std::memory_order_relaxed);
    if (answer.country != 0 && answer.as != 0) break;
  }
  return answer;
}

std::uint64_t GeoFiles::damaged() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& file : files_) sum += file->damaged.load(std::memory_order_relaxed);
  return sum;
}

}  // namespace weir
