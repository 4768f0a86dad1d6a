#include "cli/front/data.hpp"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "core/suggest.hpp"
#include "engine/record_types.hpp"
#include "store/clickhouse_archive.hpp"

namespace weir {
namespace {

std::atomic<bool> interrupted{false};
extern "C" void interrupt_question(int) {
  interrupted = true;
  std::signal(SIGINT, SIG_DFL);  // a second one ends the program at once
}

}  // namespace

Result<std::string> data_folder(const Arguments& arguments) {
  if (arguments.has("data")) return std::string(arguments.value("data"));
  const char* set = std::getenv("WEIR_DATA");
  if (set != nullptr && *set != '\0') return std::string(set);
  return fail(Code::usage, "no folder of stored records is named", "--data",
              "give --data DIR or set WEIR_DATA");
}

Result<LakeReader> open_lake(const Arguments& arguments) {
  WEIR_TRY(const std::string data, data_folder(arguments));
  std::error_code ignored;
  const std::filesystem::path temporary = std::filesystem::temp_directory_path(ignored);
  return LakeReader::open(
      {.data = data, .duck = {.memory_limit = "2GB", .temporary_folder = temporary.string()}});
}

Result<std::unique_ptr<Archive>> open_archive(const Arguments& arguments) {
  if (arguments.has("store")) {
    WEIR_TRY(const ClickHouseUrl url, ClickHouseUrl::parse(arguments.value("store"), "--store"));
    return open_clickhouse(url);
  }
  WEIR_TRY(LakeReader lake, open_lake(arguments));
  return std::make_unique<LakeReader>(std::move(lake));
}

Result<const RecordType*> record_from(const Arguments& arguments) {
  const std::string_view name = arguments.value("record");
  if (const RecordType* type = find_record_type(name)) return type;
  std::vector<std::string_view> known;
  for (const RecordType* type : record_types()) known.push_back(type->name);
  return fail(Code::usage, "unknown record " + std::string(name), "--record",
              suggestion(name, known, "weir schema lists them"));
}

Waiting::Waiting(bool quiet) : progress_(!quiet) {
  std::signal(SIGINT, interrupt_question);
}

QueryWatch Waiting::watch() {
  return [this](double share) {
    progress_.update(share);
    return !interrupted;
  };
}

Result<void> put(Sink& sink, const RecordType& type, const void* record) {
  thread_local std::string encoded;
  encoded.clear();
  sink.encode(type, record, encoded);
  WEIR_CHECK(sink.consume(type, record, encoded));
  return sink.end_batch();
}

}  // namespace weir
