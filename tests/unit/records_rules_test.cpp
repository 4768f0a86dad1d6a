// What holds for every record type, whoever adds it.
#include <gtest/gtest.h>

#include <set>

#include "engine/record_types.hpp"

namespace weir {
namespace {

bool is_name(std::string_view name) {
  // 40: what the JSON sink copies in one piece.
  return !name.empty() && name.size() <= 40 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos &&
         name.front() >= 'a' && name.back() != '_';
}

TEST(RecordTypes, NamesAreFitForEveryOutput) {
  std::set<std::string_view> names;
  for (const RecordType* type : record_types()) {
    EXPECT_TRUE(is_name(type->name)) << type->name;
    EXPECT_TRUE(names.insert(type->name).second) << type->name << " is there twice";
    std::set<std::string_view> fields;
    for (const FieldInfo& f : type->fields) {
      EXPECT_TRUE(is_name(f.name)) << type->name << "." << f.name;
      EXPECT_TRUE(fields.insert(f.name).second) << type->name << "." << f.name << " is there twice";
      EXPECT_NE(f.name, "type") << type->name << ": JSON names the record type with that key";
    }
  }
}

TEST(RecordTypes, EverythingIsDocumentedInOneLine) {
  for (const RecordType* type : record_types()) {
    EXPECT_FALSE(type->doc.empty()) << type->name;
    for (const FieldInfo& f : type->fields) {
      EXPECT_FALSE(f.doc.empty()) << type->name << "." << f.name;
      EXPECT_FALSE(f.doc.ends_with('.')) << type->name << "." << f.name << ": no full stop";
      EXPECT_EQ(f.doc.find('\n'), std::string_view::npos) << type->name << "." << f.name;
    }
  }
}

}  // namespace
}  // namespace weir
