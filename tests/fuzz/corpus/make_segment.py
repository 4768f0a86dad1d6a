#!/usr/bin/env python3
"""Seeds of the segment target: frames of a schema and of columns, as src/store/column_block.hpp describes them. Checksums are
the target's affair."""
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent / "segment"


def varint(number):
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def text(words):
    return varint(len(words)) + words


def schema(name, *fields):
    return text(name) + varint(len(fields)) + b"".join(text(f) + text(kind) + bytes([is_list]) for f, kind, is_list in fields)


def frame(kind, body, records=0, bitmap=b""):
    return struct.pack("<QIIIIqqII", 0, len(bitmap) + len(body), kind, 1, records, 1, 9, 1, len(bitmap)) + bitmap + body


def packed(base, width, *numbers):
    return struct.pack("<Q", base) + bytes([width]) + b"".join((n - base).to_bytes(width, "little") for n in numbers)


dns = schema(b"dns", (b"time", b"time", 0), (b"flow_id", b"u64", 0), (b"src_ip", b"addr", 0), (b"query", b"text", 0), (b"answers", b"text", 1), (b"rtt", b"duration", 0))
columns = (
    b"\0\0" + packed(5, 1, 5, 6) + b"\1\0" + packed(7, 0) + b"\2\0" + packed(0xC0000201, 1, 0xC0000201, 0xC0000207)
    + b"\3\0" + packed(3, 1, 3, 4) + text(b"a.bc.de") + b"\4\0" + varint(3) + packed(1, 1, 1, 2) + packed(1, 0) + text(b"xyz")
    + b"\5\1\2\0\0\0\0\0\0\0" + packed(9, 0)
)
whole = frame(1, dns) + frame(2, columns, 2, b"\x3f")
seeds = {
    "dns": whole,
    "cut": whole[:-7],
    "other_type": frame(1, schema(b"nothing", (b"a", b"u8", 0))) + frame(2, b"\0\0\1\0", 1),
    "renamed": frame(1, schema(b"flow", (b"gone", b"text", 0), (b"bytes", b"i64", 0))) + frame(2, b"\0\2" + packed(2, 0) + text(b"ab") + b"\1\0" + packed(1, 8, 1, 2), 2, b"\3"),
}
HERE.mkdir(exist_ok=True)
for name, data in seeds.items():
    (HERE / name).write_bytes(data)
