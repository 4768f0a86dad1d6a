// Which process has a socket open: proc(5), /proc/PID/fd. Of other users' processes only with CAP_SYS_PTRACE.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

namespace weir {

struct Process {
  std::uint32_t pid = 0;
  std::string name;  // /proc/PID/comm
};

// By the socket's inode. Of several processes that have it open, the one of the lowest number: that is the
// parent, mostly. Processes that may not be looked into are left out. The cost is a look at every descriptor.
std::unordered_map<std::uint64_t, Process> socket_owners();

// A user's name, or the number as text when there is none.
std::string user_name(std::uint32_t uid);

}  // namespace weir
