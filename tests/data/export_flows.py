#!/usr/bin/env python3
"""Sends flows to an nfcapd that writes into the folder named: NetFlow v5 (sampled), v9 and IPFIX with every element
that nfdump keeps. usage: export_flows.py FOLDER"""
import pathlib
import socket
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "export"))
from nfcapd import Nfcapd  # noqa: E402

EPOCH = 1_700_000_000  # seconds; every flow is around here
UPTIME = 3_600_000  # milliseconds


def ip4(text):
    return socket.inet_aton(text)


def ip6(text):
    return socket.inet_pton(socket.AF_INET6, text)


def u(size, value):
    return value.to_bytes(size, "big")


def flow_set(number, body):
    body += bytes(-len(body) % 4)
    return struct.pack(">HH", number, 4 + len(body)) + body


def template(number, elements, ipfix):
    fields = b""
    for element, size, _ in elements:
        fields += struct.pack(">HH", element, size)
    return flow_set(2 if ipfix else 0, struct.pack(">HH", number, len(elements)) + fields)


def record(elements):
    out = b""
    for _, size, value in elements:
        data = value if isinstance(value, bytes) else u(size, value)
        assert len(data) == size, (size, value)
        out += data
    return out


def v9(sets, records, sequence, domain):
    return struct.pack(">HHIIII", 9, records, UPTIME, EPOCH, sequence, domain) + b"".join(sets)


def ipfix(sets, sequence, domain):
    body = b"".join(sets)
    return struct.pack(">HHIII", 10, 16 + len(body), EPOCH, sequence, domain) + body


def v5(rows, sequence, sampling):
    head = struct.pack(">HHIIIIBBH", 5, len(rows), UPTIME, EPOCH, 0, sequence, 1, 7, 1 << 14 | sampling)
    return head + b"".join(rows)


def v5_row(src, dst, sport, dport, proto, packets, octets, flags=0, tos=0):
    return struct.pack(">4s4s4sHHIIIIHHBBBBHHBBH", ip4(src), ip4(dst), ip4("192.0.2.254"), 3, 4, packets, octets, UPTIME - 5000,
                       UPTIME - 1500, sport, dport, 0, flags, proto, tos, 64500, 64501, 24, 16, 0)


MS = EPOCH * 1000


def times(start, end):
    return [(152, 8, MS + start), (153, 8, MS + end)]


def ports(sport, dport, proto, flags=0, tos=0):
    return [(7, 2, sport), (11, 2, dport), (4, 1, proto), (6, 1, flags), (5, 1, tos)]


FULL4 = times(-4000, -250) + [(8, 4, ip4("10.1.2.3")), (12, 4, ip4("198.51.100.7"))] + ports(51000, 443, 6, 0x1b, 0x28) + [
    (1, 8, 123_456_789_012), (2, 8, 98_765_432), (10, 4, 70_001), (14, 4, 70_002), (9, 1, 22), (13, 1, 19), (61, 1, 1),
    (55, 1, 0x50), (58, 2, 101), (59, 2, 202), (16, 4, 4_200_000_001), (17, 4, 64_502), (15, 4, ip4("192.0.2.1")),
    (18, 4, ip4("192.0.2.2")), (56, 6, bytes.fromhex("020000000001")), (57, 6, bytes.fromhex("020000000002")),
    (80, 6, bytes.fromhex("020000000003")), (81, 6, bytes.fromhex("020000000004")), (89, 1, 64), (70, 3, 0x012345),
    (128, 4, 65_001), (129, 4, 65_002)]
FULL6 = times(-3000, -1) + [(27, 16, ip6("2001:db8::1")), (28, 16, ip6("2001:db8:1::2:3"))] + ports(40000, 53, 17, 0, 4) + [
    (1, 4, 1234), (2, 4, 5), (29, 1, 64), (30, 1, 48), (62, 16, ip6("2001:db8:ffff::1")), (63, 16, ip6("2001:db8:ffff::2"))]
ICMP4 = times(-10, 0) + [(8, 4, ip4("10.1.2.3")), (12, 4, ip4("10.9.9.9")), (4, 1, 1), (32, 2, 3 << 8 | 1), (1, 4, 56), (2, 4, 1)]
ICMP6 = times(-10, 0) + [(27, 16, ip6("fe80::1")), (28, 16, ip6("ff02::1")), (4, 1, 58), (139, 2, 128 << 8), (1, 4, 104), (2, 4, 1)]
BIFLOW = times(-2000, -1000) + [(8, 4, ip4("10.1.2.3")), (12, 4, ip4("203.0.113.9"))] + ports(50123, 22, 6, 0x1f) + [
    (1, 8, 4200), (2, 8, 21), (23, 8, 9_900_000_000), (24, 8, 6_600_000), (136, 1, 3)]
NSEL = [(323, 8, MS - 500), (148, 4, 4711), (8, 4, ip4("10.1.2.3")), (12, 4, ip4("198.51.100.8")), (7, 2, 1025), (11, 2, 80),
        (4, 1, 6), (225, 4, ip4("192.0.2.99")), (226, 4, ip4("198.51.100.9")), (227, 2, 2025), (228, 2, 8080), (233, 1, 1),
        (33002, 2, 0), (231, 4, 0), (232, 4, 0)]
NEL = [(323, 8, MS - 400), (230, 1, 1), (8, 4, ip4("10.1.2.4")), (225, 4, ip4("192.0.2.98")), (7, 2, 1026), (227, 2, 2026), (4, 1, 17),
       (12, 4, ip4("198.51.100.10")), (226, 4, ip4("198.51.100.10")), (11, 2, 53), (228, 2, 53), (234, 4, 1), (235, 4, 2)]


def messages():
    yield v5([v5_row("10.1.2.3", "10.4.5.6", 1024, 80, 6, 10, 6000, 0x12, 0x10), v5_row("10.1.2.3", "10.4.5.7", 0, 0x0800, 1, 2, 168)], 100, 100)
    shapes = [FULL4, FULL6, ICMP4, ICMP6]
    yield v9([template(256 + i, s, False) for i, s in enumerate(shapes)] + [flow_set(256 + i, record(s)) for i, s in enumerate(shapes)],
             2 * len(shapes), 1, 42)
    yield v9([template(300, NSEL, False), flow_set(300, record(NSEL)), template(301, NEL, False), flow_set(301, record(NEL))], 4, 1, 43)
    yield ipfix([template(400, BIFLOW, True), flow_set(400, record(BIFLOW))], 0, 77)


def main():
    with Nfcapd(sys.argv[1]) as collector, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for message in messages():
            sender.sendto(message, ("127.0.0.1", collector.port))
        collector.stop()


if __name__ == "__main__":
    main()
