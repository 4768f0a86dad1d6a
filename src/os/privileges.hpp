// Giving up what is not needed any more: capabilities(7), setresuid(2).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace weir {

// For after everything that needs a privilege is open, and before any thread is started. No capability is
// left, nor can one be had again. Under sudo the process goes on as the user who called it, and what it
// writes is that user's, where that user may write into all of `folders`; otherwise as root, which without
// capabilities may do no more than write what is root's. Folders that only root's capability lets it write to
// keep that one (CAP_DAC_OVERRIDE). Fails with Code::environment.
//
// With Keep::other_processes, what it takes to see whose sockets are whose stays, as far as it was there:
// CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH.
enum class Keep : std::uint8_t { nothing, other_processes };
Result<void> drop_privileges(const std::vector<std::string>& folders, Keep keep = Keep::nothing);

// The folder that a file of this name is in, or will be.
std::string folder_of(const std::string& path);

}  // namespace weir
