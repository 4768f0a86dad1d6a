#!/usr/bin/env python3
"""Makes flow-tools' stream files: flow_tools.v5 (little-endian), flow_tools.v7.z (compressed), flow_tools.v1005
(big-endian), flow_tools.v8 (aggregated by prefix) and flow_tools.stream1 (the first version of the stream). No Debian
package has flow-tools; the layout is that of its ftlib.h. usage: make_flow_tools.py FOLDER"""
import pathlib
import socket
import struct
import sys
import zlib

EPOCH, UPTIME = 1_400_000_000, 7_200_000


def addr(text):
    return struct.unpack(">I", socket.inet_aton(text))[0]


# src dst nexthop in out packets octets first last sport dport proto tos flags
FLOWS = [
    ("192.0.2.1", "198.51.100.7", "203.0.113.1", 3, 9, 12, 4711, UPTIME - 60_000, UPTIME - 1_250, 40000, 443, 6, 0x10, 0x1b),
    ("192.0.2.2", "198.51.100.8", "0.0.0.0", 3, 0, 1, 84, UPTIME - 500, UPTIME - 500, 0, 0x0800, 1, 0, 0),
    ("192.0.2.3", "198.51.100.9", "203.0.113.1", 4, 9, 4_000_000_000, 4_294_967_295, UPTIME - 3_600_000, UPTIME, 53, 5353, 17, 0, 0),
]


def tlv(order, kind, value):
    return struct.pack(order + "HH", kind, len(value)) + value


def header(order, version, compressed, method=None):
    fields = tlv(order, 1, b"\x01") + tlv(order, 2, struct.pack(order + "H", version))
    if method is not None:
        fields += tlv(order, 3, b"\x02") + tlv(order, 4, bytes([method]))
    fields += tlv(order, 5, struct.pack(order + "I", addr("10.0.0.254"))) + tlv(order, 8, struct.pack(order + "I", 1 | (2 if compressed else 0)))
    fields += tlv(order, 15, b"router\0") + tlv(order, 16, b"made by hand\0")
    size = (8 + len(fields) + 3) & ~3
    return bytes([0xCF, 0x10, 1 if order == "<" else 2, 3]) + struct.pack(order + "I", size) + fields.ljust(size - 8, b"\0")


def record(order, flow, exporter="10.0.0.254", tail=b""):
    src, dst, hop, inp, out, packets, octets, first, last, sport, dport, proto, tos, flags = flow
    return struct.pack(
        order + "IIIIIIIHHIIIIHHBBBBBBBBHH", EPOCH, 250_000_000, UPTIME, addr(exporter), addr(src), addr(dst), addr(hop), inp, out,
        packets, octets, first, last, sport, dport, proto, tos, flags, 0, 1, 2, 24, 16, 64500, 64501) + tail


def early(flow):
    src, dst, hop, inp, out, packets, octets, first, last, sport, dport, proto, tos, flags = flow
    return struct.pack("<IIIIIHHIIIIHHHBBBBBBHHBBH", EPOCH - UPTIME // 1000, 250, addr(src), addr(dst), addr(hop), inp, out, packets, octets,
                       first, last, sport, dport, 0, proto, tos, flags, 0, 0, 0, 64500, 64501, 24, 16, 0)


def main():
    folder = pathlib.Path(sys.argv[1])
    (folder / "flow_tools.v5").write_bytes(header("<", 5, False) + b"".join(record("<", f) for f in FLOWS))
    body = b"".join(record("<", f, tail=struct.pack("<I", addr("10.0.0.253"))) for f in FLOWS)
    (folder / "flow_tools.v7.z").write_bytes(header("<", 7, True) + zlib.compress(body))
    tags = struct.pack(">II", 17, 18)
    (folder / "flow_tools.v1005").write_bytes(header(">", 1005, False) + b"".join(record(">", f, "0.0.0.0", tags) for f in FLOWS))
    prefix = struct.pack("<IIIIIIIIIIIBBBBHHHH", EPOCH, 0, UPTIME, addr("10.0.0.254"), 5, 50, 5000, UPTIME - 1000, UPTIME, addr("192.0.2.0"),
                         addr("198.51.100.0"), 25, 24, 1, 2, 64500, 64501, 3, 9)
    (folder / "flow_tools.v8").write_bytes(header("<", 8, False, method=5) + prefix)
    first = struct.pack("<BBBBHxxIIIIIII", 0xCF, 0x10, 1, 1, 5, EPOCH, EPOCH + 300, 1, 0, len(FLOWS), 0, 0)
    (folder / "flow_tools.stream1").write_bytes(first.ljust(360, b"\0") + b"".join(map(early, FLOWS)))


if __name__ == "__main__":
    main()
