// Mistakes in an expression: one line with the column and, where there is one, the remedy.
#include <gtest/gtest.h>

#include "filter/filter.hpp"
#include "filter_records.hpp"

namespace weir {
namespace {

struct Case {
  std::string_view expression, line;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.expression;
}

class FilterError : public testing::TestWithParam<Case> {};

TEST_P(FilterError, Line) {
  const auto filter = Filter::compile(GetParam().expression, sample_types());
  ASSERT_FALSE(filter) << filter->normal_form();
  EXPECT_EQ(filter.error().line(), GetParam().line);
  EXPECT_EQ(filter.error().code, Code::usage);
}

constexpr Case cases[] = {
    {"proto == tcp and dst_prot == 443", "--where:18: no field \"dst_prot\" (did you mean dst_port?)"},
    {"zzz == 1", "--where:1: no field \"zzz\" (weir schema lists the fields)"},
    {"sample.byte > 1", "--where:1: no field \"sample.byte\" (did you mean sample.bytes?)"},
    {"bytes == \"abc\"",
     "--where:10: bytes is a number; \"abc\" is not one (write 1500, 1k, 1M, 1Mi or 0x1f)"},
};
INSTANTIATE_TEST_SUITE_P(Lines, FilterError, testing::ValuesIn(cases));

}  // namespace
}  // namespace weir
