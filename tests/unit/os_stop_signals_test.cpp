#include <gtest/gtest.h>

#include <csignal>

#include "os/descriptor.hpp"

namespace weir {
namespace {

TEST(StopSignals, ThoseThatComeTogetherAreOne) {
  StopSignals signals;
  EXPECT_FALSE(signals.take());
  raise(SIGINT);
  raise(SIGTERM);
  EXPECT_TRUE(signals.take());
  EXPECT_FALSE(signals.take());
}

}  // namespace
}  // namespace weir
