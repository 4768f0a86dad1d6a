// One Modbus/TCP request with its answer.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Modbus {
  Time time;
  FlowRef flow;
  std::uint16_t transaction = 0;
  std::uint8_t unit = 0, function = 0;
  Text name;
  std::optional<std::uint16_t> address, quantity;
  List<std::uint16_t> values;
  Text exception;
  std::optional<std::uint8_t> exception_code;
  std::optional<Duration> rtt;
  bool is_request_seen = false, is_response_seen = false;
};
template <>
inline constexpr auto schema<Modbus> = record(
    "modbus", "One Modbus/TCP request and the answer to it",
    field("time", &Modbus::time, "When the request was seen, or the answer when the request was not"),
    field("flow", &Modbus::flow, "The flow that carried it"),
    field("transaction", &Modbus::transaction, "Transaction identifier, the same in request and answer"),
    field("unit", &Modbus::unit, "Unit behind the server"),
    field("function", &Modbus::function, "Function code"),
    field("name", &Modbus::name, "Function by name: read_holding_registers, write_single_coil, …"),
    field("address", &Modbus::address, "First coil or register, from 0"),
    field("quantity", &Modbus::quantity, "Coils or registers concerned"),
    field("values", &Modbus::values, "Registers read or written, or the value of a single coil (0 or 1)"),
    field("exception", &Modbus::exception, "Exception the server answered with: illegal_data_address, …"),
    field("exception_code", &Modbus::exception_code, "Exception, as a number"),
    field("rtt", &Modbus::rtt, Unit::seconds, "From request to answer"),
    field("request", &Modbus::is_request_seen, "Whether the request was seen"),
    field("response", &Modbus::is_response_seen, "Whether the answer was seen"));

}  // namespace weir
