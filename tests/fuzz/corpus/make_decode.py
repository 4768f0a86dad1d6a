#!/usr/bin/env python3
"""Writes the seeds of the decode and defragment fuzz targets: one packet per nesting worth starting from."""
import pathlib
import struct

here = pathlib.Path(__file__).parent


def ip4(proto, inside, field=0x4000, ident=7):
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(inside), ident, field, 64, proto, 0,
                       bytes([192, 0, 2, 1]), bytes([198, 51, 100, 2])) + inside


def ip6(proto, inside):
    return struct.pack(">IHBB16s16s", 6 << 28, len(inside), proto, 64, b"\x20\x01" + bytes(13) + b"\1",
                       b"\x20\x01" + bytes(13) + b"\2") + inside


def udp(port, inside):
    return struct.pack(">HHHH", 50000, port, 8 + len(inside), 0) + inside


def ethernet(kind, inside):
    return bytes.fromhex("020000000001020000000002") + struct.pack(">H", kind) + inside


def save(target, name, data):
    folder = here / target
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)


tcp = bytes.fromhex("03e80050 01020304 05060708 5018200000000000") + b"hello"
four, six = ip4(6, tcp), ip6(6, tcp)
frame = ethernet(0x0800, four)
wireless = bytes.fromhex("88020000020000000001020000000009020000000002100080 00".replace(" ", ""))
packets = {
    "ethernet_qinq": (1, ethernet(0x88A8, bytes.fromhex("006481000007 86dd") + six)),
    "ethernet_mpls_pseudowire": (1, ethernet(0x8847, bytes.fromhex("0002014000000000") + frame)),
    "ethernet_pppoe": (1, ethernet(0x8864, bytes.fromhex("11000001") + struct.pack(">H", len(six) + 2) + b"\0\x57" + six)),
    "ethernet_arp": (1, ethernet(0x0806, bytes.fromhex("0001080006040001") + bytes(20))),
    "radiotap_aggregate": (127, bytes.fromhex("00000a00020000000000") + wireless +
                           bytes.fromhex("020000000001020000000002") + struct.pack(">H", len(four) + 8) +
                           bytes.fromhex("aaaa030000000800") + four),
    "ppi": (192, bytes.fromhex("0000080001000000") + frame),
    "cooked": (113, bytes.fromhex("00000001000602000000000200000800") + four),
    "netfilter_log": (239, bytes.fromhex("02000000") + struct.pack("<HH", 4 + len(four), 9) + four),
    "extension_headers": (101, ip6(0, bytes.fromhex("2b0001040000000033000400000000000601000000000001 00000001") + tcp)),
    "jumbogram": (101, ip6(0, bytes.fromhex("1100c20400011170") + udp(2, b""))),
    "gre_erspan": (101, ip4(47, bytes.fromhex("100088be000000011001006400000000") + frame)),
    "gre_pptp": (101, ip4(47, bytes.fromhex("3001880b") + struct.pack(">H", len(four) + 4) + bytes.fromhex("000700000001ff030021") + four)),
    "vxlan_in_6in4": (101, ip4(41, ip6(17, udp(4789, bytes.fromhex("0800000000002a00") + frame)))),
    "geneve": (101, ip4(17, udp(6081, bytes.fromhex("0100655800002a0001020304") + frame))),
    "gtp": (101, ip4(17, udp(2152, b"\x34\xff" + struct.pack(">H", len(four) + 8) + bytes.fromhex("000000090000008501000900") + four))),
    "teredo": (101, ip4(17, udp(3544, bytes.fromhex("000100000000000000000000 000000000000 0000".replace(" ", ""))[:21] +
                                ip6(59, b"").replace(b"\x20\x01" + bytes(13), b"\x20\x01" + bytes(13))))),
    "icmp": (101, ip4(1, bytes.fromhex("0800000000010001"))),
    "sctp": (101, ip6(132, bytes(32))),
}
for name, (link, data) in packets.items():
    save("decode", name, struct.pack(">HB", link, 0) + data)
save("decode", "snapped", struct.pack(">HB", 1, 100) + frame[:40])


def run(*parts):
    return b"".join(struct.pack(">HB", len(p), 1) + p for p in parts)


whole = udp(6, bytes(range(96)))
first, middle, last = (0, 40, 1), (40, 80, 1), (80, 104, 0)


def cut4(part):
    begin, end, more = part
    return ip4(17, whole[begin:end], more << 13 | begin // 8)


def cut6(part):
    begin, end, more = part
    return ip6(44, struct.pack(">BBHI", 17, 0, begin | more, 1) + whole[begin:end])


save("defragment", "ipv4_in_order", run(*map(cut4, (first, middle, last))))
save("defragment", "ipv4_reversed_with_repetition", run(*map(cut4, (last, middle, middle, first))))
save("defragment", "ipv4_overlap", run(*map(cut4, (first, (32, 80, 1), last))))
save("defragment", "ipv6_in_order", run(*map(cut6, (first, middle, last))))
save("defragment", "ipv6_overlap", run(*map(cut6, (first, (32, 80, 1), last))))
save("defragment", "several_datagrams", run(*(ip4(17, whole[:40], 0x2000, i) for i in range(12))))
