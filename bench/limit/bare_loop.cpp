// The limit that bench/read.py compares with: the least work that counts flows in a capture. Maps a pcap file
// of Ethernet frames, reads IPv4 and IPv6 headers by fixed offsets and adds to a hash table without bounds,
// time-outs or directions. Prints packets and flows. Not part of weir and shares no code with it.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

namespace {

struct Flow {
  std::uint64_t key[5] = {};
  std::uint64_t packets = 0, bytes = 0;
};

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a ^ 0x9e3779b97f4a7c15ULL) * (b ^ 0xd6e8feb86659fd93ULL);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

int main(int argc, char** argv) {
  const int fd = argc == 2 ? ::open(argv[1], O_RDONLY) : -1;
  struct stat about{};
  if (fd < 0 || ::fstat(fd, &about) != 0 || about.st_size < 24) return 2;
  const auto size = static_cast<std::size_t>(about.st_size);
  void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  if (mapped == MAP_FAILED) return 2;
  const auto* at = static_cast<const std::uint8_t*>(mapped);
  const std::uint8_t* const end = at + size;
  std::vector<Flow> table(std::size_t{1} << 20);
  std::uint64_t packets = 0, flows = 0;
  for (at += 24; end - at >= 16;) {
    std::uint32_t captured = 0, length = 0;
    std::memcpy(&captured, at + 8, 4);
    std::memcpy(&length, at + 12, 4);
    const std::uint8_t* const frame = at + 16;
    if (static_cast<std::size_t>(end - frame) < captured) break;
    at = frame + captured;
    ++packets;
    if (captured < 14 + 40 + 4) continue;
    std::uint64_t key[5] = {};
    if (frame[12] == 0x08 && frame[13] == 0x00) {
      std::memcpy(&key[0], frame + 26, 8);
      std::memcpy(&key[4], frame + 14 + (frame[14] & 15U) * 4U, 4);
      key[4] |= static_cast<std::uint64_t>(frame[23]) << 32;
    } else if (frame[12] == 0x86 && frame[13] == 0xdd) {
      std::memcpy(&key[0], frame + 22, 32);
      std::memcpy(&key[4], frame + 54, 4);
      key[4] |= static_cast<std::uint64_t>(frame[20]) << 32;
    } else {
      continue;
    }
    std::size_t slot = mix(mix(key[0], key[1]) ^ key[4], mix(key[2], key[3])) & (table.size() - 1);
    while (table[slot].packets != 0 && std::memcmp(table[slot].key, key, sizeof key) != 0)
      slot = (slot + 1) & (table.size() - 1);
    Flow& flow = table[slot];
    if (flow.packets == 0) {
      if (++flows * 2 > table.size()) return 1;
      std::memcpy(flow.key, key, sizeof key);
    }
    ++flow.packets;
    flow.bytes += length;
  }
  std::printf("%llu packets, %llu flows\n", static_cast<unsigned long long>(packets),
              static_cast<unsigned long long>(flows));
}
