#include "cli/front/stored_scan.hpp"

#include <fmt/format.h>

#include "records/host.hpp"
#include "records/port.hpp"
#include "records/scan.hpp"
#include "records/service.hpp"
#include "store/lake_reader.hpp"
#include "store/stored_rows.hpp"

namespace weir {
namespace {

// Calls f with each record of a type, those that follow `rest` in SQL.
template <class F>
Result<void> each(LakeReader& lake, const RecordType& type, const std::string& rest, F&& f) {
  const auto rows = ask_again([&]() -> Result<std::unique_ptr<AnswerRows>> {
    WEIR_TRY(const QuestionPart part, lake.records(type, {}));
    std::vector<std::string> columns;
    std::string select;
    for (const FieldInfo& field : type.fields) {
      columns.emplace_back(field.name);
      select += (select.empty() ? "" : ", ") + lake.sql().name(field.name);
    }
    WEIR_TRY(const std::string from, lake.from(type, part, columns));
    return lake.ask(fmt::format("SELECT {} FROM {} AS records{}", select, from, rest), {}, "--diff");
  });
  if (!rows) return tl::unexpected<Error>(rows.error());
  StoredRows stored((*rows)->type(), type);
  for (Batch batch;;) {
    batch.clear();
    WEIR_TRY(const bool more, (*rows)->read(batch));
    if (!more) return {};
    for (const Batch::Entry& row : batch.entries()) f(stored.record(row.record, batch.arena()));
  }
}

}  // namespace

Result<ScanResult> stored_scan(const std::string& folder) {
  WEIR_TRY(LakeReader lake, LakeReader::open({.data = folder, .duck = {}}));
  ScanResult result;
  std::optional<Time> began;
  // Its own record comes last, as in a file: it knows then what there is a record of.
  const auto take_scan = [&](auto&& take) {
    const std::string time = lake.sql().name("time"), complete = lake.sql().name("complete");
    return each(lake, record_type<Scan>(), fmt::format(" WHERE {} ORDER BY {} DESC LIMIT 1", complete, time),
                take);
  };
  WEIR_CHECK(take_scan([&](const void* record) { began = static_cast<const Scan*>(record)->time; }));
  if (!began)
    return fail(Code::usage, "holds no scan that went to its end", folder,
                "weir scan --data " + folder + " keeps one there");
  // Answers to -sV come after the scan's own end.
  for (const RecordType* type : {&record_type<Host>(), &record_type<Port>(), &record_type<Service>()})
    WEIR_CHECK(each(lake, *type, {}, [&](const void* record) {
      const auto* time =
          reinterpret_cast<const Time*>(static_cast<const std::byte*>(record) + type->find("time")->offset);
      if (*time >= *began) result.take(*type, record);
    }));
  WEIR_CHECK(take_scan([&](const void* record) { result.take(record_type<Scan>(), record); }));
  return result;
}

}  // namespace weir
