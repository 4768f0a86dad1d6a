// What an SMB connection remembers between request and answer, for both versions of the protocol, and how it
// becomes records. Used by smb.cpp through smb_v1.hpp and smb_v2.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "core/hex.hpp"
#include "parsers/recent.hpp"
#include "parsers/smb_ntlm.hpp"
#include "plugin/parser.hpp"
#include "records/smb.hpp"

namespace weir {

inline std::string_view nt_status_name(std::uint32_t status) noexcept {  // MS-ERREF §2.3.1
  switch (status) {
    case 0x00000000: return "success";
    case 0x00000103: return "pending";
    case 0x80000005: return "buffer_overflow";
    case 0x80000006: return "no_more_files";
    case 0xc0000001: return "unsuccessful";
    case 0xc0000002: return "not_implemented";
    case 0xc0000008: return "invalid_handle";
    case 0xc000000d: return "invalid_parameter";
    case 0xc000000f: return "no_such_file";
    case 0xc0000010: return "invalid_device_request";
    case 0xc0000011: return "end_of_file";
    case 0xc0000016: return "more_processing_required";
    case 0xc0000022: return "access_denied";
    case 0xc0000033: return "object_name_invalid";
    case 0xc0000034: return "object_name_not_found";
    case 0xc0000035: return "object_name_collision";
    case 0xc000003a: return "object_path_not_found";
    case 0xc0000043: return "sharing_violation";
    case 0xc0000056: return "delete_pending";
    case 0xc000005e: return "no_logon_servers";
    case 0xc0000064: return "no_such_user";
    case 0xc000006a: return "wrong_password";
    case 0xc000006d: return "logon_failure";
    case 0xc000006e: return "account_restriction";
    case 0xc000006f: return "invalid_logon_hours";
    case 0xc0000071: return "password_expired";
    case 0xc0000072: return "account_disabled";
    case 0xc00000ac: return "pipe_not_available";
    case 0xc00000b0: return "pipe_disconnected";
    case 0xc00000ba: return "file_is_a_directory";
    case 0xc00000bb: return "not_supported";
    case 0xc00000c9: return "network_name_deleted";
    case 0xc00000cc: return "bad_network_name";
    case 0xc00000d0: return "request_not_accepted";
    case 0xc0000101: return "directory_not_empty";
    case 0xc0000103: return "not_a_directory";
    case 0xc0000120: return "cancelled";
    case 0xc0000128: return "file_closed";
    case 0xc000015b: return "logon_type_not_granted";
    case 0xc0000193: return "account_expired";
    case 0xc0000203: return "user_session_deleted";
    case 0xc0000224: return "password_must_change";
    case 0xc0000225: return "not_found";
    case 0xc0000234: return "account_locked_out";
    case 0xc0000257: return "path_not_covered";
    case 0xc000035c: return "network_session_expired";
    default: return {};
  }
}
inline constexpr std::uint32_t status_pending = 0x103, status_more_processing = 0xc0000016;

// 100 ns since 1601 (MS-DTYP §2.3.3); null for zero and for what nanoseconds since 1970 cannot say.
inline std::optional<Time> file_time(std::uint64_t ticks) noexcept {
  constexpr std::uint64_t epoch_1970 = 116'444'736'000'000'000, last = epoch_1970 + 92'000'000'000'000'000;
  if (ticks < epoch_1970 || ticks > last) return std::nullopt;
  return Time{static_cast<std::int64_t>(ticks - epoch_1970) * 100};
}

// A request on its way to becoming a record. Empty strings are null there, but for `file` of a create.
struct SmbExchange {
  std::uint64_t id = 0;
  Time time;
  std::string_view version, command;  // literals
  std::optional<std::uint32_t> status;
  std::optional<Duration> rtt;
  std::string dialect, server_guid, path, file, new_name, native_os, native_lanman;
  std::vector<std::string> dialects;
  std::optional<bool> is_signing_required, is_encrypting, is_directory, is_delete_on_close;
  std::optional<Time> server_time, server_start;
  std::optional<std::uint64_t> size;
  std::string_view authentication, share_type, action;  // literals
  bool has_login = false;
};

class SmbState {
 public:
  // Requests without an answer, shares and open files remembered per connection; the oldest go first, and
  // what they were the names of is then unknown. Dialects kept of one offer.
  static constexpr std::size_t waiting_max = 64, trees_max = 32, files_max = 128, dialects_max = 16;

  SmbExchange& ask(Context& c, std::uint64_t id, std::string_view version, std::string_view command) {
    SmbExchange& e = waiting_.add({}, [&](const SmbExchange& oldest) { emit(c, oldest); });
    e.id = id;
    e.time = c.time;
    e.version = version;
    e.command = command;
    return e;
  }
  // The request this answers; null when it was not seen or makes no record.
  SmbExchange* answer(Context& c, std::uint64_t id, std::string_view command, std::uint32_t status) {
    SmbExchange* e =
        waiting_.find([&](const SmbExchange& one) { return one.id == id && one.command == command; });
    if (e == nullptr) return nullptr;
    e->status = status;
    e->rtt = c.time - e->time;
    return e;
  }
  void finish(Context& c, SmbExchange& e) {
    emit(c, e);
    waiting_.take(e);
  }
  // Without a record: a login goes on.
  void forget(SmbExchange& e) { waiting_.take(e); }
  void finish_all(Context& c) {
    waiting_.take_all([&](const SmbExchange& e) { emit(c, e); });
  }

  // What login messages of either side say is gathered until the login is over.
  void login(Bytes blob) {
    const std::string_view s = as_text(blob);
    NtlmNames n = read_ntlm(blob);
    if (n.message == 0) {
      // Object identifiers of Kerberos 5 (RFC 1964, and Microsoft's), taken for a login when a ticket
      // follows.
      const bool kerberos = s.find("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02") != s.npos ||
                            s.find("\x2a\x86\x48\x82\xf7\x12\x01\x02\x02") != s.npos;
      if (kerberos && authentication_.empty() && blob.size() > 300) authentication_ = "kerberos";
      return;
    }
    authentication_ = n.is_anonymous ? "anonymous" : "ntlm";
    if (n.message == 2) {
      server_ = std::move(n);
    } else if (n.message == 3) {
      client_ = std::move(n);
    }
  }
  // Names given in the clear by SMB 1 without extended security.
  void plain_login(std::string user, std::string domain) {
    authentication_ = user.empty() ? "anonymous" : "ntlm";
    client_.user = std::move(user);
    client_.domain = std::move(domain);
  }
  void end_login(SmbExchange& e, bool is_guest) {
    e.authentication = is_guest ? std::string_view("guest") : authentication_;
    e.has_login = true;
  }
  void login_over() {
    client_ = {};
    authentication_ = {};
  }

  void tree(std::uint32_t id, std::string path) { remember(trees_, {id, 0}, std::move(path)); }
  std::string tree_path(std::uint32_t id) { return recall(trees_, {id, 0}); }
  void file(std::uint64_t low, std::uint64_t high, std::string name) {
    last_file_ = name;
    remember(files_, {low, high}, std::move(name));
  }
  // All ones in a compound: the file of the request before it (MS-SMB2 §3.2.4.1.4).
  std::string file_name(std::uint64_t low, std::uint64_t high) {
    if (low == ~std::uint64_t{0} && high == ~std::uint64_t{0}) return last_file_;
    return recall(files_, {low, high});
  }
  void asked_file(std::string name) { last_file_ = std::move(name); }

  void emit(Context& c, const SmbExchange& e) const {
    Smb s{.time = e.time, .flow = c.flow, .version = e.version, .command = e.command};
    s.status_code = e.status;
    if (e.status) s.status = nt_status_name(*e.status);
    s.rtt = e.rtt;
    s.dialect = text(c, e.dialect);
    if (!e.dialects.empty()) {
      std::array<Text, dialects_max> dialects;
      const std::size_t count = std::min(e.dialects.size(), dialects_max);
      for (std::size_t i = 0; i < count; ++i) dialects[i] = c.text(e.dialects[i]);
      s.dialects = c.out.list(std::span<const Text>(dialects).first(count));
    }
    s.is_signing_required = e.is_signing_required;
    s.is_encrypting = e.is_encrypting;
    s.server_guid = text(c, e.server_guid);
    s.server_time = e.server_time;
    s.server_start = e.server_start;
    s.native_os = text(c, e.native_os);
    s.native_lanman = text(c, e.native_lanman);
    s.path = text(c, e.path);
    s.share_type = literal(e.share_type);
    s.file = e.command == "create" ? c.text(e.file) : text(c, e.file);
    s.new_name = text(c, e.new_name);
    s.action = literal(e.action);
    s.size = e.size;
    s.is_directory = e.is_directory;
    s.is_delete_on_close = e.is_delete_on_close;
    if (e.has_login) emit_login(c, s, e);
    c.emit(s);
  }

 private:
  struct Key {
    std::uint64_t low, high;
    bool operator==(const Key&) const = default;
  };
  struct Named {
    Key key;
    std::string name;
  };

  static Text text(Context& c, const std::string& s) { return s.empty() ? Text{} : c.text(s); }
  static Text literal(std::string_view s) { return s.empty() ? Text{} : s; }

  void emit_login(Context& c, Smb& s, const SmbExchange& e) const {
    s.authentication = literal(e.authentication);
    s.user = text(c, client_.user);
    s.domain = text(c, client_.domain);
    s.host = text(c, client_.host);
    s.server_name = text(c, server_.server_name);
    s.server_domain = text(c, server_.server_domain);
    s.server_dns_name = text(c, server_.server_dns_name);
    s.server_dns_domain = text(c, server_.server_dns_domain);
    s.server_version = text(c, server_.server_version);
  }

  template <std::size_t Max>
  static void remember(Recent<Named, Max>& names, Key key, std::string name) {
    if (Named* known = names.find([&](const Named& n) { return n.key == key; }))
      known->name = std::move(name);
    else
      names.add({key, std::move(name)});
  }
  template <std::size_t Max>
  static std::string recall(Recent<Named, Max>& names, Key key) {
    const Named* known = names.find([&](const Named& n) { return n.key == key; });
    return known == nullptr ? std::string{} : known->name;
  }

  Recent<SmbExchange, waiting_max> waiting_;
  Recent<Named, trees_max> trees_;
  Recent<Named, files_max> files_;
  NtlmNames client_, server_;
  std::string_view authentication_;
  std::string last_file_;
};

}  // namespace weir
