// The page `weir read FILE` shows: what a capture holds, on one screen or two. Takes records as they come;
// memory is bounded. One thread at a time.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "core/schema.hpp"
#include "engine/pipeline.hpp"
#include "records/flow.hpp"

namespace weir {

class Summary {
 public:
  Summary();
  void add(const RecordType& type, const void* record);
  // The whole page. `inputs` are the files' names; with `filtered` the records taken are not all there were.
  std::string page(const std::vector<std::string>& inputs, const Outcome& outcome, bool filtered, bool colour,
                   unsigned width) const;

 private:
  struct Tally {
    std::uint64_t count = 0, bytes = 0, packets = 0;
    void add(const Tally& more) noexcept {
      count += more.count;
      bytes += more.bytes;
      packets += more.packets;
    }
  };
  // Distinct keys are kept up to `most`; further ones are counted in `unlisted` only.
  struct Ranking {
    static constexpr std::size_t most = 200'000;
    std::unordered_map<std::string, Tally> tallies;
    std::uint64_t unlisted = 0;
    void add(std::string_view key, const Tally& amount);
    std::vector<std::pair<std::string_view, Tally>> top(std::size_t n, bool by_bytes) const;
  };
  // What one field of one record type adds to one list of the page.
  struct Source {
    std::size_t list;
    const FieldInfo* field;
    const char* prefix;
  };

  void add_flow(const Flow& flow);

  std::unordered_map<const RecordType*, std::vector<Source>> sources_;
  std::vector<Ranking> lists_;
  Tally flows_;
  std::uint64_t others_ = 0;  // records that are no flow
  Ranking talkers_, applications_, oddities_;
  std::string key_;
};

}  // namespace weir
