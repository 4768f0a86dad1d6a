// Capture files as one stream of packets, merged by time. Formats are packet/capture_file.hpp's.
#include <sys/resource.h>

#include <algorithm>

#include "packet/capture_file.hpp"
#include "packet/input_paths.hpp"
#include "plugin/source.hpp"

namespace weir {
namespace {

// One file needs no merging and no renumbering.
class SingleFile final : public PacketSource {
 public:
  explicit SingleFile(std::unique_ptr<CaptureFile> file) : file_(std::move(file)) {}

  Result<bool> read(PacketSlice& slice, std::size_t most) override { return file_->read(slice, most); }
  const std::vector<Damage>& damages() const override { return file_->damages(); }
  std::uint64_t bytes_read() const noexcept override { return file_->bytes_read(); }
  std::uint64_t bytes_total() const noexcept override { return file_->bytes_total(); }

 private:
  std::unique_ptr<CaptureFile> file_;
};

// Several files by the times of their next packets; the same time goes by the order of the inputs. A file
// that is not in order itself is taken as it comes: its packets are delivered when its turn has come.
class MergedFiles final : public PacketSource {
 public:
  explicit MergedFiles(std::vector<std::unique_ptr<CaptureFile>> files) {
    for (auto& file : files) lanes_.push_back({std::move(file)});
    for (std::size_t i = 0; i < lanes_.size(); ++i) enqueue(i);
  }

  Result<bool> read(PacketSlice& slice, std::size_t most) override {
    const std::size_t goal = slice.packets.size() + most, before = slice.packets.size();
    while (slice.packets.size() < goal && !heap_.empty()) {
      const Next first = heap_.front();
      std::pop_heap(heap_.begin(), heap_.end(), later);
      heap_.pop_back();
      // A run of one lane up to the next lane's packet: files of a rotating capture hardly overlap.
      take(slice, lanes_[first.lane], goal, heap_.empty() ? nullptr : &heap_.front(), first.lane);
      enqueue(first.lane);
    }
    return slice.packets.size() != before;
  }
  const std::vector<Damage>& damages() const override { return damages_; }
  std::uint64_t bytes_read() const noexcept override {
    std::uint64_t sum = 0;
    for (const Lane& lane : lanes_) sum += lane.file->bytes_read();
    return sum;
  }
  std::uint64_t bytes_total() const noexcept override {
    std::uint64_t sum = 0;
    for (const Lane& lane : lanes_) {
      if (lane.file->bytes_total() == 0) return 0;
      sum += lane.file->bytes_total();
    }
    return sum;
  }

 private:
  // So many packets of each file are looked at ahead.
  static constexpr std::size_t ahead = 256;

  struct Lane {
    std::unique_ptr<CaptureFile> file;
    PacketSlice slice{};
    std::size_t next = 0, damages = 0;
    std::vector<std::uint16_t> numbers{};  // of its interfaces among all files'
  };
  struct Next {
    Time time;
    std::size_t lane;
  };
  static bool later(const Next& a, const Next& b) noexcept {
    return a.time != b.time ? a.time > b.time : a.lane > b.lane;
  }

  void enqueue(std::size_t index) {
    Lane& lane = lanes_[index];
    if (lane.next == lane.slice.packets.size()) {
      lane.slice.clear();
      lane.next = 0;
      const bool more = lane.file->read(lane.slice, ahead);
      const auto& found = lane.file->damages();
      for (; lane.damages < found.size(); ++lane.damages) damages_.push_back(found[lane.damages]);
      if (!more) return;
    }
    heap_.push_back({lane.slice.packets[lane.next].time, index});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }

  void take(PacketSlice& out, Lane& lane, std::size_t goal, const Next* other, std::size_t index) {
    for (const auto& memory : lane.slice.memory)
      if (std::find(out.memory.rbegin(), out.memory.rend(), memory) == out.memory.rend())
        out.memory.push_back(memory);
    const std::vector<RawPacket>& packets = lane.slice.packets;
    do {
      RawPacket packet = packets[lane.next++];
      packet.interface = number(lane, packet.interface);
      out.packets.push_back(packet);
    } while (lane.next != packets.size() && out.packets.size() != goal &&
             (other == nullptr || !later({packets[lane.next].time, index}, *other)));
  }

  std::uint16_t number(Lane& lane, std::uint16_t own) {
    constexpr std::uint16_t none = 0xffff;  // also all that come after 65535 interfaces
    if (own >= lane.numbers.size()) lane.numbers.resize(std::size_t{own} + 1, none);
    std::uint16_t& number = lane.numbers[own];
    if (number == none && interfaces_ != none) number = interfaces_++;
    return number;
  }

  std::vector<Lane> lanes_;
  std::vector<Next> heap_;  // of the lanes that have a packet ready
  std::vector<Damage> damages_;
  std::uint16_t interfaces_ = 0;
};

// Many files at once have smaller blocks, so that all together take no more than this as long as may be.
constexpr std::size_t blocks_total = std::size_t{64} << 20U, block_min = std::size_t{32} << 10U;

// Every input stays open until its last packet, and a year of hourly captures is more than the usual soft
// limit.
void raise_open_files() noexcept {
  struct rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Result<std::unique_ptr<PacketSource>> open(std::span<const std::string> inputs) {
  WEIR_TRY(const auto paths, expand_inputs(inputs));
  constexpr std::size_t usual_limit = 1000;
  if (paths.size() >= usual_limit) raise_open_files();

  const std::size_t block = std::clamp(blocks_total / paths.size(), block_min, input_block);
  std::vector<std::unique_ptr<CaptureFile>> files;
  for (const std::string& path : paths) {
    WEIR_TRY(auto file, CaptureFile::open(path, block));
    files.push_back(std::move(file));
  }
  if (files.size() == 1) return std::make_unique<SingleFile>(std::move(files.front()));
  return std::make_unique<MergedFiles>(std::move(files));
}

constexpr SourceSpec spec{"pcap", "Capture files: pcap, pcapng, snoop, also compressed", open};

}  // namespace

WEIR_REGISTER(SourceSpec, spec);

}  // namespace weir
