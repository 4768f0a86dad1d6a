// Commands whose first word says what to do: weir devices approve WHO.
#pragma once

#include <algorithm>
#include <span>

#include "plugin/command.hpp"

namespace weir {

// The one that the first word is; nullptr when it is none of them.
inline const Verb* verb_called(std::span<const Verb> verbs, const Words& words) {
  const auto it = std::ranges::find(verbs, words.front(), &Verb::word);
  return it == verbs.end() ? nullptr : &*it;
}

// With the words behind the first. Fails with Code::usage when they are too few or too many.
inline Result<int> run_verb(const Verb& verb, const Arguments& arguments, const Words& words) {
  const Words behind(words.begin() + 1, words.end());
  if (behind.size() < verb.least || verb.most < behind.size())
    return fail(Code::usage, behind.size() < verb.least ? "a word is missing" : "too many words",
                std::string(verb.word), std::string(verb.usage));
  return verb.run(arguments, behind);
}

}  // namespace weir
