#include "cli/front/record_writer.hpp"

#include "os/terminal.hpp"

namespace weir {

Result<std::unique_ptr<RecordWriter>> RecordWriter::open(const Arguments& arguments,
                                                         const RecordTypes& types) {
  const std::string_view where = arguments.value("where");
  WEIR_TRY(Filter filter, Filter::compile(where, types));
  const bool terminal = !arguments.has("write") && stdout_terminal().present;
  WEIR_TRY(const Output output, output_from(arguments, types, terminal ? "table" : "json"));
  std::unique_ptr<RecordWriter> writer(new RecordWriter(std::move(filter)));
  writer->wants_ = wants_of(types, writer->filter_, where);
  WEIR_TRY(writer->sink_, output.sink->open(output.options));
  return writer;
}

Result<void> RecordWriter::write_batch() {
  for (const Batch::Entry& entry : batch_.entries()) WEIR_CHECK(weir::put(*sink_, *entry.type, entry.record));
  batch_.clear();
  return {};
}

}  // namespace weir
