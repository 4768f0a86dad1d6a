// One SMB request with its answer.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Smb {
  Time time;
  FlowRef flow;
  Text version, command;
  std::optional<std::uint32_t> status_code;
  Text status;
  std::optional<Duration> rtt;
  Text dialect;
  List<Text> dialects;
  std::optional<bool> is_signing_required, is_encrypting;
  Text server_guid;
  std::optional<Time> server_time, server_start;
  Text authentication, user, domain, host;
  Text server_name, server_domain, server_dns_name, server_dns_domain, server_version;
  Text native_os, native_lanman;
  Text path, share_type, file, new_name, action;
  std::optional<std::uint64_t> size;
  std::optional<bool> is_directory, is_delete_on_close;
};
template <>
inline constexpr auto schema<Smb> = record(
    "smb", "One SMB request and the answer to it: negotiation, login, share, file opened, renamed or deleted",
    field("time", &Smb::time, "When the request was seen"),
    field("flow", &Smb::flow, "The flow that carried it"),
    field("version", &Smb::version,
          "1, 2, or encrypted: SMB 3 whose contents cannot be seen, told once per flow"),
    field(
        "command", &Smb::command,
        "negotiate, session_setup, tree_connect, create, rename, delete, logoff, encrypted, netbios_session"),
    field("status_code", &Smb::status_code, "NT status of the answer; null if none was seen"),
    field("status", &Smb::status, "NT status by name: success, logon_failure, access_denied, …"),
    field("rtt", &Smb::rtt, Unit::seconds, "From request to answer"),
    field("dialect", &Smb::dialect, "Dialect the server chose: NT LM 0.12, 2.1, 3.1.1, …"),
    field("dialects", &Smb::dialects, "Dialects the client offered"),
    field("signing_required", &Smb::is_signing_required, "Whether the server demands signed messages"),
    field("encryption", &Smb::is_encrypting,
          "Whether the server is able to encrypt, or the session or share demands it"),
    field("server_guid", &Smb::server_guid, "Identifies the server, hexadecimal"),
    field("server_time", &Smb::server_time, "Server's clock"),
    field("server_start", &Smb::server_start, "When the server started, if it tells"),
    field("authentication", &Smb::authentication, "ntlm, kerberos, anonymous or guest"),
    field("user", &Smb::user, "User who logs in"), field("domain", &Smb::domain, "User's domain"),
    field("host", &Smb::host, "Name the client gives itself"),
    field("server_name", &Smb::server_name, "Server's NetBIOS name"),
    field("server_domain", &Smb::server_domain, "Server's NetBIOS domain"),
    field("server_dns_name", &Smb::server_dns_name, "Server's DNS name"),
    field("server_dns_domain", &Smb::server_dns_domain, "Server's DNS domain"),
    field("server_version", &Smb::server_version,
          "Server's operating system version as its login protocol tells: 10.0.17763"),
    field("native_os", &Smb::native_os, "Server's operating system, SMB 1"),
    field("native_lanman", &Smb::native_lanman, "Server's SMB software, SMB 1"),
    field("path", &Smb::path, "Share: \\\\server\\share"),
    field("share_type", &Smb::share_type, "disk, pipe or print"),
    field("file", &Smb::file, "File or pipe within the share; empty: the share's root"),
    field("new_name", &Smb::new_name, "New name, of a rename"),
    field("action", &Smb::action, "What create did: opened, created, overwritten, superseded"),
    field("size", &Smb::size, Unit::bytes, "Size of the file opened"),
    field("directory", &Smb::is_directory, "Whether it is a directory"),
    field("delete_on_close", &Smb::is_delete_on_close,
          "Whether the file is deleted when it is closed, as create asks"));

}  // namespace weir
