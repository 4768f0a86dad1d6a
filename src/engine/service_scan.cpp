#include "engine/service_scan.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "os/kernel_clock.hpp"
#include "records/port.hpp"

namespace weir {

Result<OwnFingerprints> load_fingerprints(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<fs::path> paths;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (at->path().extension() == ".yaml") paths.push_back(at->path());
  if (error == std::errc::no_such_file_or_directory)
    return fail(Code::usage, "no such folder", folder, "name a folder of *.yaml files");
  if (error) return fail(Code::environment, error.message(), folder, "name a folder of *.yaml files");
  if (paths.empty()) return fail(Code::usage, "has no *.yaml files", folder);
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> names, texts;
  for (const fs::path& path : paths) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    if (!file) return fail(Code::environment, "cannot be read", path.string());
    names.push_back(path.string());
    texts.push_back(text.str());
  }
  std::vector<FingerprintFile> files;
  for (std::size_t i = 0; i < names.size(); ++i) files.push_back({names[i], texts[i]});
  const auto built_in = Fingerprints::built_in_files();
  files.insert(files.end(), built_in.begin(), built_in.end());
  OwnFingerprints own;
  WEIR_TRY(own.services, Fingerprints::read(files));
  WEIR_TRY(own.systems, Systems::read(files));
  return own;
}

std::bitset<65'536> ServiceScan::usual_udp_ports(const ServiceOptions& options) {
  std::bitset<65'536> ports;
  const Fingerprints& all =
      options.fingerprints != nullptr ? *options.fingerprints : Fingerprints::built_in();
  for (const Conversation& c : all.conversations())
    if (c.proto == IpProto::udp)
      for (const std::uint16_t port : c.ports) ports.set(port);
  return ports;
}

ServiceScan::ServiceScan(const Emitter::Wants& wants, Outlet& outlet, ServiceOptions options, bool silent_too)
    : udp_ports_(usual_udp_ports(options)),
      silent_too_(silent_too),
      outlet_(outlet),
      emitter_(wants, delivery_.batch),
      detection_(std::move(options), [this](const ServiceFacts& facts) { tell(facts); }) {}

bool ServiceScan::add_silent(ServiceTarget target) {
  if (!udp_ports_[target.port]) return false;
  target.silent = true;
  if (silent_too_) {
    const std::lock_guard lock(mutex_);
    silent_.emplace(std::pair(target.ip, target.port), target);
  }
  detection_.add(std::move(target));
  return true;
}

void ServiceScan::emit_port(const ServiceTarget& target, Time time, Text state, Text reason) {
  emitter_.emit(Port{.time = time,
                     .ip = target.ip,
                     .host = target.host.empty() ? Text{} : emitter_.text(target.host),
                     .proto = target.proto,
                     .port = target.port,
                     .state = state,
                     .reason = reason});
}

void ServiceScan::tell(const ServiceFacts& facts) {
  const std::lock_guard lock(mutex_);
  if (facts.target.silent) {
    ++opened_;
    silent_.erase({facts.target.ip, facts.target.port});
    emit_port(facts.target, facts.time, "open", "udp_reply");
  }
  emit_service(emitter_, facts);
  if (!delivery_.batch.entries().empty()) outlet_.deliver(delivery_, true);
}

void ServiceScan::tell_silent() {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, target] : silent_) emit_port(target, wall_now(), "open|filtered", "no_reply");
  silent_.clear();
  if (!delivery_.batch.entries().empty()) outlet_.deliver(delivery_, true);
}

}  // namespace weir
