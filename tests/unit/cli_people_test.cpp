#include "cli/front/people.hpp"

#include <gtest/gtest.h>

#include "engine/record_types.hpp"

namespace weir {
namespace {

TEST(PeopleFields, AreFieldsOfTheirRecords) {
  for (const PeopleFields& people : people_fields()) {
    const RecordType* type = find_record_type(people.record);
    ASSERT_NE(type, nullptr) << people.record;
    for (const std::string_view field : people.fields)
      EXPECT_NE(type->find(field), nullptr) << people.record << " has no " << field;
  }
}

}  // namespace
}  // namespace weir
