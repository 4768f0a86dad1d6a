#include "os/name_resolver.hpp"

#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "os/descriptor.hpp"
#include "os/endpoint.hpp"

namespace weir {

// Shared with the threads, which may outlive their owner: getaddrinfo(3) cannot be interrupted.
struct NameResolver::Work {
  std::vector<std::string> names;
  Family family{};
  Descriptor settled_event{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::mutex mutex;  // guards the rest
  std::size_t next = 0;
  std::vector<ResolvedName> settled;
};

namespace {

ResolvedName ask(const std::string& name, Family family) {
  ResolvedName out{name, {}, {}};
  addrinfo hints{}, *found = nullptr;
  hints.ai_family = family == Family::v4 ? AF_INET : family == Family::v6 ? AF_INET6 : AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;  // one entry per address, and not one per protocol
  const int error = ::getaddrinfo(name.c_str(), nullptr, &hints, &found);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, [](addrinfo* a) {
    if (a != nullptr) ::freeaddrinfo(a);
  });
  if (error != 0) {
    out.error = error == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(error);
    return out;
  }
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    sockaddr_storage address{};
    std::memcpy(&address, a->ai_addr, std::min<std::size_t>(a->ai_addrlen, sizeof address));
    const Addr one = from_sockaddr(address).address;
    if (std::ranges::find(out.addresses, one) == out.addresses.end()) out.addresses.push_back(one);
  }
  if (out.addresses.empty()) out.error = ::gai_strerror(EAI_NONAME);
  return out;
}

}  // namespace

NameResolver::NameResolver(std::vector<std::string> names, Family family, unsigned at_a_time)
    : work_(std::make_shared<Work>()), left_(names.size()) {
  const std::size_t threads = std::min<std::size_t>(std::max(at_a_time, 1U), names.size());
  work_->names = std::move(names);
  work_->family = family;
  const auto run = [](const std::shared_ptr<Work>& work) {
    while (true) {
      std::size_t mine;
      {
        const std::lock_guard lock(work->mutex);
        if (work->next >= work->names.size()) return;
        mine = work->next++;
      }
      ResolvedName answer = ask(work->names[mine], work->family);
      const std::lock_guard lock(work->mutex);
      work->settled.push_back(std::move(answer));
      const std::uint64_t one = 1;
      [[maybe_unused]] const auto written = ::write(work->settled_event.get(), &one, sizeof one);
    }
  };
  // Signals are the business of the threads that were there before.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  for (std::size_t i = 0; i < threads; ++i) std::thread(run, work_).detach();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

NameResolver::~NameResolver() {
  const std::lock_guard lock(work_->mutex);
  work_->next = work_->names.size();
}

int NameResolver::fd() const noexcept {
  return work_->settled_event.get();
}

std::vector<ResolvedName> NameResolver::take(Duration wait) {
  if (left_ == 0) return {};
  pollfd waiting{fd(), POLLIN, 0};
  constexpr std::int64_t longest_ms = 1'000'000'000;
  const std::int64_t ms = std::clamp<std::int64_t>((wait.ns + 999'999) / 1'000'000, 0, longest_ms);
  ::poll(&waiting, 1, static_cast<int>(ms));
  std::vector<ResolvedName> out;
  const std::lock_guard lock(work_->mutex);
  std::uint64_t count;
  [[maybe_unused]] const auto got = ::read(fd(), &count, sizeof count);
  out.swap(work_->settled);
  left_ -= out.size();
  return out;
}

std::vector<ResolvedName> resolve_names(const std::vector<std::string>& names, Family family) {
  NameResolver resolver(names, family);
  std::unordered_map<std::string, ResolvedName> by_name;
  while (resolver.left() > 0)
    for (ResolvedName& r : resolver.take(seconds(3600))) by_name[r.name] = std::move(r);
  std::vector<ResolvedName> out;
  out.reserve(names.size());
  for (const std::string& name : names) out.push_back(by_name[name]);
  return out;
}

}  // namespace weir
