#!/usr/bin/env python3
"""Seeds of the snmp_walk and snmp_device targets: answers that hold rows, an error, an agent that goes back, and the values
that make a device of them."""
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent


def ber(tag, body):
    size = len(body)
    return bytes([tag]) + (bytes([size]) if size < 128 else bytes([0x82]) + struct.pack(">H", size)) + body


def oid(*parts):
    out = bytes([parts[0] * 40 + parts[1]])
    for part in parts[2:]:
        septets = [part & 0x7F]
        while part > 0x7F:
            part >>= 7
            septets.append(part & 0x7F | 0x80)
        out += bytes(reversed(septets))
    return ber(6, out)


def row(number, *values):
    """The uptime, and columns 1 to 3 of an interface."""
    out = ber(0x30, oid(1, 3, 6, 1, 2, 1, 1, 3, 0) + ber(0x43, b"\1\2"))
    for column, value in enumerate(values, 1):
        out += ber(0x30, oid(1, 3, 6, 1, 2, 1, 2, 2, 1, column, number) + value)
    return out


def step(control, data):
    return struct.pack(">BH", control, len(data)) + data


def cell(column, kind, index, value):
    """Of snmp_device: an index of small numbers, and a number (kind 0x80) or a text."""
    parts = b"".join(b"\0" + bytes([part]) for part in index)
    tail = bytes([value]) if kind else bytes([len(value)]) + value
    return bytes([column, kind | len(index)]) + parts + tail


one, two = row(1, ber(2, b"\1"), ber(4, b"lo"), ber(2, b"\x18")), row(2, ber(2, b"\2"), ber(4, b"eth0"), ber(0x41, b"\xff\0"))
end = b"".join(ber(0x30, oid(1, 3, 6, 1, 2, 1, 2, 2, 1, 4, 1) + ber(0x82, b"")) for _ in range(4))
walks = {
    "rows": step(0, one) + step(0, two) + step(0, end),
    "back": step(0, two) + step(0, one),
    "refused": step(2 * 5 | 0x40, one),
    "no_such_name": step(0, one) + step(2 * 2 | 0x80, one),
    "exceptions": step(0, b"".join(ber(0x30, oid(1, 3, 6, 1, 2, 1, 2, 2, 1, c, 1) + ber(0x80 + c, b"")) for c in range(3))),
    "datagram": step(1, ber(0x30, ber(2, b"\1") + ber(4, b"public") + ber(0xA2, b""))),
    "opaque": step(0, row(1, ber(0x44, b"\x9f\x78\x04\x42\xf6\0\0"), ber(0x46, b"\xff" * 8), ber(0x40, b"\x0a\0\0\1"))),
}
mac = b"\2\0\x5e\0\x53\1"
devices = {
    "switch": cell(0, 0, [0], b"A switch\r\nof two lines") + cell(1, 0, [0], b"sw1") + cell(3, 0, [7], b"port7") + cell(5, 0, [7], b"Gi0/7")
    + cell(4, 0, [7], b"\0\0\x5e\0\x53\7") + cell(6, 0x80, [1], 3) + cell(7, 0, [1], b"S123") + cell(12, 0x80, [4], 7)
    + cell(13, 0x80, [2, 0, 94, 0, 83, 1], 4) + cell(14, 0x80, [2, 0, 94, 0, 83, 1], 3) + cell(11, 0, [0], mac),
    "router": cell(9, 0, [1, 192, 0, 2, 7], mac) + cell(10, 0, [1, 1, 4, 192, 0, 2, 8], mac) + cell(10, 0, [1, 2, 16] + [254] + [0] * 15, mac),
    "neighbours": cell(17, 0x80, [0], 4) + cell(18, 0, [0], mac) + cell(19, 0x80, [2], 5) + cell(20, 0, [2], b"eth2")
    + cell(22, 0x80, [0, 2, 1], 4) + cell(23, 0, [0, 2, 1], mac) + cell(24, 0x80, [0, 2, 1], 3) + cell(25, 0, [0, 2, 1], mac)
    + cell(26, 0, [0, 2, 1], b"other") + cell(27, 0, [3, 1], b"cdp1") + cell(28, 0, [3, 1], b"Gi1"),
}
for folder, seeds in (("snmp_walk", walks), ("snmp_device", devices)):
    (HERE / folder).mkdir(exist_ok=True)
    for name, data in seeds.items():
        lead = bytes([1 if name != "no_such_name" else 0]) if folder == "snmp_walk" else b""
        (HERE / folder / name).write_bytes(lead + data)
