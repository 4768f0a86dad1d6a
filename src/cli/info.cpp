// weir info: what a capture file is, without looking into its packets.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <future>
#include <limits>

#include "cli/front/output.hpp"
#include "core/batch.hpp"
#include "core/digest.hpp"
#include "core/format.hpp"
#include "core/human.hpp"
#include "engine/record_files.hpp"
#include "packet/capture_summary.hpp"
#include "packet/input_paths.hpp"
#include "packet/link_type.hpp"
#include "records/capture.hpp"
#include "records/flow.hpp"

namespace weir {
namespace {

constexpr std::string_view standard_input = "-";

// What can be told of one file; the records are views into it.
struct Described {
  CaptureInfo info;
  CaptureSummary sum;
  std::vector<Damage> damages;
  std::optional<std::uint64_t> file_bytes;
  std::string sha256;
};

std::string file_digest(const std::string& path) {
  auto input = open_stored_input(path);
  if (!input) return {};
  DigestStream digest(Digest::sha256);
  for ((*input)->advance(0, 1); !(*input)->window().empty(); (*input)->advance((*input)->window().size(), 1))
    digest.add((*input)->window());
  return (*input)->broken().empty() ? digest.hex() : std::string{};
}

// The same of a file that holds flows already: their packets and times.
Result<Described> describe_records(const RecordInput& input, bool with_digest) {
  Described d;
  d.sum.in_order = true;
  Time last_start{std::numeric_limits<std::int64_t>::min()};
  Emitter::Wants wants{};
  wants[record_type<Flow>().id].wanted = true;
  const Observer observer = [&](const RecordType&, const void* record) {
    const Time start = static_cast<const Flow*>(record)->time;
    d.sum.in_order = d.sum.in_order && last_start <= start;
    last_start = start;
  };
  const std::atomic<bool> never{false};
  WEIR_TRY(Outcome outcome,
           run_record_files({&input, 1}, wants, nullptr, observer, [](const Progress&) {}, never));
  d.info.name = input.path;
  d.info.format = input.format->name;
  d.sum.packets = outcome.counters.packets;
  d.sum.bytes = outcome.counters.bytes;
  if (outcome.counters.flows != 0) d.sum.first = outcome.first, d.sum.last = outcome.last;
  d.damages = std::move(outcome.damages);
  std::error_code ignored;
  if (const auto size = std::filesystem::file_size(input.path, ignored); !ignored) d.file_bytes = size;
  if (with_digest) d.sha256 = file_digest(input.path);
  return d;
}

Result<Described> describe(const std::string& path, bool with_digest) {
  const auto records = find_record_files({&path, 1});
  if (records && !records->empty()) return describe_records(records->front(), with_digest);
  WEIR_TRY(const auto file, CaptureFile::open(path));
  // Hashing takes longer than counting packets. A pipe cannot be read twice.
  std::future<std::string> digest;
  if (with_digest && path != standard_input && file->bytes_total() != 0)
    digest = std::async(std::launch::async, file_digest, path);
  Described d;
  d.sum = summarize(*file);
  d.info = file->info();
  d.damages = file->damages();
  if (file->bytes_total() != 0) d.file_bytes = file->bytes_total();
  if (digest.valid()) d.sha256 = digest.get();
  return d;
}

Text text_of(Arena& arena, std::string_view s) {
  return s.empty() ? Text{} : arena.copy(s);
}

List<Text> list_of(Arena& arena, const std::vector<std::string>& texts) {
  auto* list = reinterpret_cast<Text*>(arena.allocate(texts.size() * sizeof(Text) + 1, alignof(Text)));
  for (std::size_t i = 0; i < texts.size(); ++i) new (list + i) Text(arena.copy(texts[i]));
  return {list, texts.size()};
}

std::uint32_t snaplen_of(const CaptureInfo& info) {
  std::uint32_t most = 0;
  for (const InterfaceInfo& i : info.interfaces) {
    if (i.snaplen == 0) return 0;
    most = std::max(most, i.snaplen);
  }
  return most;
}

void add_times(Capture& c, const CaptureSummary& sum) {
  c.time = sum.first;
  c.end = sum.last;
  if (!sum.first) return;
  c.packet_bytes = static_cast<double>(sum.bytes) / static_cast<double>(sum.packets);
  c.duration = *sum.last - *sum.first;
  const double seconds = c.duration->seconds();
  if (seconds <= 0) return;
  c.packet_rate = static_cast<double>(sum.packets) / seconds;
  c.bit_rate = 8 * static_cast<double>(sum.bytes) / seconds;
}

void add_lists(Capture& c, const CaptureInfo& info, Arena& arena) {
  std::vector<std::string> link_types, interfaces, comments;
  for (const InterfaceInfo& i : info.interfaces) {
    std::string link_type = link_type_name(i.link_type);
    if (std::find(link_types.begin(), link_types.end(), link_type) == link_types.end())
      link_types.push_back(std::move(link_type));
    if (!i.name.empty()) interfaces.push_back(i.name);
    if (i.dropped) c.dropped = c.dropped.value_or(0) + *i.dropped;
  }
  for (const SectionInfo& s : info.sections) {
    if (!s.comment.empty()) comments.push_back(s.comment);
    if (c.hardware.data() == nullptr) c.hardware = text_of(arena, s.hardware);
    if (c.os.data() == nullptr) c.os = text_of(arena, s.os);
    if (c.application.data() == nullptr) c.application = text_of(arena, s.application);
  }
  c.link_types = list_of(arena, link_types);
  if (!interfaces.empty()) c.interfaces = list_of(arena, interfaces);
  if (!comments.empty()) c.comments = list_of(arena, comments);
}

std::string damage_line(const Damage& d) {
  return fmt::format("{} (at byte {})", d.what, d.offset);
}

Capture capture_of(const Described& d, Arena& arena) {
  Capture c{.file = arena.copy(d.info.name),
            .format = arena.copy(d.info.format),
            .compression = text_of(arena, name_of(d.info.compression)),
            .packets = d.sum.packets,
            .bytes = d.sum.bytes,
            .captured_bytes = d.sum.captured_bytes,
            .file_bytes = d.file_bytes,
            .in_order = d.sum.in_order,
            .sections = static_cast<std::uint32_t>(d.info.sections.size()),
            .sha256 = text_of(arena, d.sha256)};
  add_times(c, d.sum);
  add_lists(c, d.info, arena);
  if (const std::uint32_t snaplen = snaplen_of(d.info); snaplen != 0) c.snaplen = snaplen;
  if (!d.damages.empty()) c.damage = arena.copy(damage_line(d.damages.front()));
  return c;
}

CaptureInterface interface_of(const Described& d, std::size_t number, Arena& arena) {
  const InterfaceInfo& i = d.info.interfaces[number];
  CaptureInterface r{.file = arena.copy(d.info.name),
                     .interface = static_cast<std::uint32_t>(number),
                     .section = i.section,
                     .name = text_of(arena, i.name),
                     .description = text_of(arena, i.description),
                     .link_type = arena.copy(link_type_name(i.link_type)),
                     .ticks_per_second = i.ticks_per_second,
                     .packets = d.sum.interfaces[number].packets,
                     .bytes = d.sum.interfaces[number].bytes,
                     .received = i.received,
                     .dropped = i.dropped,
                     .speed = i.speed,
                     .filter = text_of(arena, i.filter),
                     .hardware = text_of(arena, i.hardware),
                     .os = text_of(arena, i.os),
                     .comment = text_of(arena, i.comment)};
  if (i.snaplen != 0) r.snaplen = i.snaplen;
  return r;
}

std::string page_bits(double per_second) {
  constexpr std::array<std::string_view, 4> units{"bit/s", "kbit/s", "Mbit/s", "Gbit/s"};
  std::size_t unit = 0;
  for (; per_second >= 1000 && unit + 1 < units.size(); ++unit) per_second /= 1000;
  return fmt::format("{:.4g} {}", per_second, units[unit]);
}

std::string page_count(std::uint64_t count, Unit unit) {
  std::string out = human_count(count);
  if (unit == Unit::bytes) out += " B";
  if (unit == Unit::bytes && count >= 1000) out += fmt::format(" ({})", human_bytes(count));
  return out;
}

// One field for a person: exact, and rounded beside it where that helps.
std::string page_value(const FieldInfo& f, const void* value) {
  std::string out;
  switch (f.kind) {
    case Kind::text: append_printable(out, *static_cast<const Text*>(value)); break;
    case Kind::boolean: out = *static_cast<const bool*>(value) ? "yes" : "no"; break;
    case Kind::u32: out = page_count(*static_cast<const std::uint32_t*>(value), f.unit); break;
    case Kind::u64: out = page_count(*static_cast<const std::uint64_t*>(value), f.unit); break;
    case Kind::duration:
      append_value(out, f.kind, value, TimeStyle::rfc3339);
      out += fmt::format(" s ({})", human_duration(*static_cast<const Duration*>(value)));
      break;
    case Kind::f64:
      if (const double number = *static_cast<const double*>(value); f.unit == Unit::bits_per_second)
        out = page_bits(number);
      else
        out = fmt::format("{:.4g}{}", number, f.unit == Unit::bytes ? " B" : "");
      break;
    default: append_value(out, f.kind, value, TimeStyle::rfc3339); break;
  }
  return out;
}

// A record as lines of name and value, nulls left out.
void print_page(const RecordType& type, const void* record) {
  for (const FieldInfo& f : type.fields) {
    std::string value;
    if (f.is_list) {
      const ListView list = f.list(record);
      for (std::size_t i = 0; i < list.size; ++i) {
        const std::string element = page_value(f, list.data + i * list.stride);
        if (!element.empty()) value += (value.empty() ? "" : ", ") + element;
      }
    } else if (const void* v = f.value(record); v != nullptr) {
      value = page_value(f, v);
    }
    if (value.empty()) continue;
    std::string label(f.name);
    std::replace(label.begin(), label.end(), '_', ' ');
    fmt::print("{:<16} {}\n", label, value);
  }
}

// Without -o, -f and -w: pages for people.
bool wants_page(const Arguments& arguments) {
  return !arguments.has("output") && !arguments.has("fields") && arguments.value("write").empty() &&
         !arguments.has("interfaces");
}

class Printer {
 public:
  Printer(const Arguments& arguments, std::unique_ptr<Sink> sink)
      : interfaces_(arguments.has("interfaces")), sink_(std::move(sink)) {}

  Result<void> print(const Described& d) {
    batch_.clear();
    if (!interfaces_) return put(capture_of(d, batch_.arena()));
    for (std::size_t i = 0; i < d.info.interfaces.size(); ++i)
      WEIR_CHECK(put(interface_of(d, i, batch_.arena())));
    return {};
  }
  Result<void> close() { return sink_ == nullptr ? Result<void>{} : sink_->close(); }

 private:
  template <Record R>
  Result<void> put(const R& record) {
    const RecordType& type = record_type<R>();
    if (sink_ == nullptr) {
      if (printed_) fmt::print("\n");
      print_page(type, &record);
      printed_ = true;
      return {};
    }
    encoded_.clear();
    sink_->encode(type, &record, encoded_);
    WEIR_CHECK(sink_->consume(type, &record, encoded_));
    return sink_->end_batch();
  }

  bool interfaces_, printed_ = false;
  std::unique_ptr<Sink> sink_;  // none: pages
  Batch batch_;
  std::string encoded_;
};

Result<std::unique_ptr<Sink>> sink_for(const Arguments& arguments) {
  if (wants_page(arguments)) return nullptr;
  const RecordType& type =
      arguments.has("interfaces") ? record_type<CaptureInterface>() : record_type<Capture>();
  WEIR_TRY(const auto output, output_from(arguments, {&type}, "table"));
  return output.sink->open(output.options);
}

Result<int> run(const Arguments& arguments) {
  WEIR_TRY(const auto paths, expand_inputs(arguments.all("")));
  WEIR_TRY(auto sink, sink_for(arguments));
  Printer printer(arguments, std::move(sink));
  int code = 0;
  for (const std::string& path : paths) {
    const auto described = describe(path, !arguments.has("no-digest"));
    if (!described) {
      // The others are told about all the same.
      if (paths.size() == 1) return tl::unexpected<Error>(described.error());
      fmt::print(stderr, "weir: {}\n", described.error().line());
      code = std::max(code, described.error().exit_code());
      continue;
    }
    for (const Damage& d : described->damages) {
      fmt::print(stderr, "weir: {}: {}\n", d.file, damage_line(d));
      code = std::max(code, Error{}.exit_code());
    }
    WEIR_CHECK(printer.print(*described));
  }
  WEIR_CHECK(printer.close());
  return code;
}

constexpr Option options[] = {
    {.name = "",
     .value = "FILE",
     .doc = "pcap, pcapng, snoop, nfdump's or flow-tools', also compressed with gzip, zstd, lz4 or xz; - is "
            "stdin",
     .choices = "@files",
     .many = true,
     .required = true},
    {.name = "interfaces", .letter = 'i', .doc = "One record per interface instead of one per file"},
    {.name = "no-digest", .doc = "Leave the SHA-256 out, which takes longer than all the rest"},
    output_option,
    fields_option,
    write_option,
    time_option,
};
constexpr RecordTypeOf records[] = {record_type<Capture>, record_type<CaptureInterface>};
constexpr CommandSpec spec{
    .name = "info",
    .doc = "Tell what capture files are: format, interfaces, packets, times, damage",
    .help =
        "The exit code is 1 when a file is damaged; what is whole in it is counted.\n"
        "\n"
        "Examples:\n"
        "  weir info trace.pcapng\n"
        "  weir info -i trace.pcapng                   the interfaces in it\n"
        "  weir info *.pcap -o csv -f file,packets,duration\n",
    .options = options,
    .run = run,
    .group = "Traffic",
    .records = records,
};

}  // namespace
WEIR_REGISTER(CommandSpec, spec);
}  // namespace weir
