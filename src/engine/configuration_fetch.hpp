// The configuration of a device, over SSH: OpenSSH's client does it, with the keys, jump hosts, algorithms of
// old devices and known hosts that its own configuration has.
#pragma once

#include <atomic>

#include "core/time.hpp"
#include "devices/device_systems.hpp"

namespace weir {

struct FetchOptions {
  std::string ssh = "ssh";  // the program, and options of its own, separated by spaces
  std::string password_file;
  bool accept_new = false;         // host keys that nobody knew before
  Duration timeout = seconds(30);  // for the answer to one command
};

struct FetchedConfiguration {
  const DeviceSystem* system;
  std::string text;
};

// `device` is [user@]host[:port]. `known` is its system; nullptr: it is asked for. Fails with
// Code::environment, and why, in the words of ssh. Any thread.
Result<FetchedConfiguration> fetch_configuration(const std::string& device,
                                                 const std::vector<DeviceSystem>& systems,
                                                 const DeviceSystem* known, const FetchOptions& options,
                                                 const std::atomic<bool>& stop);

// What is host of [user@]host[:port], without brackets.
std::string host_of_device(const std::string& device);

}  // namespace weir
