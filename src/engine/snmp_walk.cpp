#include "engine/snmp_walk.hpp"

// clang-format off
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/library/large_fd_set.h>
// clang-format on
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>

#include "os/kernel_clock.hpp"
#include "os/name_resolver.hpp"
#include "os/poller.hpp"

namespace weir {
namespace {

std::optional<std::uint64_t> number_in(const netsnmp_variable_list& v) noexcept {
  switch (v.type) {
    case ASN_INTEGER:
    case ASN_COUNTER:
    case ASN_GAUGE:
    case ASN_TIMETICKS: return static_cast<std::uint64_t>(*v.val.integer) & 0xffff'ffffU;
    case ASN_COUNTER64:
      return static_cast<std::uint64_t>(v.val.counter64->high) << 32U |
             static_cast<std::uint64_t>(v.val.counter64->low);
    default: return std::nullopt;
  }
}

std::optional<std::string_view> text_in(const netsnmp_variable_list& v) noexcept {
  if (v.type != ASN_OCTET_STR && v.type != ASN_IPADDRESS && v.type != ASN_OPAQUE) return std::nullopt;
  return std::string_view(reinterpret_cast<const char*>(v.val.string), v.val_len);
}

bool is_nothing(const netsnmp_variable_list& v) noexcept {
  return v.type == SNMP_NOSUCHOBJECT || v.type == SNMP_NOSUCHINSTANCE || v.type == SNMP_ENDOFMIBVIEW;
}

class Walk final : public SnmpWalk {
 public:
  Walk(SnmpWalkOptions options, Listener& listener) : options_(std::move(options)), listener_(listener) {}
  ~Walk() override {
    for (const auto& agent : agents_) snmp_sess_close(agent->session);
  }
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;

  Result<void> add(SnmpAgent agent, const Addr& address);
  void start_round() override;
  void process() override;
  std::size_t busy() const noexcept override { return busy_; }
  int fd() const noexcept override { return poller_.fd(); }
  const Addr& address(std::size_t agent) const noexcept override { return agents_[agent]->address; }

 private:
  struct Agent {
    Walk* owner;
    std::size_t number;
    SnmpAgent settings;
    Addr address;
    ColumnWalk walk;
    void* session = nullptr;
    bool busy = false, known = false;  // known: its engine, with version 3
    Time sent{};                       // of the latest question
  };
  static int called(int what, netsnmp_session* session, int, netsnmp_pdu* answer, void* agent);
  void take(Agent& agent, int what, netsnmp_session* session, netsnmp_pdu* answer);
  void take_engine(Agent& agent, netsnmp_session* session, const netsnmp_pdu* answer);
  bool take_values(Agent& agent, const netsnmp_pdu& answer);
  void ask(Agent& agent);
  void discover(Agent& agent);
  void send(Agent& agent, netsnmp_pdu* request);
  void end(Agent& agent);
  void fail_round(Agent& agent, const std::string& why);
  std::string silence(const Agent& agent) const;

  const SnmpWalkOptions options_;
  Listener& listener_;
  Poller poller_;
  std::vector<std::unique_ptr<Agent>> agents_;
  std::vector<SnmpVariable> variables_;  // of the answer at hand
  std::size_t busy_ = 0;
  Time checked_{};
};

// The keys of version 3, from passwords (RFC 3414, A.2).
Result<void> set_security(netsnmp_session& session, const SnmpAgent& agent) {
  const std::string where = "snmp://" + agent.label();
  session.securityModel = SNMP_SEC_MODEL_USM;
  session.flags |= SNMP_FLAGS_DONT_PROBE;  // the library would wait for the answer
  session.securityLevel = SNMP_SEC_LEVEL_NOAUTH;
  if (agent.auth.empty()) return {};
  const int auth = usm_lookup_auth_type(agent.auth.c_str());
  if (auth <= 0)
    return fail(Code::usage, "unknown authentication " + agent.auth, where,
                "there are MD5, SHA, SHA-224, SHA-256, SHA-384, SHA-512");
  session.securityLevel = SNMP_SEC_LEVEL_AUTHNOPRIV;
  session.securityAuthProto = const_cast<oid*>(sc_get_auth_oid(auth, &session.securityAuthProtoLen));
  const auto key = [&](const std::string& password, u_char* out, std::size_t* size) {
    *size = USM_AUTH_KU_LEN;
    return generate_Ku(session.securityAuthProto, static_cast<u_int>(session.securityAuthProtoLen),
                       reinterpret_cast<const u_char*>(password.data()), password.size(), out,
                       size) == SNMPERR_SUCCESS;
  };
  if (!key(agent.auth_password, session.securityAuthKey, &session.securityAuthKeyLen))
    return fail(Code::usage, "no key can be made of the password", where);
  if (agent.priv.empty()) return {};
  const int priv = usm_lookup_priv_type(agent.priv.c_str());
  if (priv <= 0)
    return fail(Code::usage, "unknown privacy " + agent.priv, where, "there are AES, AES-192, AES-256, DES");
  session.securityLevel = SNMP_SEC_LEVEL_AUTHPRIV;
  session.securityPrivProto = const_cast<oid*>(sc_get_priv_oid(priv, &session.securityPrivProtoLen));
  if (!key(agent.priv_password, session.securityPrivKey, &session.securityPrivKeyLen))
    return fail(Code::usage, "no key can be made of the password", where);
  return {};
}

Result<void> Walk::add(SnmpAgent settings, const Addr& address) {
  auto agent = std::make_unique<Agent>(Agent{.owner = this,
                                             .number = agents_.size(),
                                             .settings = std::move(settings),
                                             .address = address,
                                             .walk = {options_.columns, options_.most_values}});
  std::string peer = address.is_v4() ? fmt::format("udp:{}:{}", to_string(address), agent->settings.port)
                                     : fmt::format("udp6:[{}]:{}", to_string(address), agent->settings.port);
  netsnmp_session session;
  snmp_sess_init(&session);
  session.peername = peer.data();
  session.retries = options_.retries;
  session.timeout = options_.timeout.ns / 1000;
  session.callback = &called;
  session.callback_magic = agent.get();
  std::string& community = agent->settings.community;
  session.version = agent->settings.version == 1   ? SNMP_VERSION_1
                    : agent->settings.version == 2 ? SNMP_VERSION_2c
                                                   : SNMP_VERSION_3;
  if (agent->settings.version == 3) {
    session.securityName = community.data();
    session.securityNameLen = community.size();
    WEIR_CHECK(set_security(session, agent->settings));
  } else {
    session.community = reinterpret_cast<u_char*>(community.data());
    session.community_len = community.size();
  }
  agent->session = snmp_sess_open(&session);
  if (agent->session == nullptr)
    return fail(Code::environment,
                std::string("cannot be asked: ") + snmp_api_errstring(session.s_snmp_errno),
                "snmp://" + agent->settings.label());
  poller_.watch(snmp_sess_transport(agent->session)->sock, EPOLLIN, agent->number);
  agents_.push_back(std::move(agent));
  return {};
}

void Walk::start_round() {
  for (const auto& agent : agents_) {
    if (agent->busy) continue;
    agent->busy = true;
    ++busy_;
    agent->walk.begin();
    if (agent->settings.version == 3 && !agent->known)
      discover(*agent);
    else
      ask(*agent);
  }
}

void Walk::process() {
  for (;;) {
    const auto ready = poller_.ready();
    for (const Poller::Ready& r : ready) {
      Agent& agent = *agents_[r.value];
      netsnmp_large_fd_set set;
      netsnmp_large_fd_set_init(&set, FD_SETSIZE);
      NETSNMP_LARGE_FD_SET(snmp_sess_transport(agent.session)->sock, &set);
      snmp_sess_read2(agent.session, &set);
      netsnmp_large_fd_set_cleanup(&set);
    }
    if (ready.size() < Poller::most) break;
  }
  const Time now = steady_now();
  if (now - checked_ < milliseconds(50)) return;
  checked_ = now;
  // The library forgets some questions of version 3 without a word.
  const Duration most{options_.timeout.ns * (options_.retries + 1) + milliseconds(200).ns};
  for (const auto& agent : agents_) {
    if (agent->busy) snmp_sess_timeout(agent->session);
    if (agent->busy && now - agent->sent > most) fail_round(*agent, silence(*agent));
  }
}

int Walk::called(int what, netsnmp_session* session, int, netsnmp_pdu* answer, void* magic) {
  auto& agent = *static_cast<Agent*>(magic);
  if (agent.busy) agent.owner->take(agent, what, session, answer);
  return 1;
}

void Walk::take(Agent& agent, int what, netsnmp_session* session, netsnmp_pdu* answer) {
  if (what == NETSNMP_CALLBACK_OP_TIMED_OUT) return fail_round(agent, silence(agent));
  if (what == NETSNMP_CALLBACK_OP_RESEND || what == NETSNMP_CALLBACK_OP_CONNECT) return;
  // A report is told once as this, and once more as a message.
  if (what == NETSNMP_CALLBACK_OP_SEC_ERROR && answer != nullptr && answer->command == SNMP_MSG_REPORT)
    return;
  if (agent.settings.version == 3 && !agent.known) return take_engine(agent, session, answer);
  if (what == NETSNMP_CALLBACK_OP_SEC_ERROR)
    return fail_round(agent, "refuses: authentication failed (is the password right?)");
  if (what != NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE || answer == nullptr)
    return fail_round(agent, "cannot be asked");
  if (answer->command == SNMP_MSG_REPORT) {
    const int error = snmpv3_get_report_type(answer);
    // The library sends it again, with the engine's time.
    if (error == SNMPERR_NOT_IN_TIME_WINDOW) return;
    return fail_round(agent, fmt::format("refuses: {}", snmp_api_errstring(error)));
  }
  if (answer->errstat == SNMP_ERR_NOSUCHNAME && agent.settings.version == 1) {
    // Version 1 says so at the end of everything it has: that column is done.
    const long at = answer->errindex - 2;
    const bool more = at >= 0 && agent.walk.end_question(static_cast<std::size_t>(at));
    return more ? ask(agent) : end(agent);
  }
  if (answer->errstat == SNMP_ERR_TOOBIG && agent.walk.too_big()) return ask(agent);
  if (answer->errstat != SNMP_ERR_NOERROR)
    return fail_round(agent, fmt::format("refuses: {}", snmp_errstring(static_cast<int>(answer->errstat))));
  return take_values(agent, *answer) ? ask(agent) : end(agent);
}

// What version 3 asks first is who the engine is (RFC 3414, 4): keys are made for it.
void Walk::take_engine(Agent& agent, netsnmp_session* session, const netsnmp_pdu* answer) {
  if (session->securityEngineIDLen == 0 && answer != nullptr && answer->securityEngineIDLen != 0) {
    const auto copied = [&] {
      return static_cast<u_char*>(netsnmp_memdup(answer->securityEngineID, answer->securityEngineIDLen));
    };
    session->securityEngineID = copied();  // the session's from here on
    session->securityEngineIDLen = answer->securityEngineIDLen;
    if (session->contextEngineIDLen == 0) {
      session->contextEngineID = copied();
      session->contextEngineIDLen = answer->securityEngineIDLen;
    }
  }
  if (session->securityEngineIDLen == 0) return fail_round(agent, "does not say which engine it is");
  if (usm_create_user_from_session(session) != SNMPERR_SUCCESS)
    return fail_round(agent, "its user cannot be used");
  agent.known = true;
  ask(agent);
}

// False when the round is over.
bool Walk::take_values(Agent& agent, const netsnmp_pdu& answer) {
  const Time wall = wall_now(), steady = steady_now();
  variables_.clear();
  for (const netsnmp_variable_list* v = answer.variables; v != nullptr; v = v->next_variable)
    variables_.push_back({{v->name, v->name_length}, number_in(*v), text_in(*v), is_nothing(*v)});
  return agent.walk.take(variables_, [&](std::size_t column, std::span<const unsigned long> index,
                                         const SnmpVariable& variable) {
    listener_.value(agent.number, column, {index, variable.number, variable.text, wall, steady});
  });
}

void Walk::ask(Agent& agent) {
  const bool bulk = agent.settings.version != 1;
  netsnmp_pdu* request = snmp_pdu_create(bulk ? SNMP_MSG_GETBULK : SNMP_MSG_GETNEXT);
  if (bulk) {
    request->non_repeaters = 1;
    request->max_repetitions = static_cast<long>(agent.walk.repetitions());
  }
  const auto uptime = ColumnWalk::uptime_column();
  snmp_add_null_var(request, uptime.data(), uptime.size());
  for (std::size_t i = 0; i < agent.walk.questions(); ++i) {
    const ObjectId& question = agent.walk.question(i);
    snmp_add_null_var(request, question.data(), question.size());
  }
  send(agent, request);
}

// An empty question without a user, which every engine answers with its name (RFC 5343).
void Walk::discover(Agent& agent) {
  netsnmp_pdu* request = snmp_pdu_create(SNMP_MSG_GET);
  request->version = SNMP_VERSION_3;
  request->securityName = ::strdup("");
  request->securityNameLen = 0;
  request->securityLevel = SNMP_SEC_LEVEL_NOAUTH;
  request->securityModel = SNMP_SEC_MODEL_USM;
  send(agent, request);
}

void Walk::send(Agent& agent, netsnmp_pdu* request) {
  agent.sent = steady_now();
  if (snmp_sess_async_send(agent.session, request, &called, &agent) != 0) return;
  snmp_free_pdu(request);
  fail_round(agent, fmt::format("cannot be asked: {}",
                                snmp_api_errstring(snmp_sess_session(agent.session)->s_snmp_errno)));
}

void Walk::end(Agent& agent) {
  agent.busy = false;
  --busy_;
  listener_.ended(agent.number, agent.walk.uptime());
}

std::string Walk::silence(const Agent& agent) const {
  return fmt::format("no answer in {:g} s (is it there, and is the {} right?)",
                     options_.timeout.seconds() * (options_.retries + 1),
                     agent.settings.version == 3 ? "user" : "community");
}

void Walk::fail_round(Agent& agent, const std::string& why) {
  if (!agent.busy) return;  // a question that cannot be sent is told twice
  agent.busy = false;
  --busy_;
  listener_.failed(agent.number, why);
}

// The library neither reads configuration nor MIBs nor writes to stderr: what it is asked is here.
void start_library() {
  static const bool started = [] {
    ::setenv("MIBS", "", 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
    snmp_disable_log();
    netsnmp_register_loghandler(NETSNMP_LOGHANDLER_NONE, LOG_EMERG);
    init_snmp("weir");
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
      files.rlim_cur = files.rlim_max;  // a socket for each agent
      ::setrlimit(RLIMIT_NOFILE, &files);
    }
    return true;
  }();
  static_cast<void>(started);
}

}  // namespace

Result<std::unique_ptr<SnmpWalk>> SnmpWalk::open(std::vector<SnmpAgent> agents, SnmpWalkOptions options,
                                                 Listener& listener) {
  start_library();
  std::vector<std::string> names;
  for (const SnmpAgent& agent : agents) names.push_back(agent.host);
  const std::vector<ResolvedName> resolved = resolve_names(names);
  auto walk = std::make_unique<Walk>(std::move(options), listener);
  for (std::size_t i = 0; i < agents.size(); ++i) {
    if (resolved[i].addresses.empty())
      return fail(Code::environment, resolved[i].error, "snmp://" + agents[i].label());
    WEIR_CHECK(walk->add(std::move(agents[i]), resolved[i].addresses.front()));
  }
  return walk;
}

}  // namespace weir
