// nfdump's files, as nfcapd, nfpcapd and nfdump -w of 1.6 (layout 1) and 1.7 (layout 2) write them: a header,
// then blocks of records, each compressed alone (nfdump's nffile.h, nffileV2.h).
#include <fmt/core.h>

#include "packet/input.hpp"
#include "plugin/record_file.hpp"
#include "sources/nfcapd_block.hpp"
#include "sources/nfcapd_v1.hpp"

namespace weir {
namespace {

using nfcapd::BlockCompression;

// The first number of a file, in the byte order of the machine that wrote it.
constexpr std::uint16_t magic = 0xa50c;
constexpr std::size_t header_1 = 276, header_2 = 40, block_header = 12;
// Types of records (nfdump's id.h).
enum : std::uint16_t {
  early_flow = 1,
  map = 2,
  exporter = 7,
  old_sampler = 9,
  old_flow = 10,
  flow = 11,
  sampler = 15
};
// Damage in each of thousands of blocks says no more than this many.
constexpr std::size_t damages_max = 16;

class NfcapdFile final : public RecordFile {
 public:
  static Result<std::unique_ptr<RecordFile>> open(std::unique_ptr<Input> input, std::string name);

  NfcapdFile(std::unique_ptr<Input> input, std::string name, BlockCompression compression)
      : input_(std::move(input)), name_(std::move(name)), compression_(compression) {}

  Result<bool> read(Emitter& out, std::size_t most) override {
    std::size_t flows = 0;
    while (flows < most && (!records_.empty() || next_block())) flows += take_record(out) ? 1U : 0U;
    return flows != 0;
  }
  const std::vector<Damage>& damages() const override { return damages_; }
  std::uint64_t bytes_read() const noexcept override { return input_->bytes_read(); }
  std::uint64_t bytes_total() const noexcept override { return input_->bytes_total(); }

 private:
  bool next_block();
  bool load_block(Bytes stored, std::uint16_t flags, bool whole);
  bool take_record(Emitter& out);
  bool take_flow(Emitter& out, std::uint16_t type, Bytes body);
  void damaged(std::string_view name, std::string what);

  std::unique_ptr<Input> input_;
  std::string name_;
  BlockCompression compression_;
  std::uint32_t blocks_claimed_ = 0, blocks_ = 0;  // by the header, 0 while it is being written; found
  std::size_t done_ = 0;                           // of the window: the block that records_ may be in
  std::unique_ptr<std::uint8_t[]> unpacked_;       // block_max bytes, once there is a compressed block
  Bytes records_;                                  // of the block at hand, what has not been taken
  std::uint32_t records_left_ = 0;
  nfcapd::Exporters exporters_;
  nfcapd::v1::Maps maps_;
  std::vector<Damage> damages_;
  bool ended_ = false;
};

// Finds the next block that has records, and its records.
bool NfcapdFile::next_block() {
  while (!ended_) {
    input_->advance(done_, block_header);
    done_ = 0;
    const Bytes head = input_->window();
    if (head.size() < block_header) {
      ended_ = true;
      if (!input_->broken().empty())
        damaged("unreadable_file", input_->broken());
      else if (!head.empty())
        damaged("truncated_file", "the file ends inside the header of a block");
      else if (blocks_ < blocks_claimed_)
        damaged("truncated_file",
                fmt::format("the file ends after {} of {} blocks", blocks_, blocks_claimed_));
      return false;
    }
    records_left_ = load_le<std::uint32_t>(&head[0]);
    const std::uint32_t size = load_le<std::uint32_t>(&head[4]);
    const std::uint16_t type = load_le<std::uint16_t>(&head[8]), flags = load_le<std::uint16_t>(&head[10]);
    if (size > nfcapd::block_max) {
      ended_ = true;
      damaged("corrupt_block", fmt::format("a block claims {} bytes; nothing after it is read", size));
      return false;
    }
    input_->advance(0, block_header + size);
    const Bytes window = input_->window();
    const std::size_t there = std::min<std::size_t>(window.size() - block_header, size);
    if (there < size) {
      ended_ = true;
      damaged("truncated_file",
              fmt::format("the file ends inside a block: {} of {} bytes are there", there, size));
    }
    done_ = block_header + there;
    ++blocks_;
    // Arrays of names (4) hold no flows.
    constexpr std::uint16_t old_records = 2, records = 3;
    if (type != old_records && type != records) continue;
    if (load_block(window.subspan(block_header, there), flags, there == size) && !records_.empty())
      return true;
  }
  return false;
}

bool NfcapdFile::load_block(Bytes stored, std::uint16_t flags, bool whole) {
  constexpr std::uint16_t uncompressed = 1;
  if (compression_ == BlockCompression::none || (flags & uncompressed) != 0) {
    records_ = stored;
    return true;
  }
  if (!whole) return false;
  if (unpacked_ == nullptr) unpacked_ = std::make_unique_for_overwrite<std::uint8_t[]>(nfcapd::block_max);
  const auto size = nfcapd::unpack(compression_, stored, unpacked_.get());
  if (!size) {
    damaged("corrupt_block", fmt::format("a block of {} records cannot be decompressed", records_left_));
    return false;
  }
  records_ = {unpacked_.get(), *size};
  return true;
}

// True when it was a flow.
bool NfcapdFile::take_record(Emitter& out) {
  constexpr std::size_t header = 4;
  const std::size_t size = records_.size() < header ? 0 : load_le<std::uint16_t>(&records_[2]);
  if (records_left_ == 0 || size < header || size > records_.size()) {
    // A block that the file's end cut has been told of.
    if (records_left_ != 0 && !ended_)
      damaged("corrupt_block", fmt::format("a block ends {} records early", records_left_));
    records_ = {};
    return false;
  }
  const std::uint16_t type = load_le<std::uint16_t>(&records_[0]);
  const Bytes body = records_.subspan(header, size - header);
  records_ = records_.subspan(size);
  --records_left_;
  bool good = true;
  switch (type) {
    case early_flow:
    case old_flow:
    case flow: return take_flow(out, type, body);
    case map: good = maps_.add(body); break;
    case exporter: good = exporters_.add(body); break;
    case old_sampler: good = exporters_.add_old_sampler(body); break;
    case sampler: good = exporters_.add_sampler(body); break;
    default: break;  // statistics, histograms, names
  }
  if (!good) damaged("corrupt_record", fmt::format("a record of type {} is malformed", type));
  return false;
}

bool NfcapdFile::take_flow(Emitter& out, std::uint16_t type, Bytes body) {
  nfcapd::Draft draft;
  const bool good =
      type == flow ? nfcapd::v3::read(draft, body) : nfcapd::v1::read(draft, maps_, type == early_flow, body);
  if (good)
    out.emit(draft.finish(exporters_));
  else
    damaged("corrupt_record", "a flow record is malformed");
  return good;
}

void NfcapdFile::damaged(std::string_view name, std::string what) {
  if (damages_.size() < damages_max)
    damages_.push_back({name_, input_->offset(), name, std::move(what)});
  else if (damages_.size() == damages_max)
    damages_.push_back({name_, input_->offset(), "damaged_file", "more damage from here on, not listed"});
}

bool is_nfcapd(Bytes head) {
  if (head.size() < 4) return false;
  const std::uint16_t little = load_le<std::uint16_t>(&head[0]), version = load_le<std::uint16_t>(&head[2]);
  const bool big = load_be16(&head[0]) == magic && head[2] == 0;
  return (little == magic && version <= 2 && version != 0) || big;
}

// The compression that the header of layout 1 names by flags.
BlockCompression compression_1(std::uint32_t flags) {
  if ((flags & 0x01U) != 0) return BlockCompression::lzo;
  if ((flags & 0x08U) != 0) return BlockCompression::bzip2;
  if ((flags & 0x10U) != 0) return BlockCompression::lz4;
  return BlockCompression::none;
}

Result<std::unique_ptr<RecordFile>> NfcapdFile::open(std::unique_ptr<Input> input, std::string name) {
  input->advance(0, header_1);
  const Bytes head = input->window();
  if (!is_nfcapd(head)) return fail(Code::usage, "not a file of nfdump's", std::move(name));
  if (load_be16(&head[0]) == magic)
    return fail(Code::usage, "was written on a big-endian machine", std::move(name),
                "export it there with nfdump -o csv");
  const bool layout_1 = head[2] == 1;
  if (head.size() < (layout_1 ? header_1 : header_2))
    return fail(Code::usage, "the file ends inside its header", std::move(name));
  std::uint8_t compression =
      layout_1 ? static_cast<std::uint8_t>(compression_1(load_le<std::uint32_t>(&head[4]))) : head[16];
  if (compression >= nfcapd::compressions)
    return fail(Code::usage, fmt::format("compression {} of nfdump's is not known", compression),
                std::move(name), "rewrite it with nfdump -J 0 -r FILE");
  if (!layout_1 && head[17] != 0)
    return fail(Code::usage, "is encrypted", std::move(name), "decrypt it with nfdump first");
  auto file = std::make_unique<NfcapdFile>(std::move(input), std::move(name), BlockCompression{compression});
  file->done_ = layout_1 ? header_1 : header_2;
  file->blocks_claimed_ = load_le<std::uint32_t>(&head[layout_1 ? 8 : 36]);
  return file;
}

constexpr RecordTypeOf records[] = {record_type<Flow>};
constexpr RecordFileSpec spec{.name = "nfcapd",
                              .doc = "nfdump's files: nfcapd, nfpcapd and nfdump -w of 1.6 and 1.7",
                              .recognises = is_nfcapd,
                              .open = NfcapdFile::open,
                              .records = records};

}  // namespace
WEIR_REGISTER(RecordFileSpec, spec);
}  // namespace weir
