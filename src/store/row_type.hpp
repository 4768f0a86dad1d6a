// Record types made at run time, for the rows of an answer: every column may be null.
#pragma once

#include <algorithm>

#include "core/schema.hpp"

namespace weir {

// Calls f.operator()<T>() with the type of values of this kind.
template <class F>
decltype(auto) with_kind(Kind kind, F&& f) {
  switch (kind) {
    case Kind::boolean: return f.template operator()<bool>();
    case Kind::u8: return f.template operator()<std::uint8_t>();
    case Kind::u16: return f.template operator()<std::uint16_t>();
    case Kind::u32: return f.template operator()<std::uint32_t>();
    case Kind::u64: return f.template operator()<std::uint64_t>();
    case Kind::i64: return f.template operator()<std::int64_t>();
    case Kind::f64: return f.template operator()<double>();
    case Kind::text: return f.template operator()<Text>();
    case Kind::time: return f.template operator()<Time>();
    case Kind::duration: return f.template operator()<Duration>();
    case Kind::addr: return f.template operator()<Addr>();
    case Kind::mac: return f.template operator()<Mac>();
    case Kind::proto: return f.template operator()<IpProto>();
  }
  __builtin_unreachable();
}

// Appends a column to the type, which grows by it. Only name, doc, unit, kind and is_list of `column` count;
// name and doc must outlive the type.
inline void add_column(RecordType& type, FieldInfo column) {
  const auto place = [&]<class Member>() {
    detail::Member<Member>::describe(column);
    type.size = (type.size + alignof(Member) - 1) / alignof(Member) * alignof(Member);
    column.offset = static_cast<std::uint32_t>(type.size);
    type.size += sizeof(Member);
    type.align = std::max(type.align, alignof(Member));
  };
  with_kind(column.kind, [&]<class T>() {
    if (column.is_list)
      place.template operator()<List<T>>();
    else if constexpr (std::is_same_v<T, Text>)
      place.template operator()<Text>();
    else
      place.template operator()<std::optional<T>>();
  });
  type.fields.push_back(column);
}

}  // namespace weir
