#include "cli/front/export_state.hpp"

#include <fmt/core.h>

#include <atomic>

#include "store/state.hpp"

namespace weir {
namespace {

// As many as a collector knows at one time: spoofed addresses push each other out.
constexpr std::size_t most_exporters = 10'000;

class StoredExportState final : public ExportStateStore {
 public:
  explicit StoredExportState(StateDatabase database) : database_(std::move(database)) {}

  std::vector<std::uint8_t> load(const Addr& exporter, std::string_view protocol) override {
    auto value = database_.get(protocol, to_string(exporter));
    if (!value) return tell(value.error()), std::vector<std::uint8_t>{};
    return *std::move(value) ? **std::move(value) : std::vector<std::uint8_t>{};
  }
  void store(const Addr& exporter, std::string_view protocol, Bytes state) override {
    const auto stored = database_.put(protocol, to_string(exporter), state, most_exporters);
    if (!stored) tell(stored.error());
  }

 private:
  // Collecting goes on without: templates come again by themselves.
  void tell(const Error& error) {
    if (!told_.exchange(true)) fmt::print(stderr, "weir: templates are not kept: {}\n", error.line());
  }
  StateDatabase database_;
  std::atomic<bool> told_ = false;
};

}  // namespace

Result<std::unique_ptr<ExportStateStore>> open_export_state(const std::string& folder) {
  WEIR_TRY(StateDatabase database, StateDatabase::open(folder));
  return std::make_unique<StoredExportState>(std::move(database));
}

}  // namespace weir
