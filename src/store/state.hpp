// Small state that must survive a restart: values under keys, in an SQLite database (DIR/state.sqlite).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"
#include "core/result.hpp"

namespace weir {

// Any thread; several processes may have it open.
class StateDatabase {
 public:
  // Makes the file. Fails when it cannot be opened or is no database.
  static Result<StateDatabase> open(const std::string& folder);
  StateDatabase(StateDatabase&&) noexcept;
  StateDatabase& operator=(StateDatabase&&) noexcept;
  ~StateDatabase();

  // nullopt when nothing is there.
  Result<std::optional<std::vector<std::uint8_t>>> get(std::string_view space, std::string_view key) const;
  // Keeps at most `most` values of the space: those written last.
  Result<void> put(std::string_view space, std::string_view key, Bytes value, std::size_t most);

 private:
  struct State;
  explicit StateDatabase(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace weir
