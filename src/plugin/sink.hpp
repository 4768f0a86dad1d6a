// The socket for outputs: one .cpp in src/sinks/.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "core/format.hpp"
#include "core/registry.hpp"
#include "core/schema.hpp"

namespace weir {

struct SinkOptions {
  std::vector<const RecordType*> types;  // the records that will come
  std::vector<std::string> fields;       // -f, checked against the types; empty: all
  bool suggested = false;  // nobody asked for these fields: what is empty or does not fit may be left out
  std::vector<std::string> first_out;  // of suggested fields, which give way to others, the first one first
  std::string destination;  // -w: empty is stdout, a trailing '/' is a folder, else a file. After ://
  TimeStyle time = TimeStyle::rfc3339;
  bool terminal = false;  // it goes to a terminal: for people, in the width there is
  bool colour = false;    // of the terminal: welcome
  unsigned width = 0;     // terminal columns, 0 if not a terminal
};

class Sink {
 public:
  // A sink destroyed without close() leaves no partial file behind.
  virtual ~Sink() = default;
  // Appends the record's bytes to `out`. Text formats do their work here: many threads at once, const.
  virtual void encode(const RecordType& type, const void* record, std::string& out) const = 0;
  // Takes the record, and what encode() made of it, in the output's order. One thread at a time. The record
  // is borrowed until end_batch(), the bytes for the call.
  virtual Result<void> consume(const RecordType& type, const void* record, std::string_view encoded) = 0;
  // The records so far are about to go.
  virtual Result<void> end_batch() { return {}; }
  // Output so far becomes visible to whoever reads stdout.
  virtual Result<void> flush() = 0;
  // Everything is written; files get their names.
  virtual Result<void> close() = 0;
};

struct SinkSpec {
  std::string_view name, doc;
  bool mixes_types;  // several record types may share one stream (NDJSON); if not, one, or a folder
  Result<std::unique_ptr<Sink>> (*open)(const SinkOptions& options);
  bool network = false;  // sent to -o NAME://destination, not written
  // Whether it has a form for such records; nullptr: it has one for any.
  bool (*takes)(const RecordType& type) = nullptr;
};

}  // namespace weir
