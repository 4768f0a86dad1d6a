#include "filter/program.hpp"

#include <algorithm>

namespace weir::filter {
namespace {

// A Check tests one value against the step's operand.

template <class T>
using KeyOf = decltype(key_of(std::declval<const T&>()));

struct InRange {
  template <class T>
  static bool test(const Step& step, const T& value) noexcept {
    return key_of(value) - static_cast<KeyOf<T>>(step.low) <= static_cast<KeyOf<T>>(step.span);
  }
};

struct InRanges {
  template <class T>
  static bool test(const Step& step, const T& value) noexcept {
    const Key key = key_of(value);
    const auto& ranges = step.operand->ranges;
    const auto next =
        std::upper_bound(ranges.begin(), ranges.end(), key, [](Key k, const Range& r) { return k < r.low; });
    return next != ranges.begin() && key <= std::prev(next)->high;
  }
};

struct InBitmap {
  template <class T>
  static bool test(const Step& step, const T& value) noexcept {
    const std::uint64_t key = key_of(value);
    return (step.operand->bitmap[key / 64] >> (key % 64) & 1) != 0;
  }
};

struct Present {
  template <class T>
  static bool test(const Step&, const T&) noexcept {
    return true;
  }
};

struct IsText {
  static bool test(const Step& step, Text value) noexcept { return value == step.operand->texts.front(); }
};

struct InTexts {
  static bool test(const Step& step, Text value) noexcept {
    return std::binary_search(step.operand->texts.begin(), step.operand->texts.end(), value, std::less<>{});
  }
};

struct Contains {
  static bool test(const Step& step, Text value) noexcept {
    return value.find(step.operand->texts.front()) != Text::npos;
  }
};

struct StartsWith {
  static bool test(const Step& step, Text value) noexcept {
    return value.starts_with(step.operand->texts.front());
  }
};

struct EndsWith {
  static bool test(const Step& step, Text value) noexcept {
    return value.ends_with(step.operand->texts.front());
  }
};

struct HasFlags {
  static bool test(const Step& step, Text value) noexcept {
    const std::string& letters = step.operand->texts.front();
    return std::all_of(letters.begin(), letters.end(), [&](char c) { return value.find(c) != Text::npos; });
  }
};

struct Matches {
  static bool test(const Step& step, Text value) noexcept { return step.operand->regex->matches(value); }
};

// How a step reaches the value it checks; null is false.

template <class T, class Check>
bool direct(const Step& step, const std::byte* record) noexcept {
  return Check::test(step, *reinterpret_cast<const T*>(record + step.offset));
}
template <class Check>
bool text(const Step& step, const std::byte* record) noexcept {
  const Text& value = *reinterpret_cast<const Text*>(record + step.offset);
  return value.data() != nullptr && Check::test(step, value);
}
template <class T, class Check>
bool optional(const Step& step, const std::byte* record) noexcept {
  const void* value = step.unwrap(record + step.offset);
  return value != nullptr && Check::test(step, *static_cast<const T*>(value));
}
template <class T, class Check>
bool list(const Step& step, const std::byte* record) noexcept {
  const ListView view = step.elements(record + step.offset);
  for (std::size_t i = 0; i < view.size; ++i)
    if (Check::test(step, *reinterpret_cast<const T*>(view.data + i * view.stride))) return true;
  return false;
}

template <class T, class Check>
Test reach(const FieldInfo& column) noexcept {
  if (column.is_list) return list<T, Check>;
  if (column.unwrap != nullptr) return optional<T, Check>;
  if constexpr (std::same_as<T, Text>)
    return text<Check>;
  else
    return direct<T, Check>;
}

template <class T>
Test key_test(const FieldInfo& column, const Operand& operand) noexcept {
  if (operand.form == Operand::Form::present) return reach<T, Present>(column);
  if (operand.ranges.size() == 1) return reach<T, InRange>(column);
  if constexpr (sizeof(T) <= 2)
    if (!operand.bitmap.empty()) return reach<T, InBitmap>(column);
  return reach<T, InRanges>(column);
}

Test text_test(const FieldInfo& column, const Operand& operand) noexcept {
  switch (operand.form) {
    case Operand::Form::texts:
      return operand.texts.size() == 1 ? reach<Text, IsText>(column) : reach<Text, InTexts>(column);
    case Operand::Form::regex: return reach<Text, Matches>(column);
    case Operand::Form::contains: return reach<Text, Contains>(column);
    case Operand::Form::starts_with: return reach<Text, StartsWith>(column);
    case Operand::Form::ends_with: return reach<Text, EndsWith>(column);
    case Operand::Form::flags: return reach<Text, HasFlags>(column);
    case Operand::Form::present:
    case Operand::Form::never:
    case Operand::Form::keys: break;
  }
  return reach<Text, Present>(column);
}

Test test_of(const FieldInfo& column, const Operand& operand) noexcept {
  switch (column.kind) {
    case Kind::boolean: return key_test<bool>(column, operand);
    case Kind::u8: return key_test<std::uint8_t>(column, operand);
    case Kind::u16: return key_test<std::uint16_t>(column, operand);
    case Kind::u32: return key_test<std::uint32_t>(column, operand);
    case Kind::u64: return key_test<std::uint64_t>(column, operand);
    case Kind::i64: return key_test<std::int64_t>(column, operand);
    case Kind::f64: return key_test<double>(column, operand);
    case Kind::text: return text_test(column, operand);
    case Kind::time: return key_test<Time>(column, operand);
    case Kind::duration: return key_test<Duration>(column, operand);
    case Kind::addr: return key_test<Addr>(column, operand);
    case Kind::mac: return key_test<Mac>(column, operand);
    case Kind::proto: return key_test<IpProto>(column, operand);
  }
  return nullptr;
}

}  // namespace

Step make_step(const FieldInfo& column, const Operand& operand) {
  Step step{.test = test_of(column, operand),
            .operand = &operand,
            .unwrap = column.unwrap,
            .elements = column.elements,
            .offset = column.offset};
  if (operand.ranges.size() == 1) {
    step.low = operand.ranges[0].low;
    step.span = operand.ranges[0].high - operand.ranges[0].low;
  }
  return step;
}

}  // namespace weir::filter
