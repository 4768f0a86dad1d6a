// DNS over UDP (RFC 1035): one question, and its answer.
#include <sys/random.h>

#include "probes/connections.hpp"

namespace weir {
namespace {

constexpr std::size_t header = 12;

// By RFC 1035 §4.1.1 and RFC 2136: response codes that say that the server does not work for us.
std::string_view failure(unsigned code) noexcept {
  switch (code) {
    case 1: return "formerr";
    case 2: return "servfail";
    case 4: return "notimp";
    case 5: return "refused";
    default: return {};
  }
}

class DnsTalk final : public Talk {
 public:
  DnsTalk(const ProbeOptions& options, const ProbeTarget&) {
    std::uint8_t id[2] = {};
    [[maybe_unused]] const auto got = ::getrandom(id, sizeof id, GRND_NONBLOCK);
    // Recursion desired; one question.
    query_ = {id[0], id[1], 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    std::string_view name = options.request;
    const bool root = name.empty() || name == ".";
    constexpr std::size_t longest_label = 63;
    while (!root && !name.empty()) {
      const std::size_t end = std::min(name.find('.'), name.size());
      const std::size_t size = std::min(end, longest_label);
      if (size == 0) break;
      query_.push_back(static_cast<std::uint8_t>(size));
      query_.insert(query_.end(), name.begin(), name.begin() + static_cast<std::ptrdiff_t>(size));
      name.remove_prefix(std::min(end + 1, name.size()));
    }
    // The addresses of a name, or the servers of the root; class IN.
    const std::uint8_t type = root ? 2 : 1;
    query_.insert(query_.end(), {0, 0, type, 0, 1});
  }

  Verdict begin(int fd) override {
    [[maybe_unused]] const auto sent = ::send(fd, query_.data(), query_.size(), MSG_NOSIGNAL);
    return {};
  }
  Verdict go_on(int fd, std::uint32_t& received) override {
    std::array<std::uint8_t, 4096> answer;
    while (true) {
      const ssize_t size = ::recv(fd, answer.data(), answer.size(), MSG_TRUNC);
      if (size < 0)
        return errno == ECONNREFUSED ? Verdict{Verdict::Kind::refused, "port_unreachable"} : Verdict{};
      if (!answers(Bytes(answer).first(std::min(static_cast<std::size_t>(size), answer.size())))) continue;
      received = static_cast<std::uint32_t>(size);
      const std::string_view wrong = failure(answer[3] & 0xfU);
      return wrong.empty() ? answered : Verdict{Verdict::Kind::refused, wrong};
    }
  }

 private:
  // Our id, a response, and our question as far as the server repeats one (RFC 5452 §9.1).
  bool answers(Bytes answer) const noexcept {
    if (answer.size() < header || answer[0] != query_[0] || answer[1] != query_[1] || (answer[2] & 0x80) == 0)
      return false;
    if (load_be16(&answer[4]) == 0) return true;
    return answer.size() >= query_.size() &&
           std::equal(query_.begin() + header, query_.end(), answer.begin() + header);
  }

  std::vector<std::uint8_t> query_;
};

constexpr ProbeSpec spec{.name = "dns",
                         .doc = "DNS question by UDP: the root's servers, or the addresses of --request NAME",
                         .port = 53,
                         .open = open_connections<SOCK_DGRAM, DnsTalk>};

}  // namespace
WEIR_REGISTER(ProbeSpec, spec);
}  // namespace weir
