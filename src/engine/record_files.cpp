#include "engine/record_files.hpp"

#include <algorithm>
#include <filesystem>

#include "packet/input.hpp"
#include "records/flow.hpp"

namespace weir {
namespace {

constexpr std::size_t head_bytes = 64, head_block = std::size_t{32} << 10U;
constexpr std::size_t records_at_a_time = 1024;

Result<const RecordFileSpec*> format_of(const std::string& path) {
  if (path == "-") return nullptr;
  WEIR_TRY(const auto input, open_input(path, head_block));
  input->advance(0, head_bytes);
  const Bytes head = input->window().first(std::min(input->window().size(), head_bytes));
  for (const RecordFileSpec* spec : registry<RecordFileSpec>())
    if (spec->recognises(head)) return spec;
  return nullptr;
}

std::uint64_t total_size(std::span<const RecordInput> inputs) {
  std::uint64_t total = 0;
  for (const RecordInput& input : inputs) {
    std::error_code ignored;
    if (const auto size = std::filesystem::file_size(input.path, ignored); !ignored) total += size;
  }
  return total;
}

class Run {
 public:
  Run(const Emitter::Wants& wants, Sink* sink, const Observer& observer)
      : emitter_(wants, batch_), sink_(sink), observer_(observer) {}

  // False at the file's end.
  Result<bool> step(RecordFile& file) {
    batch_.clear();
    emitter_.into(batch_);
    WEIR_TRY(const bool more, file.read(emitter_, records_at_a_time));
    for (const Batch::Entry& entry : batch_.entries()) {
      count(*entry.type, entry.record);
      if (observer_) observer_(*entry.type, entry.record);
      if (sink_ == nullptr) continue;
      encoded_.clear();
      sink_->encode(*entry.type, entry.record, encoded_);
      WEIR_CHECK(sink_->consume(*entry.type, entry.record, encoded_));
    }
    if (sink_ != nullptr) WEIR_CHECK(sink_->end_batch());
    return more;
  }
  Outcome& outcome() noexcept { return outcome_; }

 private:
  void count(const RecordType& type, const void* record) {
    ++outcome_.counters.records;
    if (&type != &record_type<Flow>()) return;
    const Flow& flow = *static_cast<const Flow*>(record);
    const bool first = outcome_.counters.flows++ == 0;
    outcome_.counters.packets += flow.packets;
    outcome_.counters.bytes += flow.bytes;
    const Time end = flow.time + flow.duration;
    if (first || flow.time < outcome_.first) outcome_.first = flow.time;
    if (first || outcome_.last < end) outcome_.last = end;
  }

  Batch batch_;
  Emitter emitter_;
  Sink* sink_;
  const Observer& observer_;
  std::string encoded_;
  Outcome outcome_;
};

}  // namespace

Result<std::vector<RecordInput>> find_record_files(std::span<const std::string> paths) {
  std::vector<RecordInput> found;
  std::string other;
  for (const std::string& path : paths) {
    WEIR_TRY(const RecordFileSpec* format, format_of(path));
    if (format != nullptr)
      found.push_back({path, format});
    else
      other = path;
    if (!found.empty() && !other.empty())
      return fail(Code::usage, "is no file of records, but " + found.front().path + " is", other,
                  "read captures and files of records in two commands");
  }
  return found;
}

Result<void> check_record_types(std::span<const RecordInput> inputs,
                                std::span<const RecordType* const> types) {
  std::string held;
  for (const RecordInput& input : inputs)
    for (const RecordTypeOf type : input.format->records) {
      if (std::find(types.begin(), types.end(), &type()) != types.end()) return {};
      if (held.find(type().name) == held.npos) held.append(held.empty() ? "" : ", ").append(type().name);
    }
  return fail(Code::usage, inputs.front().path + " holds no such record", "--records",
              "what it holds: " + held);
}

Result<Outcome> run_record_files(std::span<const RecordInput> inputs, const Emitter::Wants& wants, Sink* sink,
                                 const Observer& observer,
                                 const std::function<void(const Progress&)>& progress,
                                 const std::atomic<bool>& stop) {
  Run run(wants, sink, observer);
  const std::uint64_t total = total_size(inputs);
  std::uint64_t done = 0;
  for (const RecordInput& input : inputs) {
    WEIR_TRY(auto bytes, open_input(input.path));
    WEIR_TRY(const auto file, input.format->open(std::move(bytes), input.path));
    for (bool more = true; more && !stop;) {
      WEIR_TRY(more, run.step(*file));
      progress({.packets = run.outcome().counters.records,
                .bytes_read = done + file->bytes_read(),
                .bytes_total = total});
    }
    done += file->bytes_read();
    const auto& damages = file->damages();
    run.outcome().damages.insert(run.outcome().damages.end(), damages.begin(), damages.end());
    if (stop) break;
  }
  return std::move(run.outcome());
}

}  // namespace weir
