#!/usr/bin/env python3
"""Seeds of the ping_reply target: echo replies, ICMP errors about echoes, SYN-ACK and RST."""
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent / "ping_reply"


def ip(proto, body):
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 57, proto, 0) + b"\xc0\x00\x02\x01\xc6\x33\x64\x07" + body


def ip6(proto, body):
    end = b"\x20\x01\x0d\xb8" + bytes(11)
    return struct.pack(">IHBB", 6 << 28, len(body), proto, 64) + end + b"\x07" + end + b"\x01" + body


def echo(kind):
    return struct.pack(">BBHHH", kind, 0, 0, 9, 1) + bytes(56)


seeds = {
    "reply": echo(0),
    "reply6": echo(129),
    "short": echo(0)[:12],
    "unreachable": struct.pack(">BBHI", 3, 1, 0, 0) + ip(1, echo(8)),
    "exceeded": struct.pack(">BBHI", 11, 0, 0, 0) + ip(1, echo(8))[:28],
    "unreachable6": struct.pack(">BBHI", 1, 0, 0, 0) + ip6(58, echo(128)),
    "syn_ack": struct.pack(">HHIIBBHHH", 443, 61003, 77, 78, 0x60, 0x12, 65535, 0, 0) + bytes([2, 4, 5, 180]),
    "rst": struct.pack(">HHIIBBHHH", 443, 61003, 0, 78, 0x50, 0x14, 0, 0, 0),
}
HERE.mkdir(exist_ok=True)
for name, data in seeds.items():
    (HERE / name).write_bytes(data)
