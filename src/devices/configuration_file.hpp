// The versions of configurations on disk: DIR/configurations.sqlite, readable by nobody else.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"

namespace weir {

struct ConfigurationVersion {
  std::string device;  // as it was called when it was fetched first: [user@]host[:port]
  std::string system;
  std::uint32_t version = 0;  // 1, 2, …
  Time first, last;           // fetched with this text for the first and for the last time
  std::string text;
};

// One thread at a time; several programs may have it open.
class ConfigurationFile {
 public:
  // Makes the folder and the file unless it is only read, and then fails with Code::usage when there is
  // none. All else is Code::environment.
  static Result<ConfigurationFile> open(const std::string& folder, bool only_read);
  ConfigurationFile(ConfigurationFile&&) noexcept;
  ConfigurationFile& operator=(ConfigurationFile&&) noexcept;
  ~ConfigurationFile();

  Result<std::vector<std::string>> devices() const;
  // In order, without their texts.
  Result<std::vector<ConfigurationVersion>> versions(const std::string& device) const;
  // The last one for version 0; nullopt when there is no such version.
  Result<std::optional<ConfigurationVersion>> find(const std::string& device, std::uint32_t version) const;
  // The last one that was there at that time.
  Result<std::optional<ConfigurationVersion>> at(const std::string& device, Time time) const;
  // A new version when the text differs from the last one, which is returned; otherwise that one was seen
  // again.
  Result<std::optional<ConfigurationVersion>> keep(const ConfigurationVersion& fetched);
  // What masks are made with: differs between stores, and never changes.
  const std::string& key() const noexcept;

 private:
  struct State;
  explicit ConfigurationFile(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace weir
