// Names of link types, as LINKTYPE_ numbers are listed in draft-ietf-opsawg-pcaplinktype: lower case, without
// the prefix. "ethernet", "linux_sll2".
#pragma once

#include <cstdint>
#include <string>

namespace weir {

// A number that is not known here is written as such: "147".
std::string link_type_name(std::uint16_t link_type);

}  // namespace weir
