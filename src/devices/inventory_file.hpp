// The inventory and its history on disk: DIR/inventory.sqlite.
#pragma once

#include <memory>

#include "core/result.hpp"
#include "devices/inventory.hpp"

namespace weir {

// One thread at a time. Whoever changes it holds a lock, so that two programs do not give one number twice;
// readers need none.
class InventoryFile {
 public:
  enum class Mode : std::uint8_t { read, edit, change };
  // Reading and editing (policies alone, also while another program changes the rest): Code::usage when there
  // is no inventory. Changing: makes the folder and the file, and fails with Code::environment when another
  // program holds the lock.
  static Result<InventoryFile> open(const std::string& folder, Mode mode);
  static bool exists(const std::string& folder);
  InventoryFile(InventoryFile&&) noexcept;
  InventoryFile& operator=(InventoryFile&&) noexcept;
  ~InventoryFile();

  // All that is known, into an inventory that knows nothing.
  Result<void> load(Inventory& inventory) const;
  // What has changed since load(), and these events, at one instant; after refresh(). What is unsettled is
  // left for later.
  Result<void> save(Inventory& inventory, const std::vector<Change>& changes);
  // Takes the policies, trust, labels and tags of the file when another program has changed them: true.
  Result<bool> refresh(Inventory& inventory);
  // Those of one device.
  Result<void> save_policy(const KnownDevice& identity);
  // The events from then on, in order.
  Result<std::vector<Change>> history(Time from) const;

 private:
  struct State;
  explicit InventoryFile(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace weir
