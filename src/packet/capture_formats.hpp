// The readers behind CaptureFile::open, one per family of formats. Each takes an input whose window holds the
// start of the file and whose magic number it was chosen for.
#pragma once

#include "packet/capture_file.hpp"

namespace weir {

bool is_pcap(Bytes start) noexcept;
Result<std::unique_ptr<CaptureFile>> open_pcap(std::unique_ptr<Input> input, std::string name);
bool is_pcapng(Bytes start) noexcept;
Result<std::unique_ptr<CaptureFile>> open_pcapng(std::unique_ptr<Input> input, std::string name);
bool is_snoop(Bytes start) noexcept;
Result<std::unique_ptr<CaptureFile>> open_snoop(std::unique_ptr<Input> input, std::string name);

}  // namespace weir
