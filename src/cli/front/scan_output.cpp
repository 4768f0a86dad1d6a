#include "cli/front/scan_output.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>

#include "cli/front/stored_scan.hpp"
#include "core/human.hpp"
#include "engine/tee.hpp"
#include "os/terminal.hpp"
#include "records/host.hpp"
#include "records/port.hpp"
#include "records/port_count.hpp"
#include "records/scan.hpp"
#include "records/service.hpp"

namespace weir {
namespace {

const std::atomic<bool> never{false};

bool is_stdout(std::string_view destination) {
  return destination.empty() || destination == "-";
}

std::vector<ScanReport> asked_for(const Arguments& arguments) {
  std::vector<ScanReport> files;
  const auto add = [&](std::string_view sink, std::string destination) {
    files.push_back({find_plugin<SinkSpec>(sink), std::move(destination)});
    WEIR_ASSERT(files.back().sink != nullptr);
  };
  for (const Option& option : report_options) {
    if (!arguments.has(option.name)) continue;
    const std::string value(arguments.value(option.name));
    if (option.name != "nmap-all") {
      add(option.name, value);
      continue;
    }
    add("nmap-xml", value + ".xml");
    add("nmap-grep", value + ".gnmap");
    add("nmap", value + ".nmap");
  }
  return files;
}

Result<ScanReports> reports_from(const Arguments& arguments) {
  ScanReports reports{.files = asked_for(arguments)};
  for (const Option& option : report_options)
    if (arguments.has(option.name) && arguments.value(option.name).empty())
      return fail(Code::usage, "names no file", std::string(option.word), "- is stdout");
  std::vector<std::string_view> taken;
  if (arguments.has("write") && !stores(arguments)) taken.push_back(arguments.value("write"));
  for (const ScanReport& report : reports.files) {
    reports.on_stdout = reports.on_stdout || is_stdout(report.destination);
    if (std::ranges::find(taken, report.destination) != taken.end())
      return fail(Code::usage, "would be written twice",
                  is_stdout(report.destination) ? "stdout" : report.destination, "give each its own file");
    taken.push_back(report.destination);
  }
  if (!reports.on_stdout || stores(arguments) || !is_stdout(arguments.value("write"))) return reports;
  if (arguments.has("output"))
    return fail(Code::usage, "would be written twice", "stdout", "name a file for one of them: -w FILE");
  reports.alone = true;
  return reports;
}

// Out of a file, or of a folder of --data.
Result<ScanResult> earlier_scan(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored) ? stored_scan(path) : ScanResult::read(path);
}

bool is_shown(ShownStates shown, const RecordType& type, const void* record) {
  const auto has = [&](Shown state) { return shown[static_cast<std::size_t>(state)]; };
  if (&type == &record_type<Host>())
    return static_cast<const Host*>(record)->state == "up" || has(Shown::down);
  if (&type != &record_type<Port>()) return true;
  const Port& port = *static_cast<const Port*>(record);
  if (port.reason == "no_reply") return has(Shown::unanswered);
  if (port.state == "closed") return has(Shown::closed);
  if (port.state == "filtered") return has(Shown::filtered);
  return port.state == "unfiltered" ? has(Shown::unfiltered) : has(Shown::open);
}

}  // namespace

Result<ScanSelection> select_scan_output(const Arguments& arguments, bool discovery, bool services) {
  WEIR_TRY(ScanReports reports, reports_from(arguments));
  RecordTypes usual{&record_type<Host>(), &record_type<Port>(), &record_type<Scan>()};
  if (services) usual.push_back(&record_type<Service>());
  RecordTypes found = usual;
  found.push_back(&record_type<PortCount>());
  const bool compares = arguments.has("diff");
  const RecordTypes offered = compares ? RecordTypes{&record_type<ScanChange>()} : found;
  if (compares) usual = offered;
  const bool terminal = !arguments.has("write") && stdout_terminal().present;
  WEIR_TRY(const SinkSpec* chosen, chosen_sink(arguments));
  const bool mixed = chosen == nullptr ? !terminal : chosen->mixes_types && chosen->name != "table";
  const RecordTypes one{discovery  ? &record_type<Host>()
                        : services ? &record_type<Service>()
                                   : &record_type<Port>()};
  const bool all = compares || mixed || stores(arguments) || arguments.value("write").ends_with('/');
  WEIR_TRY(RecordTypes types, selected_types(arguments, offered, all ? usual : one, "scan"));
  const std::string_view where = arguments.value("where");
  const RecordTypes& made = compares || reports.files.empty() ? types : found;
  WEIR_TRY(Filter filter, Filter::compile(where, made));
  Emitter::Wants wants = wants_of(made, filter, where);
  if (compares)
    for (const RecordType* type : found) wants[type->id].wanted = true;
  // What reports say of the whole scan is no matter of --where.
  if (!reports.files.empty()) wants[record_type<Scan>().id] = {.wanted = true};
  WEIR_TRY(Output output, output_from(arguments, types, terminal ? "table" : "json"));
  return ScanSelection{std::move(found), std::move(filter), wants, std::move(output), std::move(reports)};
}

Result<ScanOutput> open_scan_output(const Arguments& arguments, const ScanSelection& selection,
                                    const ScanReach& reach, ShownStates shown) {
  ScanOutput out;
  std::vector<TeeOutput> outputs;
  const bool where = arguments.has("where") && !arguments.has("diff");
  if (!selection.reports.alone) {
    WEIR_TRY(out.storing, open_destination(arguments, selection.output, WhenDiskFull::refuse, never));
    RecordTypes types = selection.output.options.types;
    if (arguments.has("diff")) {
      WEIR_TRY(ScanResult before, earlier_scan(std::string(arguments.value("diff"))));
      const Emitter::Want& want = selection.wants[record_type<ScanChange>().id];
      auto diff = std::make_unique<ScanDiffSink>(
          std::move(before), reach, ChangeFilter{want.accept, want.filter}, std::move(out.storing.sink));
      out.diff = diff.get();
      out.storing.sink = std::move(diff);
      types = selection.found;
    }
    outputs.push_back({std::move(out.storing.sink), std::move(types),
                       [&filter = selection.filter, where](const RecordType& type, const void* record) {
                         return !where || &type != &record_type<Scan>() ||
                                (filter.possible(type) && Filter::accept(filter.predicate(type), record));
                       }});
  }
  for (const ScanReport& report : selection.reports.files) {
    SinkOptions options{.types = selection.found, .fields = {}, .destination = report.destination};
    WEIR_TRY(auto sink, report.sink->open(options));
    outputs.push_back({std::move(sink), selection.found, [shown](const RecordType& type, const void* record) {
                         return is_shown(shown, type, record);
                       }});
  }
  out.storing.sink =
      selection.reports.files.empty() ? std::move(outputs.front().sink) : make_tee(std::move(outputs));
  return out;
}

void tell_differences(const Arguments& arguments, const ScanResult& before,
                      const ScanDifferences& differences) {
  char time[time_text_max];
  fmt::print(stderr, "weir: {} since {}, {}\n",
             differences.changes == 0   ? "nothing changed"
             : differences.changes == 1 ? "1 change"
                                        : human_count(differences.changes) + " changes",
             arguments.value("diff"),
             std::string_view(time, write_rfc3339(time, before.ended)).substr(0, 16));
  const auto text = [](std::uint64_t count, std::string_view one) {
    return human_count(count) + " " + std::string(one) + (count == 1 ? "" : "s");
  };
  std::string then;
  if (differences.new_hosts > 0) then = text(differences.new_hosts, "host");
  if (differences.new_ports > 0)
    then += (then.empty() ? "" : ", ") + text(differences.new_ports, "open port");
  if (!then.empty()) fmt::print(stderr, "weir: not compared, as not asked then: {}\n", then);
  if (differences.old_hosts > 0)
    fmt::print(stderr, "weir: not compared, as not asked now: {}\n", text(differences.old_hosts, "host"));
  if (!differences.targets_told && differences.changes > 0)
    fmt::print(stderr,
               "weir: {} does not say which addresses it asked: a host_up may be one that it did not\n",
               arguments.value("diff"));
}

Result<int> compare_scan_files(const Arguments& arguments) {
  if (!arguments.has("diff"))
    return fail(Code::usage, "needs an earlier scan to compare with", "--with", "name it by --diff FILE");
  if (!arguments.all("").empty())
    return fail(Code::usage, "compares two files and scans nothing", "--with", "leave the targets out");
  WEIR_TRY(const ScanSelection selection, select_scan_output(arguments, false, true));
  if (!selection.reports.files.empty())
    return fail(Code::usage, "compares two files and finds nothing to report", "--with",
                "leave -oX out, and its like");
  WEIR_TRY(const ScanResult before, earlier_scan(std::string(arguments.value("diff"))));
  WEIR_TRY(const ScanResult after, earlier_scan(std::string(arguments.value("with"))));
  WEIR_TRY(const Storing storing, open_destination(arguments, selection.output, WhenDiskFull::refuse, never));
  const Emitter::Want& want = selection.wants[record_type<ScanChange>().id];
  WEIR_TRY(const ScanDifferences differences,
           write_scan_changes(before, after, {}, {want.accept, want.filter}, *storing.sink));
  WEIR_CHECK(storing.sink->close());
  if (!arguments.has("quiet")) tell_differences(arguments, before, differences);
  return differences.changes == 0 ? 0 : 1;
}

}  // namespace weir
