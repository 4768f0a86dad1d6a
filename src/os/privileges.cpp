#include "os/privileges.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>

namespace weir {
namespace {

struct User {
  uid_t uid;
  gid_t gid;
};

std::optional<unsigned> number_in(const char* variable) noexcept {
  const char* const text = std::getenv(variable);
  unsigned value = 0;
  if (text == nullptr) return std::nullopt;
  const char* const end = text + std::strlen(text);
  const auto [at, error] = std::from_chars(text, end, value);
  return error == std::errc{} && at == end && value != 0 ? std::optional{value} : std::nullopt;
}

// Who called sudo; nothing when nobody did, or root.
std::optional<User> caller() noexcept {
  const auto uid = number_in("SUDO_UID"), gid = number_in("SUDO_GID");
  if (!uid || !gid) return std::nullopt;
  return User{*uid, *gid};
}

tl::unexpected<Error> cannot(int error) {
  return fail(Code::environment, std::string("cannot give up privileges: ") + std::strerror(error));
}

// Those that count now, and those that may be made to count again; what a program started from here would get
// is none.
bool set_capabilities(std::uint64_t effective, std::uint64_t permitted) noexcept {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  for (unsigned i = 0; i < 2; ++i) {
    data[i].effective = static_cast<std::uint32_t>(effective >> (32 * i));
    data[i].permitted = static_cast<std::uint32_t>(permitted >> (32 * i));
  }
  return ::syscall(SYS_capset, &header, data) == 0;
}

std::uint64_t permitted() noexcept {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  if (::syscall(SYS_capget, &header, data) != 0) return 0;
  return std::uint64_t{data[1].permitted} << 32 | data[0].permitted;
}

bool may_write(const std::vector<std::string>& folders) noexcept {
  return std::ranges::all_of(folders, [](const std::string& folder) {
    return ::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0;
  });
}

// Leaves the process as the user, or as it was when that user may not write into the folders.
Result<bool> become(const User& user, const std::vector<std::string>& folders) {
  const passwd* const entry = ::getpwuid(user.uid);
  const bool grouped =
      entry != nullptr ? ::initgroups(entry->pw_name, user.gid) == 0 : ::setgroups(1, &user.gid) == 0;
  if (!grouped || ::setegid(user.gid) != 0 || ::seteuid(user.uid) != 0) return cannot(errno);
  const bool writes = may_write(folders);
  if (::seteuid(0) != 0 || ::setegid(0) != 0) return cannot(errno);
  if (!writes) {
    const gid_t root = 0;
    return ::setgroups(1, &root) == 0 ? Result<bool>{false} : cannot(errno);
  }
  if (::setresgid(user.gid, user.gid, user.gid) != 0 || ::setresuid(user.uid, user.uid, user.uid) != 0)
    return cannot(errno);
  return true;
}

}  // namespace

std::string folder_of(const std::string& path) {
  std::error_code ignored;
  std::filesystem::path folder(path.empty() ? "." : path);
  if (!std::filesystem::is_directory(folder, ignored)) folder = folder.parent_path();
  // One that is to be made is made in the nearest that is there.
  while (!folder.empty() && !std::filesystem::exists(folder, ignored)) folder = folder.parent_path();
  return folder.empty() ? "." : folder.string();
}

Result<void> drop_privileges(const std::vector<std::string>& folders, Keep keep) {
  std::uint64_t kept = 0, looking = 0;
  if (keep == Keep::other_processes) {
    looking = permitted() & (std::uint64_t{1} << CAP_SYS_PTRACE | std::uint64_t{1} << CAP_DAC_READ_SEARCH);
    // Or they would go with the user.
    if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return cannot(errno);
  }
  if (::geteuid() == 0) {
    const auto user = caller();
    bool changed = false;
    if (user) {
      WEIR_TRY(changed, become(*user, folders));
    }
    if (!changed) {
      const std::uint64_t write_anywhere = permitted() & std::uint64_t{1} << CAP_DAC_OVERRIDE;
      if (!set_capabilities(0, write_anywhere | looking)) return cannot(errno);
      if (!may_write(folders)) kept = write_anywhere;
    }
  }
  kept |= looking;
  return set_capabilities(kept, kept) && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? Result<void>{}
                                                                                       : cannot(errno);
}

}  // namespace weir
