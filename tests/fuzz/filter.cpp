// Any text as a filter: it compiles or it is one line of error. What compiles can be run, and its normal form
// means the same.
#include <cstdint>
#include <string_view>

#include "../unit/filter_records.hpp"
#include "core/assert.hpp"
#include "filter/filter.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const auto filter = Filter::compile({reinterpret_cast<const char*>(data), size}, sample_types());
  if (!filter) {
    const std::string line = filter.error().line();
    WEIR_ASSERT(line.find('\n') == std::string::npos && line.starts_with("--where:"));
    return 0;
  }
  const auto again = Filter::compile(filter->normal_form(), sample_types());
  WEIR_ASSERT(again.has_value());
  WEIR_ASSERT(again->explain() == filter->explain());
  for (const RecordType* type : sample_types()) WEIR_ASSERT(filter->to_sql(*type) == again->to_sql(*type));
  const FilterSample empty{};
  const FilterOther other{};
  for (const FilterSample* record : {&empty, &sample()})
    WEIR_ASSERT(Filter::accept(filter->predicate(record_type<FilterSample>()), record) ==
                Filter::accept(again->predicate(record_type<FilterSample>()), record));
  WEIR_ASSERT(Filter::accept(filter->predicate(record_type<FilterOther>()), &other) ==
              Filter::accept(again->predicate(record_type<FilterOther>()), &other));
  return 0;
}
