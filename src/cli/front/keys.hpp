// Keys as a person names them: fields, nfdump's and tshark's words for them, networks and both ends of a
// flow.
#pragma once

#include <vector>

#include "store/question.hpp"

namespace weir {

// "src_ip", "srcip", "src_ip/24" (IPv6 addresses stay whole), "src_ip/24/64", "ip" and "port" (a flow counts
// for both ends), "proto", … An unknown one is a usage error with a suggestion; `where` names the option.
Result<QuestionKey> parse_key(std::string_view word, const RecordType& type, std::string_view where);

// Comma-separated, at least one, none twice.
Result<std::vector<QuestionKey>> parse_keys(std::string_view words, const RecordType& type,
                                            std::string_view where);

// The field whose kind the key's values have.
const FieldInfo& field_of(const QuestionKey& key, const RecordType& type);

}  // namespace weir
