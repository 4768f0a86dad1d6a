// Countries and autonomous systems of addresses, out of MMDB files (MaxMind DB File Format 2.0): MaxMind's
// own layout and the flat one of ip-location-db. Const once open: any thread may look up.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/addr.hpp"

namespace weir {

// An ISO 3166-1 alpha-2 code as a number from 1; 0 is none.
using CountryNumber = std::uint16_t;
// 0 when the text is no such code.
CountryNumber country_number(std::string_view code) noexcept;
// Upper case; lives as long as the program.
std::string_view country_code(CountryNumber country) noexcept;

struct GeoAnswer {
  CountryNumber country = 0;
  std::uint32_t as = 0;  // 0: none (RFC 7607)
};

class GeoFiles {
 public:
  // Fails with one line that names the file: missing or none of the format (Code::usage), or
  // unreadable.
  static Result<GeoFiles> open(std::span<const std::string> paths);
  GeoFiles() noexcept;
  GeoFiles(GeoFiles&&) noexcept;
  GeoFiles& operator=(GeoFiles&&) noexcept;
  ~GeoFiles();

  bool empty() const noexcept { return files_.empty(); }
  // Of each value the first file that has one tells it. What is damaged tells nothing, and is counted.
  GeoAnswer find(const Addr& address) const noexcept;
  // How often a file was damaged where an address was looked up.
  std::uint64_t damaged() const noexcept;

 private:
  struct File;
  std::vector<std::unique_ptr<File>> files_;
};

}  // namespace weir
