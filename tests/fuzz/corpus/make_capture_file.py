#!/usr/bin/env python3
"""Writes the seeds of tests/fuzz/capture_file.cpp beside this script: one small file per format, and packed ones.

The seeds zstd and lz4 are `pcap` through the tools of these names."""
import gzip
import lzma
import pathlib
import struct

here = pathlib.Path(__file__).parent / "capture_file"
here.mkdir(exist_ok=True)


def pcap(order, magic, record=16, version=(2, 4)):
    out = struct.pack(order + "IHHIIII", magic, *version, 0, 0, 65535, 1)
    for i, data in enumerate((b"first", b"", b"the third packet")):
        out += struct.pack(order + "IIII", i, i, len(data), len(data) + i) + bytes(record - 16) + data
    return out


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)


def option(order, code, value):
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def pcapng(order):
    name, end = option(order, 2, b"eth0"), option(order, 0, b"")
    out = block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + option(order, 4, b"seed") + end)
    out += block(order, 1, struct.pack(order + "HHI", 1, 0, 0) + name + option(order, 9, b"\x09") + end)
    out += block(order, 1, struct.pack(order + "HHI", 101, 0, 96) + option(order, 9, b"\xa0") +
                 option(order, 14, struct.pack(order + "q", -5)) + end)
    out += block(order, 6, struct.pack(order + "IIIII", 0, 0, 7, 3, 9) + b"abc\0" + option(order, 1, b"note") + end)
    out += block(order, 2, struct.pack(order + "HHIIII", 1, 0, 1, 2, 4, 4) + b"abcd")
    out += block(order, 3, struct.pack(order + "I", 4) + b"efgh")
    return out + block(order, 5, struct.pack(order + "III", 0, 0, 0) + option(order, 4, bytes(8)) + end) + block(order, 99, b"?")


seeds = {
    "pcap": pcap("<", 0xA1B2C3D4),
    "pcap_big": pcap(">", 0xA1B2C3D4),
    "pcap_ns": pcap("<", 0xA1B23C4D),
    "pcap_kuznetzov": pcap("<", 0xA1B2CD34, 24),
    "pcap_exchanged_lengths": pcap("<", 0xA1B2C3D4, version=(2, 2)),
    "pcapng": pcapng("<") + pcapng(">"),
    "snoop": b"snoop\0\0\0" + struct.pack(">IIIIIIII", 2, 4, 60, 4, 28, 0, 1, 2) + b"abcd",
}
seeds["gzip"] = gzip.compress(seeds["pcap"], mtime=0) + gzip.compress(b"more", mtime=0)
seeds["xz"] = lzma.compress(seeds["pcapng"])
for name, data in seeds.items():
    (here / name).write_bytes(data)
