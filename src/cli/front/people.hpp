// What people look for first: a line of a terminal has room for so many columns.
#pragma once

#include <span>
#include <string_view>

namespace weir {

struct PeopleFields {
  std::string_view record;
  std::span<const std::string_view> fields;
  // Of them those that give way where there is no room for all, the first one first.
  std::span<const std::string_view> first_out{};
};

// By the record's name. Types that are not there are shown from their first field on, as far as there is
// room.
std::span<const PeopleFields> people_fields() noexcept;

}  // namespace weir
