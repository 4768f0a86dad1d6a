// The options by which a command adds to flows what weir knows of their addresses. A command puts them into
// its option table and calls open_enrichment().
#pragma once

#include <memory>

#include "engine/enrichment.hpp"
#include "plugin/command.hpp"

namespace weir {

inline constexpr Option geo_option{
    .name = "geo",
    .value = "FILE",
    .doc = "Add countries and autonomous systems out of this MMDB file; several may be given",
    .choices = "@files",
    .many = true,
    .group = "Adding to flows"};
inline constexpr Option networks_option{
    .name = "networks",
    .value = "FILE",
    .doc = "Add names of own networks; a line of the file is 10.1.0.0/16 office",
    .choices = "@files",
    .group = "Adding to flows"};
inline constexpr Option resolve_option{
    .name = "resolve",
    .doc = "Ask the system's name servers for names of addresses; flows do not wait for them",
    .group = "Adding to flows"};

inline constexpr Option enriching_options[] = {geo_option, networks_option, resolve_option};

// nullptr when no such option is given.
Result<std::unique_ptr<const Enrichment>> open_enrichment(const Arguments& arguments);

}  // namespace weir
