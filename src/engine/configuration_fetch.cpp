#include "engine/configuration_fetch.hpp"

#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "core/ascii.hpp"
#include "devices/configuration.hpp"
#include "os/child_process.hpp"

namespace weir {
namespace {

constexpr int ssh_failed = 255;  // ssh(1), EXIT STATUS

// What SSH_ASKPASS names; it is gone with this.
class PasswordHelper {
 public:
  explicit PasswordHelper(const std::string& password_file) {
    if (password_file.empty()) return;
    std::string folder = std::filesystem::temp_directory_path() / "weir-XXXXXX";
    if (::mkdtemp(folder.data()) == nullptr) return;
    folder_ = folder;
    std::ofstream(script()) << "#!/bin/sh\nexec head -n 1 -- \"$WEIR_PASSWORD_FILE\"\n";
    ::chmod(script().c_str(), S_IRWXU);
  }
  ~PasswordHelper() {
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }
  PasswordHelper(const PasswordHelper&) = delete;
  PasswordHelper& operator=(const PasswordHelper&) = delete;
  std::string script() const { return folder_ + "/askpass"; }

 private:
  std::string folder_;
};

// host:port, but no IPv6 address without brackets.
bool names_port(std::string_view place) {
  const std::size_t colon = place.rfind(':');
  return colon != place.npos && (place.find(':') == colon || (colon != 0 && place[colon - 1] == ']'));
}

std::string_view last_line(std::string_view text) {
  text = trim(text);
  const std::size_t start = text.rfind('\n');
  return trim(start == text.npos ? text : text.substr(start + 1));
}

class Session {
 public:
  Session(const std::string& device, const FetchOptions& options, const std::atomic<bool>& stop)
      : device_(device), options_(options), stop_(stop), helper_(options.password_file) {
    for (std::string_view rest = trim(options.ssh); !rest.empty();) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      words_.emplace_back(rest.substr(0, end));
      rest = trim(rest.substr(end));
    }
    const auto option = [&](const std::string& text) { words_.insert(words_.end(), {"-o", text}); };
    option("ConnectTimeout=" + std::to_string(std::max<std::int64_t>(1, options.timeout.ns / seconds(1).ns)));
    if (options.accept_new) option("StrictHostKeyChecking=accept-new");
    if (options.password_file.empty()) {
      option("BatchMode=yes");
    } else {
      if (!options.accept_new) option("StrictHostKeyChecking=yes");  // nobody is there to be asked
      option("NumberOfPasswordPrompts=1");
      environment_ = {"SSH_ASKPASS=" + helper_.script(), "SSH_ASKPASS_REQUIRE=force",
                      "WEIR_PASSWORD_FILE=" + options.password_file};
    }
    words_.insert(words_.end(), {"-T", "--", names_port(device) ? "ssh://" + device : device});
  }

  Result<ChildResult> run(const std::string& command) const {
    std::vector<std::string> words = words_;
    words.push_back(command);
    WEIR_TRY(ChildResult result, run_child(words, environment_, {.time = options_.timeout}, stop_));
    using End = ChildResult::End;
    if (result.end == End::timed_out)
      return failed("no answer to \"" + command + "\" in time", "--timeout waits longer");
    if (result.end == End::too_much) return failed("the answer to \"" + command + "\" is larger than 16 MiB");
    if (result.end == End::stopped) return failed("interrupted");
    if (result.end == End::killed) return failed("ssh was killed by signal " + std::to_string(result.status));
    return result;
  }

  tl::unexpected<Error> failed(std::string what, std::string hint = {}) const {
    return fail(Code::environment, std::move(what), device_, std::move(hint));
  }
  // ssh itself could not do it: never reached, not let in.
  tl::unexpected<Error> failed(const ChildResult& result) const {
    const std::string why(last_line(result.err));
    return failed(why.empty() ? "ssh failed" : why,
                  why.find("verification failed") != why.npos
                      ? "connect once by hand, or --accept-new takes keys that nobody knew before"
                  : why.find("Permission denied") != why.npos ? "a key that ssh finds, or --password-file"
                                                              : "");
  }

 private:
  const std::string& device_;
  const FetchOptions& options_;
  const std::atomic<bool>& stop_;
  const PasswordHelper helper_;
  std::vector<std::string> words_, environment_;
};

// Devices hang up on a command that they do not know.
bool hung_up(const ChildResult& result) {
  return result.err.find("closed by") != std::string::npos ||
         result.err.find("reset by") != std::string::npos;
}

Result<const DeviceSystem*> detect(const Session& session, const std::vector<DeviceSystem>& systems) {
  std::vector<std::string_view> asked;
  for (const DeviceSystem& candidate : systems) {
    if (std::ranges::find(asked, candidate.detect) != asked.end()) continue;
    asked.push_back(candidate.detect);
    WEIR_TRY(const ChildResult result, session.run(candidate.detect));
    if (result.status == ssh_failed && result.out.empty() && !hung_up(result)) return session.failed(result);
    for (const DeviceSystem& system : systems)
      if (system.detect == candidate.detect && system.detected.matches(result.out)) return &system;
  }
  return session.failed("what system it runs cannot be told", "--os says so, --systems describes more");
}

}  // namespace

std::string host_of_device(const std::string& device) {
  std::string_view place = std::string_view(device).substr(device.rfind('@') + 1);
  if (names_port(place)) place = place.substr(0, place.rfind(':'));
  if (place.starts_with('[') && place.ends_with(']')) place = place.substr(1, place.size() - 2);
  return std::string(place);
}

Result<FetchedConfiguration> fetch_configuration(const std::string& device,
                                                 const std::vector<DeviceSystem>& systems,
                                                 const DeviceSystem* known, const FetchOptions& options,
                                                 const std::atomic<bool>& stop) {
  const Session session(device, options, stop);
  const DeviceSystem* system = known;
  if (system == nullptr) {
    WEIR_TRY(system, detect(session, systems));
  }
  std::vector<std::string> answers;
  std::size_t size = 0;
  for (const std::string& command : system->commands) {
    WEIR_TRY(ChildResult result, session.run(command));
    // Half a configuration must not pass for a changed one.
    if (system->complete && !result.out.empty()) {
      if (!system->complete->matches(result.out))
        return session.failed("the answer to \"" + command + "\" has no end");
    } else if (result.status == ssh_failed) {
      return session.failed(result);
    } else if (result.status != 0) {
      return session.failed("\"" + command +
                            "\" failed: " + std::string(last_line(result.err + "\n" + result.out)));
    }
    size += trim(result.out).size();
    answers.push_back(std::move(result.out));
  }
  if (size == 0) return session.failed("it has shown no configuration", "may the user see it?");
  return FetchedConfiguration{system, kept_configuration(*system, answers)};
}

}  // namespace weir
