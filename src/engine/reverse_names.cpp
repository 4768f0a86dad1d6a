#include "engine/reverse_names.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <optional>
#include <random>
#include <sstream>

#include "core/hash.hpp"
#include "parsers/dns_message.hpp"

namespace weir {
namespace {

constexpr std::uint16_t dns_port = 53, type_ptr = 12, class_in = 1;
constexpr std::uint16_t rcode_fine = 0, rcode_no_such_name = 3;
constexpr std::size_t message_max = 4096;  // what is longer comes truncated

enum Count : std::size_t { asked, named, unnamed, failed, refused, evicted };

// Nanoseconds on a clock that costs next to nothing and is right to some milliseconds.
std::int64_t ticks() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

std::uint16_t random_id() {
  static thread_local std::mt19937 generator{std::random_device{}()};
  return static_cast<std::uint16_t>(generator());
}

// "1.2.0.192.in-addr.arpa" (RFC 1035 §3.5), nibbles under ip6.arpa (RFC 3596 §2.5).
std::string reverse_name(const Addr& address) {
  std::string name;
  if (address.is_v4()) {
    for (std::size_t i = 16; i-- > 12;) name += fmt::format("{}.", address.bytes[i]);
    return name + "in-addr.arpa";
  }
  for (std::size_t i = 16; i-- > 0;)
    name += fmt::format("{:x}.{:x}.", address.bytes[i] & 0xfU, address.bytes[i] >> 4U);
  return name + "ip6.arpa";
}

// A question for the address's name, recursion desired (RFC 1035 §4.1).
std::vector<std::uint8_t> question_for(std::uint16_t id, const Addr& address) {
  std::vector<std::uint8_t> message;
  const auto u16 = [&](unsigned value) {
    message.push_back(static_cast<std::uint8_t>(value >> 8U));
    message.push_back(static_cast<std::uint8_t>(value));
  };
  for (const unsigned word : {unsigned{id}, 0x0100U, 1U, 0U, 0U, 0U}) u16(word);
  const std::string name = reverse_name(address);
  for (std::string_view rest = name; !rest.empty();) {
    const std::string_view label = rest.substr(0, rest.find('.'));
    message.push_back(static_cast<std::uint8_t>(label.size()));
    message.insert(message.end(), label.begin(), label.end());
    rest.remove_prefix(std::min(label.size() + 1, rest.size()));
  }
  message.push_back(0);
  u16(type_ptr);
  u16(class_in);
  return message;
}

// Whether the message's only question is the one for the address.
bool asks_for(ByteReader& r, Bytes message, const Addr& address) {
  dns::Name name;
  dns::read_name(r, message, name);
  const std::uint16_t type = r.u16(), klass = r.u16();
  return r.ok() && type == type_ptr && klass == class_in && name.view() == reverse_name(address);
}

// The first PTR record, whoever owns it: the name asked for may be an alias (RFC 2317).
void take_pointer(ByteReader& r, Bytes message, std::uint16_t answers, ReverseAnswer& into) {
  for (unsigned i = 0; i < answers && r.ok(); ++i) {
    dns::skip_name(r);
    const std::uint16_t type = r.u16(), klass = r.u16();
    const std::uint32_t ttl = r.u32();
    const std::uint16_t length = r.u16();
    const std::size_t end = r.position() + length;
    if (type == type_ptr && klass == class_in && r.ok()) {
      dns::Name name;
      dns::read_name(r, message, name);
      const std::string_view text = name.view();
      if (r.ok() && r.position() == end && text != "." && text.size() <= dns::name_wire_max) {
        into.name = text;
        into.ttl = ttl;
        return;
      }
    }
    r.seek(end);
  }
}

}  // namespace

std::optional<ReverseAnswer> read_reverse_answer(Bytes message, const Addr& address) {
  ByteReader r(message);
  const dns::Header header = dns::read_header(r);
  if (!r.ok() || !header.is_response() || header.questions != 1 || !asks_for(r, message, address))
    return std::nullopt;
  ReverseAnswer answer;
  answer.settled = header.rcode() == rcode_fine || header.rcode() == rcode_no_such_name;
  if (answer.settled) take_pointer(r, message, header.answers, answer);
  return answer;
}

std::vector<Endpoint> name_servers_in(std::string_view resolv_conf) {
  constexpr std::string_view blanks = " \t\r", word = "nameserver";
  std::vector<Endpoint> servers;
  while (!resolv_conf.empty()) {
    std::string_view line = resolv_conf.substr(0, resolv_conf.find('\n'));
    resolv_conf.remove_prefix(std::min(line.size() + 1, resolv_conf.size()));
    if (!line.starts_with(word) || line.size() == word.size() ||
        blanks.find(line[word.size()]) == blanks.npos)
      continue;
    line.remove_prefix(std::min(line.find_first_not_of(blanks, word.size()), line.size()));
    const auto address = parse_addr(line.substr(0, line.find_first_of(blanks)));
    if (address) servers.push_back({*address, dns_port});
  }
  constexpr std::uint8_t local[] = {127, 0, 0, 1};
  if (servers.empty()) servers.push_back({Addr::v4(local), dns_port});
  return servers;
}

std::vector<Endpoint> system_name_servers() {
  std::ifstream file("/etc/resolv.conf", std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return name_servers_in(text.str());
}

std::size_t ReverseNames::AddrHash::operator()(const Addr& a) const noexcept {
  static const std::uint64_t seed = std::random_device{}();
  std::uint64_t words[2];
  std::memcpy(words, a.bytes.data(), sizeof words);
  return mix(words[0] ^ seed, words[1]);
}

ReverseNames::ReverseNames(ReverseNamesOptions options)
    : options_(std::move(options)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Result<std::unique_ptr<ReverseNames>> ReverseNames::open(ReverseNamesOptions options) {
  if (options.servers.empty()) options.servers = system_name_servers();
  std::unique_ptr<ReverseNames> names(new ReverseNames(std::move(options)));
  int error = 0;
  for (const Endpoint& server : names->options_.servers) {
    sockaddr_storage address{};
    const socklen_t size = to_sockaddr(server, address);
    // Connected: what others send does not get in.
    Descriptor socket(::socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (socket && ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0)
      names->sockets_.push_back(std::move(socket));
    else
      error = errno;
  }
  if (names->sockets_.empty() || !names->wake_)
    return fail(Code::environment, fmt::format("no name server can be asked: {}", std::strerror(error)),
                "--resolve", "see /etc/resolv.conf");
  names->thread_ = std::thread([all = names.get()] { all->run(); });
  return names;
}

ReverseNames::~ReverseNames() {
  stop_.set();
  if (thread_.joinable()) thread_.join();
}

ReverseNames::Shard& ReverseNames::shard_of(const Addr& address) noexcept {
  return shards_[AddrHash{}(address) >> 60U];
}

std::string_view ReverseNames::find(const Addr& address, Arena& texts) {
  if (address.is_multicast() || address.is_unspecified()) return {};
  Shard& shard = shard_of(address);
  const std::lock_guard lock(shard.mutex);
  auto it = shard.names.find(address);
  if (it != shard.names.end()) {
    Name& name = it->second;
    // A name that is too old is told until the new one has come.
    if (!name.asked && name.good_until <= ticks()) name.asked = wait_for(address);
    return name.text.empty() ? std::string_view{} : texts.copy(name.text);
  }
  if (!wait_for(address)) return {};
  const std::size_t most = std::max<std::size_t>(options_.most_names / shards_.size(), 1);
  if (shard.oldest.size() < most) {
    shard.oldest.push_back(address);
  } else {
    shard.names.erase(std::exchange(shard.oldest[shard.next], address));
    shard.next = (shard.next + 1) % most;
    ++counts_[evicted];
  }
  shard.names[address].asked = true;
  return {};
}

ReverseCounts ReverseNames::counts() const noexcept {
  return {counts_[asked],  counts_[named],   counts_[unnamed],
          counts_[failed], counts_[refused], counts_[evicted]};
}

bool ReverseNames::wait_for(const Addr& address) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= options_.most_waiting) {
    ++counts_[refused];
    return false;
  }
  waiting_.push_back(address);
  if (waiting_.size() == 1) eventfd_write(wake_.get(), 1);
  return true;
}

void ReverseNames::run() {
  std::vector<pollfd> entries;
  for (const Descriptor& socket : sockets_) entries.push_back({socket.get(), POLLIN, 0});
  entries.push_back({wake_.get(), POLLIN, 0});
  entries.push_back({stop_.fd(), POLLIN, 0});
  while (!stop_.is_set()) {
    ask_waiting();
    ::poll(entries.data(), entries.size(), until_deadline());
    eventfd_t ignored = 0;
    if (entries[sockets_.size()].revents != 0) eventfd_read(wake_.get(), &ignored);
    for (const Descriptor& socket : sockets_) receive(socket);
    give_up_late();
  }
}

int ReverseNames::until_deadline() const noexcept {
  if (deadlines_.empty()) return -1;
  constexpr std::int64_t ns_per_ms = 1'000'000;
  return static_cast<int>(std::max<std::int64_t>(deadlines_.front().at - ticks(), 0) / ns_per_ms + 1);
}

void ReverseNames::ask_waiting() {
  while (asked_.size() < options_.most_asked) {
    Question question;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.empty()) return;
      question.address = waiting_.front();
      waiting_.pop_front();
    }
    ++counts_[asked];
    ask(question);
  }
}

// What cannot be sent is late, in the end.
void ReverseNames::ask(Question question) {
  std::uint16_t id = random_id();
  while (asked_.contains(id)) id = random_id();
  const auto message = question_for(id, question.address);
  [[maybe_unused]] const auto sent =
      ::send(sockets_[question.tries % sockets_.size()].get(), message.data(), message.size(), MSG_NOSIGNAL);
  ++question.tries;
  question.deadline = ticks() + options_.timeout.ns;
  question.number = ++number_;
  deadlines_.push_back({question.deadline, id, question.number});
  asked_.emplace(id, question);
}

void ReverseNames::receive(const Descriptor& socket) {
  std::array<std::uint8_t, message_max> message;
  while (true) {
    const ssize_t size = ::recv(socket.get(), message.data(), message.size(), 0);
    if (size >= 0)
      answer({message.data(), static_cast<std::size_t>(size)});
    else if (errno != EINTR && errno != ECONNREFUSED)
      return;
  }
}

void ReverseNames::answer(Bytes message) {
  if (message.size() < 2) return;
  const auto it = asked_.find(load_be16(message.data()));
  if (it == asked_.end()) return;
  const Question question = it->second;
  const auto answer = read_reverse_answer(message, question.address);
  if (!answer) return;
  asked_.erase(it);
  if (!answer->settled) return retry(question);
  const bool has_name = !answer->name.empty();
  const Duration good = std::clamp(seconds(answer->ttl), options_.least, options_.most);
  settle(question.address, answer->name, has_name ? good : options_.none);
  ++counts_[has_name ? named : unnamed];
}

void ReverseNames::give_up_late() {
  const std::int64_t now = ticks();
  while (!deadlines_.empty() && deadlines_.front().at <= now) {
    const Deadline late = deadlines_.front();
    deadlines_.pop_front();
    const auto it = asked_.find(late.id);
    if (it == asked_.end() || it->second.number != late.number) continue;  // answered
    const Question question = it->second;
    asked_.erase(it);
    retry(question);
  }
}

void ReverseNames::retry(Question question) {
  if (question.tries < options_.tries) return ask(question);
  settle(question.address, {}, options_.failed);
  ++counts_[failed];
}

void ReverseNames::settle(const Addr& address, std::string_view name, Duration good) {
  Shard& shard = shard_of(address);
  const std::lock_guard lock(shard.mutex);
  const auto it = shard.names.find(address);
  if (it == shard.names.end()) return;  // evicted meanwhile
  it->second.text = name;
  it->second.good_until = ticks() + good.ns;
  it->second.asked = false;
}

}  // namespace weir
