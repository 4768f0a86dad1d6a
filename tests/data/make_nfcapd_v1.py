#!/usr/bin/env python3
"""Makes nfcapd.v1 and nfcapd.v1.bz2, files of nfdump 1.6 (layout 1): maps of extensions, an exporter, a sampler, and records
with every extension that a flow has a place for. usage: make_nfcapd_v1.py FOLDER"""
import bz2
import pathlib
import socket
import struct
import sys

EPOCH = 1_500_000_000


def v4(text):
    return struct.unpack(">I", socket.inet_aton(text))[0]


def v6(text):
    return struct.pack("<QQ", *struct.unpack(">QQ", socket.inet_pton(socket.AF_INET6, text)))


def mac(text):
    return int(text.replace(":", ""), 16)


def extension_map(number, ids):
    sizes = {4: 4, 5: 8, 6: 4, 7: 8, 8: 4, 9: 4, 10: 16, 11: 4, 12: 16, 13: 4, 14: 4, 15: 8, 16: 4, 17: 8, 20: 16, 21: 16, 23: 4, 24: 16, 25: 4, 27: 8}
    body = struct.pack("<HH", number, sum(sizes[i] for i in ids)) + struct.pack(f"<{len(ids) + 1}H", *ids, 0)
    body += bytes(-len(body) % 4)
    return struct.pack("<HH", 2, 4 + len(body)) + body


def flow(number, flags, start, end, proto, sport, dport, addresses, packets, octets, extensions=b"", tcp=0, tos=0, status=0, exporter=1, reason=0):
    body = struct.pack("<HHHHIIBBBBHHHBB", flags, number, start % 1000, end % 1000, start // 1000, end // 1000, status, tcp, proto, tos, sport, dport,
                       exporter, 0, reason)
    body += addresses + packets + octets + extensions
    return struct.pack("<HH", 10, 4 + len(body)) + body


def records():
    ms = EPOCH * 1000
    yield struct.pack("<HHI8xIIHHI", 7, 32, 9, v4("192.0.2.254"), 0, 2, 1, 42)
    yield struct.pack("<HHiIHH", 9, 16, -1, 500, 1, 1)
    yield extension_map(1, [4, 6, 8, 9, 13, 14, 16, 20, 21, 23, 25])
    pair4 = struct.pack("<II", v4("10.1.2.3"), v4("198.51.100.7"))
    rich = struct.pack("<HHHHBBBBIHHIIQQQQIHBB", 3, 4, 64500, 64501, 0x50, 1, 22, 19, v4("192.0.2.1"), 101, 202, 7, 900, mac("02:00:00:00:00:01"),
                       mac("02:00:00:00:00:02"), mac("02:00:00:00:00:03"), mac("02:00:00:00:00:04"), v4("192.0.2.253"), 0, 1, 7)
    yield flow(1, 128, ms + 1001, ms + 5250, 6, 51000, 443, pair4, struct.pack("<I", 12_345), struct.pack("<I", 4_000_000_000), rich, 0x1B, 0x28, 64)
    yield extension_map(2, [5, 7, 10, 12, 15, 17, 24])
    pair6 = v6("2001:db8::1") + v6("2001:db8:1::2:3")
    wide = struct.pack("<IIII", 70_001, 70_002, 4_200_000_001, 65_001) + v6("2001:db8:ffff::1") + v6("2001:db8:ffff::2")
    wide += struct.pack("<QQ", 6_600_000, 9_900_000_000) + v6("2001:db8::fe")
    yield flow(2, 1 | 2 | 4 | 8 | 16 | 32, ms, ms + 90_000_123, 17, 40000, 53, pair6, struct.pack("<Q", 5_000_000_000), struct.pack("<Q", 7_000_000_000_000),
               wide, reason=2)
    yield extension_map(3, [])
    yield flow(3, 0, ms, ms, 1, 0, 3 << 8 | 1, pair4, struct.pack("<I", 1), struct.pack("<I", 56))
    yield flow(3, 0, ms + 7, ms + 8, 132, 5000, 5001, pair4, struct.pack("<I", 2), struct.pack("<I", 200), exporter=0)


def nffile(compressed):
    body, count = b"", 0
    for record in records():
        body += record
        count += 1
    stored = bz2.compress(body) if compressed else body
    head = struct.pack("<HHII", 0xA50C, 1, 8 if compressed else 0, 1) + b"made by hand".ljust(128, b"\0")
    # What nfdump calls statistics: flows, bytes and packets in all and by protocol, first and last second.
    stat = struct.pack("<15Q", 4, 7_004_000_000_256, 5_000_012_348, *[0] * 12) + struct.pack("<IIHHI", EPOCH, EPOCH + 90_000, 0, 123, 0)
    return head + stat + struct.pack("<IIHH", count, len(stored), 2, 2 if compressed else 0) + stored


def main():
    folder = pathlib.Path(sys.argv[1])
    (folder / "nfcapd.v1").write_bytes(nffile(False))
    (folder / "nfcapd.v1.bz2").write_bytes(nffile(True))


if __name__ == "__main__":
    main()
