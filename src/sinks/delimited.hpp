// Rows of text with a separator, a header line first: what csv and tsv have in common. A Format says how one
// text is written:
//   static constexpr std::string_view extension; char separator; char joiner (of list elements);
//   static void put(std::string& out, std::string_view text, bool in_list);
// Null is nothing between two separators. Bytes that are not UTF-8, and control characters, are \xNN.
#pragma once

#include "os/output_file.hpp"
#include "plugin/columns.hpp"

namespace weir {

template <class Format>
class DelimitedSink final : public Sink {
 public:
  static Result<std::unique_ptr<Sink>> open(const SinkOptions& options) {
    WEIR_CHECK(check_one_type(options, Format::extension));
    WEIR_TRY(auto columns, select_columns(options));
    WEIR_TRY(auto outputs, OutputSet::open(options.destination, Format::extension));
    return std::unique_ptr<Sink>(new DelimitedSink(options, std::move(columns), std::move(outputs)));
  }

  void encode(const RecordType& type, const void* record, std::string& out) const override {
    bool first = true;
    for (const FieldInfo* field : columns_[type.id]) {
      if (!first) out += Format::separator;
      first = false;
      put_field(out, *field, record);
    }
    if (!first) out += '\n';
  }

  Result<void> consume(const RecordType& type, const void*, std::string_view encoded) override {
    if (encoded.empty()) return {};
    WEIR_TRY(OutputFile * file, outputs_.file(type.id, type.name));
    WEIR_CHECK(put_header(type, *file));
    return file->write(encoded);
  }
  Result<void> flush() override { return outputs_.flush(); }
  Result<void> close() override {
    // Without any record the header still tells what would have come.
    if (!outputs_.is_folder() && types_.size() == 1) {
      WEIR_TRY(OutputFile * file, outputs_.file(types_[0]->id, types_[0]->name));
      WEIR_CHECK(put_header(*types_[0], *file));
    }
    return outputs_.close();
  }

 private:
  DelimitedSink(const SinkOptions& options, std::vector<Columns> columns, OutputSet outputs)
      : types_(options.types),
        time_(options.time),
        columns_(std::move(columns)),
        outputs_(std::move(outputs)) {}

  void put_field(std::string& out, const FieldInfo& field, const void* record) const {
    if (!field.is_list) {
      if (const void* value = field.value(record)) put_value(out, field.kind, value, false);
      return;
    }
    const ListView list = field.list(record);
    std::string joined;
    for (std::size_t i = 0; i < list.size; ++i) {
      if (i != 0) joined += Format::joiner;
      put_value(joined, field.kind, list.data + i * list.stride, true);
    }
    out += Format::finish_list(joined);
  }
  void put_value(std::string& out, Kind kind, const void* value, bool in_list) const {
    if (kind == Kind::text)
      Format::put(out, *static_cast<const Text*>(value), in_list);
    else
      append_value(out, kind, value, time_);
  }
  Result<void> put_header(const RecordType& type, OutputFile& file) {
    if (has_header_[type.id]) return {};
    has_header_[type.id] = true;
    std::string line;
    for (const FieldInfo* field : columns_[type.id]) {
      if (!line.empty()) line += Format::separator;
      line += field->name;
    }
    return file.write(line + "\n");
  }

  std::vector<const RecordType*> types_;
  TimeStyle time_;
  std::vector<Columns> columns_;  // by RecordType::id
  std::vector<bool> has_header_ = std::vector<bool>(record_type_max);
  OutputSet outputs_;
};

}  // namespace weir
