// When this machine's interfaces change: rtnetlink(7), RTMGRP_LINK.
#pragma once

#include "core/result.hpp"
#include "os/descriptor.hpp"

namespace weir {

// One thread at a time. Nothing here needs privilege.
class LinkChanges {
 public:
  // Fails with Code::environment.
  static Result<LinkChanges> open();
  int fd() const noexcept { return fd_.get(); }  // readable when one has come, gone or changed
  // True when that was so since it was last asked.
  bool take() noexcept;

 private:
  explicit LinkChanges(Descriptor fd) noexcept : fd_(std::move(fd)) {}
  Descriptor fd_;
};

}  // namespace weir
