// The alias table: documented, and every target is a field wherever its record type is built in.
#include "filter/aliases.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "engine/record_types.hpp"
#include "filter/filter.hpp"

namespace weir {
namespace {

std::string code(std::string_view word) {
  return "`" + std::string(word) + "`";
}

TEST(FilterAliases, EachIsInTheManual) {
  std::ifstream in(WEIR_TEST_DATA "/../../docs/filter.md");
  const std::string manual{std::istreambuf_iterator<char>(in), {}};
  for (const filter::Alias& a : filter::aliases()) {
    const bool nfdump = a.word.find('.') == std::string_view::npos;
    const std::string row =
        "| " + code(a.word) + " | " + code(a.target) + (a.with.empty() ? "" : " and " + code(a.with));
    EXPECT_NE(manual.find(row + (nfdump ? "" : " |")), std::string::npos) << row;
  }
  for (const filter::Macro& m : filter::macros()) {
    EXPECT_NE(manual.find(code(m.word)), std::string::npos) << m.word;
    EXPECT_NE(manual.find("| " + code(m.expression) + " |"), std::string::npos) << m.expression;
  }
  for (const std::string_view word : filter::phrase_words())
    EXPECT_NE(manual.find(word), std::string::npos) << word;
}

TEST(FilterAliases, EachMeansAFieldOfSomeRecord) {
  const auto types = record_types();
  for (const filter::Alias& a : filter::aliases()) {
    const std::size_t dot = a.target.find('.');
    if (dot != std::string_view::npos && find_record_type(a.target.substr(0, dot)) == nullptr) continue;
    const auto filter = Filter::compile("exists " + std::string(a.word), types);
    EXPECT_TRUE(filter) << a.word << " → " << a.target;
  }
  for (const filter::Macro& m : filter::macros()) EXPECT_TRUE(Filter::compile(m.word, types)) << m.word;
}

}  // namespace
}  // namespace weir
