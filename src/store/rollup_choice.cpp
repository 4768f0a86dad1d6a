#include "store/rollup_choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "store/rollup.hpp"

namespace weir {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000, hour_ns = 3600 * second_ns;

bool one_of(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// Why no rollup can answer; empty when one can.
std::string obstacle(const Question& question, const RollupWish& wish, const RollupSpec* spec,
                     bool& approximate) {
  if (spec == nullptr) return fmt::format("{} has no rollups", question.record->name);
  if (!wish.allowed) return "--raw";
  const auto dimension = [&](std::string_view name, std::string_view what) -> std::string {
    if (one_of(spec->dimensions, name) || name == "sensor") return {};
    if (one_of(spec->addresses, name)) {
      if (wish.approximate) return approximate = true, std::string{};
      return fmt::format("{} {}: rollups hold the greatest addresses only, --approximate takes these", what,
                         name);
    }
    return fmt::format("{} {} is in no rollup", what, name);
  };
  for (const QuestionKey& key : question.keys)
    for (const std::string& field : key.fields)
      if (std::string why = dimension(field, "key"); !why.empty()) return why;
  for (const std::string& field : question.where_fields)
    if (std::string why = dimension(field, "filter field"); !why.empty()) return why;
  for (const std::string& field : question.sums)
    if (!one_of(spec->sums, field)) return fmt::format("measure {} is in no rollup", field);
  if (question.spans) return "first seen, duration and rates are in no rollup";
  return {};
}

// A rollup that may answer, its hours that have files.
struct Rollup {
  std::string table;
  std::int64_t step_seconds;
  std::map<std::int64_t, const LakeHour*> hours;
  std::vector<LakeHour> listed;
};

std::int64_t round_up(std::int64_t ns, std::int64_t step) {
  const std::int64_t down = ns / step * step;
  return down + (down < ns ? step : 0);
}

// Parts that grow hour by hour.
class Parts {
 public:
  void add(const std::string& table, std::int64_t step_seconds, TimeRange range, const LakeHour& hour) {
    if (range.from >= range.to) return;
    const auto same = std::ranges::find_if(
        parts_, [&](const QuestionPart& part) { return part.table == table && part.range.to == range.from; });
    QuestionPart& part =
        same != parts_.end() ? *same : parts_.emplace_back(QuestionPart{table, step_seconds, range, {}});
    part.range.to = range.to;
    for (const std::string& file : hour.files)
      if (std::ranges::find(part.files, file) == part.files.end()) part.files.push_back(file);
  }
  std::vector<QuestionPart>& all() noexcept { return parts_; }

 private:
  std::vector<QuestionPart> parts_;
};

Result<std::vector<Rollup>> usable_rollups(const Question& question, const std::string& data,
                                           const RollupSpec& spec) {
  std::vector<Rollup> rollups;  // the coarsest first
  for (const RollupStep& step : rollup_steps) {
    const std::int64_t ns = step.seconds * second_ns;
    if (question.step && (question.step->ns % ns != 0 || question.step_offset.ns % ns != 0)) continue;
    Rollup rollup{std::string(spec.record) + std::string(step.suffix), step.seconds, {}, {}};
    WEIR_TRY(rollup.listed, lake_hours(data, rollup.table, question.range));
    for (const LakeHour& hour : rollup.listed) rollup.hours[hour.start.ns] = &hour;
    rollups.insert(rollups.begin(), std::move(rollup));
  }
  return rollups;
}

// The hour's share of the range: from the coarsest rollup that has the hour and whole steps of the range, the
// edges from finer ones and in the end from the records.
void add_hour(Parts& parts, const std::vector<Rollup>& rollups, std::size_t at, const std::string& records,
              const LakeHour* raw, Time start, TimeRange range) {
  if (range.from >= range.to) return;
  if (at == rollups.size()) {
    if (raw != nullptr) parts.add(records, 0, range, *raw);
    return;
  }
  const Rollup& rollup = rollups[at];
  const auto hour = rollup.hours.find(start.ns);
  if (hour == rollup.hours.end()) return add_hour(parts, rollups, at + 1, records, raw, start, range);
  const std::int64_t step = rollup.step_seconds * second_ns;
  const TimeRange whole{Time{round_up(range.from.ns, step)}, Time{range.to.ns / step * step}};
  if (whole.from >= whole.to) return add_hour(parts, rollups, at + 1, records, raw, start, range);
  add_hour(parts, rollups, at + 1, records, raw, start, {range.from, whole.from});
  parts.add(rollup.table, rollup.step_seconds, whole, *hour->second);
  add_hour(parts, rollups, at + 1, records, raw, start, {whole.to, range.to});
}

std::string told(const std::vector<QuestionPart>& parts) {
  std::string out;
  std::set<std::string> tables;
  for (const QuestionPart& part : parts)
    if (tables.insert(part.table).second) out += (out.empty() ? "" : ", ") + part.table;
  return out;
}

// Without rollups: one list of files, and the range as it was asked.
Result<QuestionSources> records_only(const Question& question, const std::string& data, std::string why) {
  WEIR_TRY(const auto hours, lake_hours(data, question.record->name, question.range));
  QuestionPart part{std::string(question.record->name), 0, question.range, files_of(hours)};
  QuestionSources sources{
      {std::move(part)}, fmt::format("{}: {}", question.record->name, why), false, false, {}};
  if (!hours.empty()) sources.hours = {hours.front().start, Time{hours.back().start.ns + hour_ns}};
  return sources;
}

}  // namespace

Result<QuestionSources> choose_sources(const Question& question, const std::string& data,
                                       const RollupWish& wish) {
  const auto* spec = std::ranges::find(rollup_specs, question.record->name, &RollupSpec::record);
  if (spec == std::end(rollup_specs)) spec = nullptr;
  bool approximate = false;
  if (std::string why = obstacle(question, wish, spec, approximate); !why.empty())
    return records_only(question, data, std::move(why));
  WEIR_TRY(const auto rollups, usable_rollups(question, data, *spec));
  WEIR_TRY(const auto raw, lake_hours(data, question.record->name, question.range));
  std::map<std::int64_t, const LakeHour*> hours;
  for (const LakeHour& hour : raw) hours[hour.start.ns] = &hour;
  bool any = false;
  for (const Rollup& rollup : rollups)
    for (const auto& [start, hour] : rollup.hours) hours.try_emplace(start, nullptr), any = true;
  if (!any) return records_only(question, data, "no rollups there");
  Parts parts;
  for (const auto& [start, hour] : hours) {
    const TimeRange range{std::max(Time{start}, question.range.from),
                          std::min(Time{start + hour_ns}, question.range.to)};
    add_hour(parts, rollups, 0, std::string(question.record->name), hour, Time{start}, range);
  }
  if (parts.all().empty()) return records_only(question, data, "nothing in this time");
  QuestionSources sources{std::move(parts.all()),
                          {},
                          approximate,
                          false,
                          {Time{hours.begin()->first}, Time{hours.rbegin()->first + hour_ns}}};
  sources.rolled =
      std::ranges::any_of(sources.parts, [](const QuestionPart& part) { return part.step_seconds != 0; });
  sources.approximate = approximate && sources.rolled;
  sources.why = fmt::format("{}: {}", told(sources.parts),
                            sources.rolled ? "keys, filter and measures are in the rollups"
                                           : "no whole step of a rollup lies in this time");
  return sources;
}

}  // namespace weir
