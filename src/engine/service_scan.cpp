#include "engine/service_scan.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace weir {

Result<OwnFingerprints> load_fingerprints(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<fs::path> paths;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (at->path().extension() == ".yaml") paths.push_back(at->path());
  if (error) return fail(Code::environment, error.message(), folder, "name a folder of *.yaml files");
  if (paths.empty()) return fail(Code::environment, "has no *.yaml files", folder);
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

ServiceScan::ServiceScan(const Emitter::Wants& wants, Outlet& outlet, ServiceOptions options)
    : emitter_(wants, delivery_.batch),
      detection_(std::move(options), [this, &outlet](const ServiceFacts& facts) {
        emit_service(emitter_, facts);
        if (!delivery_.batch.entries().empty()) outlet.deliver(delivery_, true);
      }) {}

}  // namespace weir
