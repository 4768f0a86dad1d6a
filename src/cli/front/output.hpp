// The options by which every command that writes records takes the form of its output. A command puts them
// into its option table and calls output_from().
#pragma once

#include "plugin/command.hpp"
#include "plugin/sink.hpp"

namespace weir {

inline constexpr Option output_option{.name = "output",
                                      .letter = 'o',
                                      .value = "FORMAT",
                                      .doc = "How records are written, or NAME://HOST:PORT where they go",
                                      .choices = "@sinks",
                                      .group = "Output"};
inline constexpr Option row_output_option{.name = output_option.name,
                                          .letter = output_option.letter,
                                          .value = output_option.value,
                                          .doc = output_option.doc,
                                          .choices = "@row_sinks",
                                          .group = output_option.group};
inline constexpr Option fields_option{
    .name = "fields",
    .letter = 'f',
    .value = "A,B,C",
    .doc = "Only these fields, in this order; a table on a terminal has a choice of its own",
    .choices = "@fields",
    .many = true,
    .group = "Output"};
inline constexpr Option write_option{
    .name = "write",
    .letter = 'w',
    .value = "PATH",
    .doc =
        "Into this file, which appears when it is whole; without -o its name tells the format: .json, .csv, "
        ".tsv, .parquet. Into one file per record type when PATH ends in /",
    .choices = "@files",
    .group = "Output"};
inline constexpr Option time_option{.name = "time",
                                    .value = "STYLE",
                                    .doc = "Times as RFC 3339 with nanoseconds, or as seconds since 1970",
                                    .fallback = "rfc3339",
                                    .choices = "rfc3339|epoch",
                                    .group = "Output"};
inline constexpr Option profile_option{
    .name = "profile",
    .value = "NAME",
    .doc = "Names, types and files as another program writes them (with -o json or csv, its JSON or CSV)",
    .choices = "zeek|eve|nfdump",
    .group = "Output"};

// Without the profile, which is for types that other programs have as well.
inline constexpr Option output_options[] = {output_option, fields_option, write_option, time_option};
// Of a command whose records have whatever fields it is asked for.
inline constexpr Option row_output_options[] = {row_output_option, fields_option, write_option, time_option};

struct Output {
  const SinkSpec* sink;
  SinkOptions options;
};
// `fallback` is the sink without -o and --profile: "table". Checked: the profile goes with the format, the
// fields exist, and a sink for one record type gets one or a folder.
Result<Output> output_from(const Arguments& arguments, std::vector<const RecordType*> types,
                           std::string_view fallback);

// The sink that -o and --profile name, or else the name of the file that -w names; nullptr when none does.
Result<const SinkSpec*> chosen_sink(const Arguments& arguments);

// Comma-separated values of a repeatable option: -f a,b -f c.
std::vector<std::string> listed(const Arguments& arguments, std::string_view option);

}  // namespace weir
