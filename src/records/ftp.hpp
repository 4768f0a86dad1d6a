// One FTP command of interest and its reply.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Ftp {
  Time time;
  FlowRef flow;
  Text banner, user, password, command, arg, directory;
  std::optional<std::uint16_t> reply_code;
  Text reply_text;
  std::optional<std::uint64_t> file_size;
  std::optional<bool> data_passive;
  std::optional<Addr> data_src_ip, data_dst_ip;
  std::optional<std::uint16_t> data_dst_port;
};
template <>
inline constexpr auto schema<Ftp> = record(
    "ftp", "One FTP command that logs in, moves or deletes a file, or opens a data connection, and its reply",
    field("time", &Ftp::time, "When the command was seen"),
    field("flow", &Ftp::flow, "The flow that carried it"),
    field("banner", &Ftp::banner, "Greeting of the server; with the first command of a flow only"),
    field("user", &Ftp::user, "User name given with USER"),
    field("password", &Ftp::password,
          "Password, if the user is anonymous, ftp or guest; null for all others"),
    field("command", &Ftp::command, "Command, upper case"),
    field("arg", &Ftp::arg, "Its argument; null for PASS"),
    field("directory", &Ftp::directory,
          "Working directory, as the replies tell it; from the login's on if it does not begin with /"),
    field("reply_code", &Ftp::reply_code, "Code of the final reply; null if none came"),
    field("reply_text", &Ftp::reply_text, "Text of the final reply, the last line of several"),
    field("file_size", &Ftp::file_size, Unit::bytes, "Size of the file, as the server told"),
    field("data_passive", &Ftp::data_passive, "The client opens the data connection (PASV, EPSV)"),
    field("data_src_ip", &Ftp::data_src_ip, "Who opens the data connection"),
    field("data_dst_ip", &Ftp::data_dst_ip, "Who waits for the data connection"),
    field("data_dst_port", &Ftp::data_dst_port, "Port on which it waits"));

}  // namespace weir
