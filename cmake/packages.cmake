# What the product links: Debian packages, and DuckDB from npm. Nothing is downloaded here.
find_package(PkgConfig REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(fmt REQUIRED)
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(BZip2 REQUIRED)
pkg_check_modules(PCAP REQUIRED IMPORTED_TARGET libpcap)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(LZ4 REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(LZMA REQUIRED IMPORTED_TARGET liblzma)
pkg_check_modules(LZO REQUIRED IMPORTED_TARGET lzo2)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(MAXMIND REQUIRED IMPORTED_TARGET libmaxminddb)
find_package(tl-expected REQUIRED)
find_package(CLI11 REQUIRED)
find_package(DuckDB REQUIRED)
find_package(Boost 1.81 REQUIRED)
pkg_check_modules(NETSNMP REQUIRED IMPORTED_TARGET netsnmp)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-cpp)

add_library(weir_packages INTERFACE)
target_link_libraries(weir_packages INTERFACE
  OpenSSL::SSL OpenSSL::Crypto fmt::fmt Threads::Threads ZLIB::ZLIB BZip2::BZip2 PkgConfig::PCAP PkgConfig::ZSTD
  PkgConfig::LZ4 PkgConfig::LZMA PkgConfig::LZO PkgConfig::PCRE2 PkgConfig::SQLITE PkgConfig::MAXMIND tl::expected
  DuckDB::Header Boost::headers PkgConfig::YAML PkgConfig::NETSNMP ${CMAKE_DL_LIBS})
