#!/usr/bin/env python3
"""Seeds of the scan_reply target: an ICMP error, a neighbour's answers, TCP and UDP to the scan's ports."""
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent / "scan_reply"


def ip(proto, body, src=b"\xc6\x33\x64\x07", dst=b"\xc0\x00\x02\x01"):
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 57, proto, 0) + src + dst + body


def ip6(proto, body):
    end = b"\x20\x01\x0d\xb8" + bytes(11)
    return struct.pack(">IHBB", 6 << 28, len(body), proto, 255) + end + b"\x07" + end + b"\x01" + body


options = bytes([2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 9])
syn_ack = struct.pack(">HHIIBBHHH", 443, 61003, 77, 78, 0xA0, 0x12, 65535, 0, 0) + options
quoted = ip(17, struct.pack(">HHHH", 61003, 161, 8, 0), b"\xc0\x00\x02\x01", b"\xc6\x33\x64\x07")
seeds = {
    "syn_ack": ip(6, syn_ack),
    "syn_ack6": ip6(6, syn_ack),
    "udp": ip(17, struct.pack(">HHHH", 53, 61003, 12, 0) + b"abcd"),
    "unreachable": ip(1, struct.pack(">BBHI", 3, 3, 0, 0) + quoted),
    "echo": ip(1, struct.pack(">BBHHH", 0, 0, 0, 9, 1) + bytes(12)),
    "arp": struct.pack(">HHBBH", 1, 0x800, 6, 4, 2) + bytes(20),
    "listener_report": ip6(0, bytes([58, 0, 5, 2, 0, 0, 1, 0]) + struct.pack(">BBHHH", 143, 0, 0, 0, 1) + bytes(20)).replace(b"\x20\x01\x0d\xb8", b"\xfe\x80\x00\x00", 1),
    "all_nodes_echo": ip6(58, struct.pack(">BBHHH", 129, 0, 0, 0x102, 0) + bytes(range(1, 9))),
    "odd_option": ip6(58, struct.pack(">BBHI", 4, 2, 0, 42) + ip6(60, bytes([58, 0, 0x9E, 4, 0, 0, 0, 0, 128, 0, 0, 0, 1, 2, 0, 0]) + bytes(range(1, 9)))),
    "advertisement": ip6(58, struct.pack(">BBHI", 136, 0, 0, 0) + bytes(16) + b"\x02\x01" + bytes(6)),
}
HERE.mkdir(exist_ok=True)
for name, data in seeds.items():
    (HERE / name).write_bytes(data)
