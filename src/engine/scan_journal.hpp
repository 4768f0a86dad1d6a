// A scan on disk: killed at any instant it goes on where it was. Answers are written before they are shown,
// and the place in the order before its probes are sent, so no cell is probed twice in a pass.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/scan_answer.hpp"
#include "engine/scan_stage.hpp"
#include "os/descriptor.hpp"

namespace weir {

struct JournalEntry {
  std::uint64_t cell = 0;
  StageKind stage{};
  std::uint8_t pass = 0;
  Answer answer;
};

struct JournalPlace {
  StageKind stage = StageKind::link;
  unsigned pass = 0;
  std::uint64_t done = 0;  // cells of the pass
  bool finished = false;
};

class ScanJournal {
 public:
  static constexpr std::size_t most_plan = 1024 * 1024;

  // A new file; fails with Code::usage when there is one. `plan` is what the scan is to be resumed by: its
  // arguments, one a line; `identity` tells whether these still mean the same.
  static Result<std::unique_ptr<ScanJournal>> create(const std::string& path, const std::string& plan,
                                                     std::string_view identity, std::uint64_t seed);
  // Fails with Code::environment or, when there is no such file or it is no journal of this program, with
  // Code::usage.
  static Result<std::unique_ptr<ScanJournal>> resume(const std::string& path);
  ~ScanJournal();
  ScanJournal(const ScanJournal&) = delete;
  ScanJournal& operator=(const ScanJournal&) = delete;

  const std::string& plan() const noexcept { return plan_; }
  std::string_view identity() const noexcept;
  std::uint64_t seed() const noexcept;
  JournalPlace place() const noexcept;
  // What was answered before the file was opened.
  std::vector<JournalEntry> take_entries() { return std::move(entries_); }

  // One thread.
  void progress(const JournalPlace& place) noexcept;
  // In the kernel when it returns. One thread at a time.
  Result<void> add(const JournalEntry& entry);

 private:
  struct Header;
  ScanJournal(Descriptor fd, std::string path, Header* header) noexcept;
  Result<void> load(std::size_t size);

  Descriptor fd_;
  std::string path_, plan_;
  Header* header_;  // mapped: what is stored there outlives the process
  std::vector<JournalEntry> entries_;
};

}  // namespace weir
