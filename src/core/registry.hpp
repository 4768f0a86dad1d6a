// The list a plugin file puts itself on. WEIR_REGISTER(Spec, spec) as a file's last line is all it takes; the
// list needs no heap and no initialisation order.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

namespace weir {

template <class Spec>
struct Registrar {
  explicit Registrar(const Spec& s) noexcept : spec(s), next(head) { head = this; }
  const Spec& spec;
  const Registrar* next;
  static inline constinit const Registrar* head = nullptr;
};

// Every registered Spec, sorted by name.
template <class Spec>
const std::vector<const Spec*>& registry() {
  static const std::vector<const Spec*> sorted = [] {
    std::vector<const Spec*> all;
    for (const auto* r = Registrar<Spec>::head; r != nullptr; r = r->next) all.push_back(&r->spec);
    std::sort(all.begin(), all.end(), [](const Spec* a, const Spec* b) { return a->name < b->name; });
    return all;
  }();
  return sorted;
}

template <class Spec>
const Spec* find_plugin(std::string_view name) {
  for (const Spec* s : registry<Spec>())
    if (s->name == name) return s;
  return nullptr;
}

}  // namespace weir

#define WEIR_REGISTER(Spec, spec)                                 \
  static const ::weir::Registrar<Spec> weir_registrar_of_##spec { \
    spec                                                          \
  }
