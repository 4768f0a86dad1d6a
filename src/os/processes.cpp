#include "os/processes.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

#include "os/descriptor.hpp"

namespace weir {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

template <class T>
std::optional<T> number_in(std::string_view text) noexcept {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional{value} : std::nullopt;
}

// "socket:[12345]"
std::optional<std::uint64_t> socket_in(std::string_view target) noexcept {
  constexpr std::string_view start = "socket:[";
  if (!target.starts_with(start) || !target.ends_with(']')) return std::nullopt;
  target.remove_prefix(start.size());
  target.remove_suffix(1);
  return number_in<std::uint64_t>(target);
}

std::string name_of_process(int folder) {
  char text[64];
  const Descriptor fd(::openat(folder, "comm", O_RDONLY | O_CLOEXEC));
  const ssize_t got = fd ? ::read(fd.get(), text, sizeof text) : -1;
  std::string name(text, got > 0 ? static_cast<std::size_t>(got) : 0);
  while (name.ends_with('\n')) name.pop_back();
  return name;
}

void add_sockets(std::uint32_t pid, const char* directory, std::unordered_map<std::uint64_t, Process>& out) {
  const Descriptor home(::open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!home) return;
  const int list = ::openat(home.get(), "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (list < 0) return;
  const Folder folder(::fdopendir(list));
  std::string name;
  char target[64];
  while (const dirent* entry = folder == nullptr ? nullptr : ::readdir(folder.get())) {
    const ssize_t length = ::readlinkat(list, entry->d_name, target, sizeof target);
    const auto inode = length > 0 ? socket_in({target, static_cast<std::size_t>(length)}) : std::nullopt;
    if (!inode) continue;
    if (name.empty()) name = name_of_process(home.get());
    const auto [it, fresh] = out.try_emplace(*inode, Process{pid, name});
    if (!fresh && pid < it->second.pid) it->second = {pid, name};
  }
}

}  // namespace

std::unordered_map<std::uint64_t, Process> socket_owners() {
  std::unordered_map<std::uint64_t, Process> out;
  const Folder folder(::opendir("/proc"));
  while (const dirent* entry = folder == nullptr ? nullptr : ::readdir(folder.get()))
    if (const auto pid = number_in<std::uint32_t>(entry->d_name))
      add_sockets(*pid, (std::string("/proc/") + entry->d_name).c_str(), out);
  return out;
}

std::string user_name(std::uint32_t uid) {
  const passwd* const entry = ::getpwuid(uid);
  return entry != nullptr ? entry->pw_name : std::to_string(uid);
}

}  // namespace weir
