// The functions of libduckdb.so that weir calls, found when the first of them is needed: a program that does
// not touch stored records neither loads the library nor needs it to be there.
#pragma once

#include <duckdb.h>

#include "core/result.hpp"

namespace weir {

// clang-format off
#define WEIR_DUCKDB_FUNCTIONS(f) \
  f(append_data_chunk) f(appender_close) f(appender_create) f(appender_destroy) f(appender_error) \
  f(bind_add_result_column) f(bind_get_extra_info) f(bind_set_cardinality) f(close) \
  f(column_count) f(column_logical_type) f(column_name) f(connect) f(create_config) \
  f(create_data_chunk) f(create_enum_type) f(create_list_type) f(create_logical_type) f(create_scalar_function) \
  f(create_table_function) f(data_chunk_get_size) f(data_chunk_get_vector) f(data_chunk_reset) \
  f(data_chunk_set_size) f(destroy_config) f(destroy_data_chunk) f(destroy_extracted) \
  f(destroy_logical_type) f(destroy_pending) f(destroy_prepare) f(destroy_result) \
  f(destroy_scalar_function) f(destroy_table_function) f(disconnect) f(enum_internal_type) f(execute_pending) \
  f(extract_statements) f(extract_statements_error) f(fetch_chunk) f(free) \
  f(function_get_extra_info) f(function_get_init_data) f(get_type_id) f(init_get_extra_info) \
  f(init_set_init_data) f(init_set_max_threads) f(interrupt) f(list_type_child_type) \
  f(list_vector_get_child) f(list_vector_reserve) f(list_vector_set_size) f(open_ext) \
  f(pending_error) f(pending_execute_task) f(pending_prepared_streaming) f(prepare) \
  f(prepare_error) f(prepare_extracted_statement) f(prepared_statement_column_count) \
  f(prepared_statement_column_logical_type) f(prepared_statement_column_name) \
  f(prepared_statement_type) f(query) f(query_progress) f(register_scalar_function) \
  f(register_table_function) f(result_error) f(scalar_function_add_parameter) \
  f(scalar_function_set_function) f(scalar_function_set_name) f(scalar_function_set_return_type) \
  f(set_config) f(table_function_set_bind) f(table_function_set_extra_info) \
  f(table_function_set_function) f(table_function_set_init) f(table_function_set_name) \
  f(vector_assign_string_element_len) f(vector_ensure_validity_writable) f(vector_get_data) \
  f(vector_get_validity) f(vector_size)
// clang-format on

struct DuckLibrary {
#define WEIR_DUCKDB_MEMBER(name) decltype(&::duckdb_##name) name;
  WEIR_DUCKDB_FUNCTIONS(WEIR_DUCKDB_MEMBER)
#undef WEIR_DUCKDB_MEMBER

  // Loaded once, kept to the end. Looked for in $WEIR_DUCKDB, beside the program, in ../lib/weir, where it
  // was when weir was built, and where the system keeps libraries. Any thread.
  static Result<const DuckLibrary*> load();
};

}  // namespace weir
