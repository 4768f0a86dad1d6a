#include "os/afterwards.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "temp_folder.hpp"

namespace weir {
namespace {

void mark(const std::string& path) {
  ::close(::open(path.c_str(), O_WRONLY | O_CREAT, 0600));
}

TEST(Afterwards, IsDoneWhenItsObjectIsGone) {
  const TempFolder folder;
  const std::string path = folder.file("done");
  {
    auto arranged = Afterwards::arrange([&] { mark(path); });
    ASSERT_TRUE(arranged);
    const Afterwards moved(std::move(*arranged));
    EXPECT_FALSE(std::filesystem::exists(path));
  }
  EXPECT_TRUE(std::filesystem::exists(path)) << "who lets go waits for it";
}

TEST(Afterwards, IsDoneWhenItsProcessIsKilled) {
  const TempFolder folder;
  const std::string path = folder.file("done");
  const pid_t child = ::fork();
  if (child == 0) {
    const auto arranged = Afterwards::arrange([&] { mark(path); });
    ::kill(::getpid(), arranged ? SIGKILL : SIGTERM);
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  // The child that acts is nobody's to wait for now.
  while (!std::filesystem::exists(path)) ::sched_yield();
}

}  // namespace
}  // namespace weir
