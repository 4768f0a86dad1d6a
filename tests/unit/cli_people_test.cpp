#include "cli/front/people.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/record_types.hpp"

namespace weir {
namespace {

TEST(PeopleFields, AreFieldsOfTheirRecords) {
  for (const PeopleFields& people : people_fields()) {
    const RecordType* type = find_record_type(people.record);
    ASSERT_NE(type, nullptr) << people.record;
    for (const std::string_view field : people.fields)
      EXPECT_NE(type->find(field), nullptr) << people.record << " has no " << field;
    for (const std::string_view field : people.first_out)
      EXPECT_NE(std::ranges::find(people.fields, field), people.fields.end())
          << people.record << ": " << field;
  }
}

}  // namespace
}  // namespace weir
