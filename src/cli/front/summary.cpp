#include "cli/front/summary.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "core/human.hpp"
#include "engine/record_types.hpp"
#include "records/oddity.hpp"

namespace weir {
namespace {

constexpr std::size_t rows_shown = 8;
constexpr unsigned narrowest = 60, widest = 110;

// The lists of the page, and which field of which record feeds them. A record or field that does not exist
// feeds nothing.
struct ListSpec {
  const char *title, *unit;
};
constexpr std::array<ListSpec, 4> list_specs = {{{"Names asked (DNS)", "questions"},
                                                 {"TLS and QUIC servers", "connections"},
                                                 {"HTTP hosts", "requests"},
                                                 {"Software seen", "times"}}};
// "flows", or "flow" when it is one.
std::string_view unit_of(std::uint64_t count, std::string_view plural) {
  return count == 1 ? plural.substr(0, plural.size() - 1) : plural;
}
std::string counted_as(std::uint64_t count, std::string_view plural) {
  return fmt::format("{} {}", human_count(count), unit_of(count, plural));
}

struct SourceSpecRow {
  std::size_t list;
  std::string_view record, field;
  const char* prefix;
};
constexpr SourceSpecRow source_rows[] = {
    {0, "dns", "query", ""},
    {1, "tls", "server_name", ""},
    {1, "quic", "server_name", ""},
    {2, "http", "host", ""},
    {3, "http", "user_agent", ""},
    {3, "http", "server", "server "},
    {3, "ssh", "client_software", ""},
    {3, "ssh", "server_software", "server "},
    {3, "smtp", "user_agent", ""},
    {3, "sip", "user_agent", ""},
    {3, "dhcp", "vendor_class", "DHCP "},
};

class Page {
 public:
  Page(bool colour, unsigned width) : colour_(colour), width_(std::clamp(width, narrowest, widest)) {}

  void heading(std::string_view text) { out_ += "\n" + bold(text) + "\n"; }
  void line(std::string_view text) { (out_ += text) += '\n'; }
  std::string bold(std::string_view text) const { return paint("1", text); }
  std::string dim(std::string_view text) const { return paint("2", text); }
  // A bar of eighths, `share` of `columns` long.
  std::string bar(double share, unsigned columns) const {
    static constexpr const char* eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const auto units = static_cast<unsigned>(share * columns * 8 + 0.5);
    std::string blocks;
    for (unsigned i = 0; i < units / 8; ++i) blocks += "█";
    blocks += eighths[units % 8];
    const unsigned used = units / 8 + (units % 8 != 0);
    return paint("36", blocks) + std::string(columns - std::min(columns, used), ' ');
  }
  // Left text padded to `columns`.
  static std::string cell(std::string_view text, std::size_t columns) {
    std::string safe;
    append_printable(safe, text);
    safe = clip(safe, columns);
    return safe + std::string(columns - std::min(columns, display_width(safe)), ' ');
  }
  unsigned width() const noexcept { return width_; }
  std::string paint(const char* code, std::string_view text) const {
    return colour_ ? fmt::format("\033[{}m{}\033[0m", code, text) : std::string(text);
  }
  std::string take() { return std::move(out_); }

 private:
  bool colour_;
  unsigned width_;
  std::string out_;
};

std::string bit_rate(double bits) {
  static constexpr const char* units[] = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"};
  std::size_t unit = 0;
  while (bits >= 1000 && unit + 1 < std::size(units)) bits /= 1000, ++unit;
  return fmt::format("{:.{}f} {}", bits, unit == 0 || bits >= 100 ? 0 : bits >= 10 ? 1 : 2, units[unit]);
}

// The timeline squeezed into `columns` equal parts.
std::vector<std::uint64_t> bytes_by_column(const Timeline& timeline, std::size_t columns) {
  std::vector<std::uint64_t> out(std::min(columns, timeline.steps.size()), 0);
  for (std::size_t i = 0; i < timeline.steps.size(); ++i)
    out[i * out.size() / timeline.steps.size()] += timeline.steps[i].bytes;
  return out;
}

void chart(Page& page, const Timeline& timeline) {
  constexpr unsigned height = 5, margin = 13;
  static constexpr const char* eighths[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const auto columns = bytes_by_column(timeline, page.width() - margin);
  const std::uint64_t peak = columns.empty() ? 0 : *std::max_element(columns.begin(), columns.end());
  if (columns.size() < 2 || peak == 0) return;
  const double column_seconds = timeline.step().seconds() * static_cast<double>(timeline.steps.size()) /
                                static_cast<double>(columns.size());
  page.heading("Traffic");
  for (unsigned row = height; row-- > 0;) {
    std::string blocks;
    for (const std::uint64_t value : columns) {
      const auto units =
          static_cast<int>(static_cast<double>(value) / static_cast<double>(peak) * height * 8 + 0.5);
      blocks += eighths[std::clamp(units - static_cast<int>(row) * 8, 0, 8)];
    }
    const std::string label =
        row == height - 1 ? bit_rate(static_cast<double>(peak) * 8 / column_seconds) : "";
    page.line(fmt::format("{:>11} {}", label, page.paint("36", blocks)));
  }
  const std::string step = human_duration(Duration{static_cast<std::int64_t>(column_seconds * 1e9)});
  page.line(page.dim(fmt::format("{:>11} {}, a column is {}", "", human_time(timeline.start), step)));
}

}  // namespace

void Summary::Ranking::add(std::string_view key, const Tally& amount) {
  auto it = tallies.find(std::string(key));
  if (it == tallies.end()) {
    if (tallies.size() >= most) {
      ++unlisted;
      return;
    }
    it = tallies.emplace(key, Tally{}).first;
  }
  it->second.add(amount);
}

std::vector<std::pair<std::string_view, Summary::Tally>> Summary::Ranking::top(std::size_t n,
                                                                               bool by_bytes) const {
  std::vector<std::pair<std::string_view, Tally>> rows(tallies.begin(), tallies.end());
  const auto before = [&](const auto& a, const auto& b) {
    const std::uint64_t x = by_bytes ? a.second.bytes : a.second.count,
                        y = by_bytes ? b.second.bytes : b.second.count;
    return x != y ? x > y : a.first < b.first;
  };
  std::partial_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(std::min(n, rows.size())),
                    rows.end(), before);
  rows.resize(std::min(n, rows.size()));
  return rows;
}

Summary::Summary() : lists_(list_specs.size()) {
  for (const SourceSpecRow& row : source_rows) {
    const RecordType* type = find_record_type(row.record);
    const FieldInfo* field = type == nullptr ? nullptr : type->find(row.field);
    if (field != nullptr && field->kind == Kind::text && !field->is_list)
      sources_[type].push_back({row.list, field, row.prefix});
  }
}

void Summary::add(const RecordType& type, const void* record) {
  if (&type == &record_type<Flow>()) return add_flow(*static_cast<const Flow*>(record));
  ++others_;
  if (&type == &record_type<Oddity>()) {
    oddities_.add(static_cast<const Oddity*>(record)->name, {.count = 1});
    return;
  }
  const auto it = sources_.find(&type);
  if (it == sources_.end()) return;
  for (const Source& source : it->second) {
    const void* value = source.field->value(record);
    if (value == nullptr || static_cast<const Text*>(value)->empty()) continue;
    (key_ = source.prefix) += *static_cast<const Text*>(value);
    lists_[source.list].add(key_, {.count = 1});
  }
}

void Summary::add_flow(const Flow& flow) {
  char buffer[addr_text_max];
  const Tally amount{.count = 1, .bytes = flow.bytes, .packets = flow.packets};
  flows_.add(amount);
  talkers_.add({buffer, write_addr(buffer, flow.ref.src_ip)}, amount);
  talkers_.add({buffer, write_addr(buffer, flow.ref.dst_ip)}, amount);
  const std::string_view transport = name_of(flow.ref.proto);
  if (flow.application.data() != nullptr)
    applications_.add(flow.application, amount);
  else if (flow.ref.proto == IpProto::tcp || flow.ref.proto == IpProto::udp)
    applications_.add(fmt::format("{}, not recognised", transport), amount);
  else if (!transport.empty())
    applications_.add(transport, amount);
  else
    applications_.add(fmt::format("IP protocol {}", static_cast<unsigned>(flow.ref.proto)), amount);
}

std::string Summary::page(const std::vector<std::string>& inputs, const Outcome& outcome, bool filtered,
                          bool colour, unsigned width) const {
  Page page(colour, width);
  const Counters& n = outcome.counters;
  const Duration length = outcome.last - outcome.first;
  std::string names = inputs.front();
  if (inputs.size() > 1) names += fmt::format(" and {} more", inputs.size() - 1);
  page.line(page.bold(names));
  page.line(fmt::format("{}, {} on the wire, {}", counted_as(n.packets, "packets"), human_bytes(n.bytes),
                        counted_as(n.flows, "flows")));
  if (n.refused_by_bpf > 0)
    page.line(fmt::format(
        "{} of them pass the BPF expression: flows and lists are of these, sizes and chart of all",
        human_count(n.packets - n.refused_by_bpf)));
  if (filtered)
    page.line(fmt::format("{} ({}, {}) and {} pass --where: lists are of these, sizes and chart of all",
                          counted_as(flows_.count, "flows"), counted_as(flows_.packets, "packets"),
                          human_bytes(flows_.bytes), counted_as(others_, "other records")));
  if (n.packets > 0) {
    page.line(fmt::format("{} from {} to {}", human_duration(length), human_time(outcome.first),
                          human_time(outcome.last)));
    if (length.ns > 0)
      page.line(fmt::format("{} on average", bit_rate(static_cast<double>(n.bytes) * 8 / length.seconds())));
  }
  chart(page, outcome.timeline);
  const auto ranked = [&](std::string_view title, const Ranking& ranking) {
    const auto rows = ranking.top(rows_shown, true);
    if (rows.empty()) return;
    page.heading(title);
    const unsigned bar_columns = page.width() / 4, name_columns = page.width() - bar_columns - 30;
    const double most = std::max<double>(1, static_cast<double>(rows.front().second.bytes));
    for (const auto& [name, tally] : rows)
      page.line(fmt::format("  {} {} {:>8} {:>10} {}", Page::cell(name, name_columns),
                            page.bar(static_cast<double>(tally.bytes) / most, bar_columns),
                            human_bytes(tally.bytes), human_count(tally.count),
                            unit_of(tally.count, "flows")));
  };
  ranked("Top talkers", talkers_);
  ranked("Protocols", applications_);
  const auto counted = [&](std::string_view title, std::string_view unit, const Ranking& ranking) {
    const auto rows = ranking.top(rows_shown, false);
    if (rows.empty()) return;
    page.heading(title);
    for (const auto& [name, tally] : rows)
      page.line(fmt::format("  {} {:>12} {}", Page::cell(name, page.width() - 28), human_count(tally.count),
                            page.dim(unit_of(tally.count, unit))));
    const std::uint64_t rest = ranking.tallies.size() - rows.size() + ranking.unlisted;
    if (rest > 0) page.line(page.dim(fmt::format("  and {} more", human_count(rest))));
  };
  for (std::size_t i = 0; i < lists_.size(); ++i) counted(list_specs[i].title, list_specs[i].unit, lists_[i]);
  counted("Oddities", "times", oddities_);
  return page.take();
}

}  // namespace weir
