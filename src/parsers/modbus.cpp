// Modbus/TCP (Modbus Messaging on TCP/IP 1.0b, Modbus Application Protocol 1.1b3): a request and its answer,
// joined by transaction and unit, make one record.
#include "records/modbus.hpp"

#include <algorithm>
#include <array>

#include "parsers/recent.hpp"
#include "plugin/parser.hpp"

namespace weir {
namespace {

constexpr std::size_t head_size = 7;  // transaction, protocol, length, unit
constexpr std::size_t pdu_max = 253, pdu_min = 1;
// Requests that wait for an answer, per flow; with more, the oldest is written without one.
constexpr std::size_t waiting_max = 32;
constexpr std::size_t values_max = 125;  // registers of one message, §6.3

std::string_view function_name(std::uint8_t function) noexcept {
  switch (function) {
    case 1: return "read_coils";
    case 2: return "read_discrete_inputs";
    case 3: return "read_holding_registers";
    case 4: return "read_input_registers";
    case 5: return "write_single_coil";
    case 6: return "write_single_register";
    case 7: return "read_exception_status";
    case 8: return "diagnostics";
    case 11: return "get_comm_event_counter";
    case 12: return "get_comm_event_log";
    case 15: return "write_multiple_coils";
    case 16: return "write_multiple_registers";
    case 17: return "report_server_id";
    case 20: return "read_file_record";
    case 21: return "write_file_record";
    case 22: return "mask_write_register";
    case 23: return "read_write_multiple_registers";
    case 24: return "read_fifo_queue";
    case 43: return "encapsulated_interface_transport";
    default: return {};
  }
}

std::string_view exception_name(std::uint8_t code) noexcept {
  switch (code) {  // Application Protocol §7
    case 1: return "illegal_function";
    case 2: return "illegal_data_address";
    case 3: return "illegal_data_value";
    case 4: return "server_device_failure";
    case 5: return "acknowledge";
    case 6: return "server_device_busy";
    case 8: return "memory_parity_error";
    case 10: return "gateway_path_unavailable";
    case 11: return "gateway_target_failed";
    default: return "unknown";
  }
}

struct Values {
  std::array<std::uint16_t, values_max> items;
  std::size_t size = 0;
  void add(std::uint16_t v) noexcept {
    if (size < values_max) items[size++] = v;
  }
  void add_registers(ByteReader& r, std::size_t bytes) noexcept {
    for (; bytes >= 2 && r.remaining() >= 2; bytes -= 2) add(r.u16());
  }
};

struct Exchange {
  Modbus record;
  Values values;
};

void read_request(Exchange& e, ByteReader r) {
  Modbus& m = e.record;
  switch (m.function) {
    case 1:
    case 2:
    case 3:
    case 4:
      m.address = r.u16();
      m.quantity = r.u16();
      break;
    case 5:
    case 6: {
      m.address = r.u16();
      const std::uint16_t value = r.u16();
      m.quantity = std::uint16_t{1};
      if (r.ok()) e.values.add(m.function == 5 ? value >> 8 == 0xff : value);
      break;
    }
    case 15:
    case 16: {
      m.address = r.u16();
      m.quantity = r.u16();
      const std::size_t bytes = r.u8();
      if (m.function == 16) e.values.add_registers(r, bytes);
      break;
    }
    case 22:
    case 24: m.address = r.u16(); break;
    case 23: {  // the reading half names the range, the written registers are the values
      m.address = r.u16();
      m.quantity = r.u16();
      r.skip(4);
      const std::size_t bytes = r.u8();
      e.values.add_registers(r, bytes);
      break;
    }
    default: break;
  }
  if (!r.ok()) m.address = m.quantity = std::nullopt;
}

void read_response(Exchange& e, std::uint8_t function, ByteReader r) {
  Modbus& m = e.record;
  if ((function & 0x80) != 0) {
    m.exception_code = r.u8();
    m.exception = exception_name(*m.exception_code);
    return;
  }
  if (function == 3 || function == 4 || function == 23) {
    const std::size_t bytes = r.u8();
    if (function == 23) e.values.size = 0;
    e.values.add_registers(r, bytes);
  }
  if (!m.is_request_seen && (function == 5 || function == 6 || function == 15 || function == 16)) {
    m.address = r.u16();
    const std::uint16_t word = r.u16();
    if (function >= 15)
      m.quantity = word;
    else
      e.values.add(function == 5 ? word >> 8 == 0xff : word);
  }
}

Match match(Bytes data, Side) {
  if (data.size() < head_size + 1) {
    const bool possible = data.size() < 4 || (data[2] == 0 && data[3] == 0);
    return possible ? Match::maybe : Match::no;
  }
  const std::size_t length = load_be16(&data[4]);
  const bool shaped = data[2] == 0 && data[3] == 0 && length >= 2 && length <= pdu_max + 1;
  if (!shaped || (data[7] & 0x7f) == 0) return Match::no;
  // Whole, and of the one length that these requests have.
  return data.size() == 12 && length == 6 && data[7] <= 6 ? Match::yes : Match::maybe;
}

class ModbusParser {
 public:
  Step data(Context& c, Bytes bytes) {
    std::size_t used = 0;
    while (used < bytes.size()) {
      const Step step = one(c, bytes.subspan(used));
      used += step.consumed;
      if (step.parse != Parse::more) return {used, step.parse};
      if (step.consumed == 0) break;
    }
    return {used, Parse::more};
  }

  void end(Context& c) {
    waiting_.take_all([&](const Exchange& e) { emit(c, e); });
  }

 private:
  // The next message; nothing consumed when it is not whole.
  Step one(Context& c, Bytes bytes) {
    ByteReader r(bytes);
    const std::uint16_t transaction = r.u16(), protocol = r.u16(), length = r.u16();
    if (!r.ok()) return {0, Parse::more};
    if (protocol != 0 || length < pdu_min + 1 || length > pdu_max + 1) {
      c.oddity("modbus_bad_header");
      return {bytes.size(), Parse::malformed};
    }
    const std::size_t size = std::size_t{6} + length;
    if (bytes.size() < size) return {0, Parse::more};
    r = ByteReader(bytes.subspan(6, length));
    const std::uint8_t unit = r.u8(), function = r.u8();
    if (c.side == Side::orig)
      request(c, transaction, unit, function, r);
    else
      response(c, transaction, unit, function, r);
    return {size, Parse::more};
  }

  void request(Context& c, std::uint16_t transaction, std::uint8_t unit, std::uint8_t function,
               ByteReader r) {
    Exchange& e = waiting_.add({}, [&](const Exchange& oldest) { emit(c, oldest); });
    e.record = start(c, transaction, unit, function);
    e.record.is_request_seen = true;
    read_request(e, r);
  }

  void response(Context& c, std::uint16_t transaction, std::uint8_t unit, std::uint8_t function,
                ByteReader r) {
    Exchange* asked = waiting_.find([&](const Exchange& e) {
      return e.record.transaction == transaction && e.record.unit == unit &&
             e.record.function == (function & 0x7f);
    });
    Exchange lone;
    if (asked == nullptr) lone.record = start(c, transaction, unit, function & 0x7f);
    Exchange& e = asked == nullptr ? lone : *asked;
    if (asked != nullptr) e.record.rtt = c.time - e.record.time;
    e.record.is_response_seen = true;
    read_response(e, function, r);
    emit(c, e);
    if (asked != nullptr) waiting_.take(*asked);
  }

  static Modbus start(Context& c, std::uint16_t transaction, std::uint8_t unit, std::uint8_t function) {
    return {.time = c.time,
            .flow = c.flow,
            .transaction = transaction,
            .unit = unit,
            .function = function,
            .name = function_name(function)};
  }

  static void emit(Context& c, const Exchange& e) {
    Modbus m = e.record;
    m.flow = c.flow;
    if (e.values.size > 0)
      m.values = c.out.list(std::span<const std::uint16_t>(e.values.items).first(e.values.size));
    c.emit(m);
  }

  Recent<Exchange, waiting_max> waiting_;
};

constexpr std::uint16_t ports[] = {502};
constexpr RecordTypeOf records[] = {record_type<Modbus>};
constexpr ParserSpec spec{.name = "modbus",
                          .doc = "Modbus/TCP",
                          .transports = transport::tcp,
                          .ports = ports,
                          .match = match,
                          .methods = parser_methods<ModbusParser>,
                          .records = records};

}  // namespace

WEIR_REGISTER(ParserSpec, spec);
}  // namespace weir
