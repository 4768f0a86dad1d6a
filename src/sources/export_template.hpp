// Templates of NetFlow v9 and IPFIX, compiled when they are learned: a data record is then read by a few
// steps, without look-ups. For the plugins of this folder.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "core/bytes.hpp"
#include "core/time.hpp"
#include "sources/information_elements.hpp"

namespace weir {

// One field as a template gives it.
struct TemplateField {
  std::uint32_t enterprise = 0;
  std::uint16_t id = 0, length = 0;
  bool operator==(const TemplateField&) const = default;
};
inline constexpr std::uint16_t variable_length = 0xffff;  // RFC 7011 §7

// What to do with the field at `offset` from the end of the last variable-length field, or else from the
// beginning of the record. Numbers are loaded as the eight bytes that end with them (a set header is always
// before), and shifted. FieldOp::variable: at `offset` is a length and its field, which the step behind this
// one takes; `length` is how many bytes of fixed fields follow that one before the next of its kind.
struct ReadStep {
  std::int32_t offset = 0;
  std::uint16_t length = 0;
  FieldOp op = FieldOp::skip;
  std::uint8_t arg = 0;
  std::uint8_t shift = 0;
};

constexpr std::uint8_t number_shift(std::size_t length) noexcept {
  return length >= 1 && length <= 8 ? static_cast<std::uint8_t>(64 - 8 * length) : std::uint8_t{0};
}

struct ExportTemplate {
  std::uint16_t id = 0;
  std::uint16_t scopes = 0;  // how many of the first fields are scope fields
  bool options = false;      // describes options data
  std::vector<TemplateField> fields;
  Time refreshed;  // when it was received last; 0: before a restart

  // Compiled from these.
  std::vector<ReadStep> steps;
  std::uint32_t fixed_before = 0;  // bytes before the first variable-length field
  std::uint32_t minimum = 0;       // of a record; its length if !varies
  bool varies = false;             // a field's length is in the record
  std::uint64_t ops = 0;           // bit by FieldOp: what the steps read
  std::uint8_t absolute = 0;       // bit by TimeSlot: read as a point in time
  std::uint8_t before = 0;         // bit by TimeSlot: read as time_us_before
  std::uint8_t uptimes = 0;        // bit by TimeSlot: read as time_uptime
  std::uint8_t icmp_args = 0;      // bit by arg, of icmp and icmp_type

  bool has(FieldOp op) const noexcept { return (ops >> static_cast<unsigned>(op) & 1U) != 0; }
  // Whether its records are flows: they have an end, or a count of something.
  bool is_flow() const noexcept {
    constexpr FieldOp signs[] = {FieldOp::src_ip,  FieldOp::dst_ip, FieldOp::count,     FieldOp::src_mac,
                                 FieldOp::dst_mac, FieldOp::frame,  FieldOp::nat_src_ip};
    return !options && std::ranges::any_of(signs, [&](FieldOp op) { return has(op); });
  }
  bool same_definition(const ExportTemplate& other) const noexcept {
    return options == other.options && scopes == other.scopes && fields == other.fields;
  }
};
static_assert(static_cast<unsigned>(FieldOp::frame) < 64);

namespace detail {

constexpr bool is_time(FieldOp op) noexcept {
  return op >= FieldOp::time_s && op <= FieldOp::time_uptime;
}
// What an element fills: the same for those that compete.
constexpr std::size_t place_of(const InformationElement& e) noexcept {
  return static_cast<std::size_t>(is_time(e.op) ? FieldOp::time_s : e.op) * time_slots + e.arg;
}
inline constexpr std::size_t places = (static_cast<std::size_t>(FieldOp::frame) + 1) * time_slots;

// The element of each field, or nullptr for one to skip: not known, of an impossible length, or in the place
// of a better one.
inline std::vector<const InformationElement*> choose_elements(const std::vector<TemplateField>& fields) {
  std::vector<const InformationElement*> chosen(fields.size());
  std::array<const InformationElement**, places> holders{};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const InformationElement* element = find_element(fields[i].enterprise, fields[i].id);
    if (element == nullptr) continue;
    if (fields[i].length != variable_length && !fits(element->op, element->arg, fields[i].length)) continue;
    const InformationElement**& holder = holders[place_of(*element)];
    if (holder != nullptr) {
      if (element->rank >= (*holder)->rank) continue;
      *holder = nullptr;
    }
    chosen[i] = element;
    holder = &chosen[i];
  }
  return chosen;
}

inline void note_step(ExportTemplate& t, const InformationElement& element) noexcept {
  t.ops |= std::uint64_t{1} << static_cast<unsigned>(element.op);
  const auto bit = static_cast<std::uint8_t>(1U << element.arg);
  if (element.op == FieldOp::time_uptime)
    t.uptimes |= bit;
  else if (element.op == FieldOp::time_us_before)
    t.before |= bit;
  else if (is_time(element.op))
    t.absolute |= bit;
  if (element.op == FieldOp::icmp || element.op == FieldOp::icmp_type) t.icmp_args |= bit;
}

}  // namespace detail

// Fills the compiled part from the fields. False when a record would have no length, so that none could be
// told from the next.
inline bool compile(ExportTemplate& t) {
  t.steps.clear();
  t.ops = 0;
  t.minimum = 0;
  t.varies = false;
  t.absolute = t.before = t.uptimes = t.icmp_args = 0;
  const auto chosen = detail::choose_elements(t.fields);
  std::int32_t offset = 0;
  std::size_t last_variable = 0;  // index of its step, if t.varies
  const auto end_run = [&] {
    if (t.varies)
      t.steps[last_variable].length = static_cast<std::uint16_t>(std::min(offset, 0xffff));
    else
      t.fixed_before = static_cast<std::uint32_t>(offset);
    t.minimum += static_cast<std::uint32_t>(offset);
  };
  for (std::size_t i = 0; i < t.fields.size(); ++i) {
    const std::uint16_t length = t.fields[i].length;
    const InformationElement* element = chosen[i];
    if (element != nullptr) detail::note_step(t, *element);
    const ReadStep read{.offset = offset,
                        .length = length,
                        .op = element != nullptr ? element->op : FieldOp::skip,
                        .arg = element != nullptr ? element->arg : std::uint8_t{0},
                        .shift = number_shift(length)};
    if (length != variable_length) {
      if (element != nullptr) t.steps.push_back(read);
      offset += length;
      continue;
    }
    end_run();
    t.minimum += 1;
    t.varies = true;
    last_variable = t.steps.size();
    t.steps.push_back({.offset = offset, .op = FieldOp::variable});
    t.steps.push_back(read);
    offset = 0;
  }
  end_run();
  return t.minimum != 0;
}

}  // namespace weir
