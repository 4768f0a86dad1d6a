#!/usr/bin/env python3
"""Writes seeds of the collector target into collector/: what an exporter of each protocol sends.

A seed is a byte that picks the collector by sorted name (ipfix, netflow, netflow9, nfd, sflow), and steps of a control byte
(1: the other exporter, 2: a stream, 4: an hour later, 8: save and restore), a length and that many bytes; see
../collector.cpp.
"""
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent
IPFIX, NETFLOW, NETFLOW9, NFD, SFLOW = range(5)
NOW = 1_700_000_000
ENDS = bytes([10, 0, 0, 1, 10, 0, 0, 2])


def words(*values):
    return b"".join(v if isinstance(v, bytes) else struct.pack(">I", v) for v in values)


def halves(*values):
    return struct.pack(f">{len(values)}H", *values)


def section(number, body):
    """A set of NetFlow v9 or IPFIX."""
    return halves(number, 4 + len(body)) + body


def netflow9(sequence, *sets):
    return halves(9, len(sets)) + words(3_600_000, NOW, sequence, 5) + b"".join(sets)


def ipfix(sequence, *sets):
    body = b"".join(sets)
    return halves(10, 16 + len(body)) + words(NOW, sequence, 5) + body


def template(number, fields):
    return halves(number, len(fields)) + b"".join(halves(*f) if len(f) == 2 else halves(f[0], f[1]) + words(f[2]) for f in fields)


def sflow(*samples):
    return words(5, 1, bytes([10, 0, 0, 254]), 0, 1, 1000, len(samples), *samples)


def xdr(number, body):
    body += bytes(-len(body) % 4)
    return words(number, len(body)) + body


PLAIN = ((8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (2, 4), (1, 4), (22, 4), (21, 4), (6, 1), (48, 1))
RECORD = ENDS + halves(40000, 443) + b"\x06" + words(10, 1000, 3_580_000, 3_590_000) + b"\x12\x01"
PACKET = bytes.fromhex("4500002800004000400600000a0000010a0000029c4001bb00000001000000005002200000000000")
FRAME = bytes.fromhex("02000000000202000000000181000064 0800") + PACKET
BIFLOW = ((8, 4), (12, 4), (4, 1), (1, 8), (2, 8), (152, 8), (153, 8), (0x8001, 8, 29305), (0x8002, 8, 29305), (136, 1), (96, 0xFFFF), (291, 0xFFFF))
BIRECORD = (ENDS + b"\x11" + struct.pack(">6Q", 100, 1, NOW * 1000 - 20, NOW * 1000 - 10, 200, 2) + b"\x03" + b"\x03dns" + b"\xff\x00\x02\x04\x01")

NFD_RECORD = (struct.pack("<HHHBBHBB", 11, 76, 2, 0x11, 1, 0, 0, 65)
              + struct.pack("<HH5QHHBBBB", 1, 52, NOW * 1000 - 20, NOW * 1000 - 10, 0, 10, 1000, 40000, 443, 6, 0x1B, 0, 0)
              + struct.pack("<HHII", 2, 12, 0x0A000001, 0x0A000002))

SEEDS = {
    "netflow_v5": (NETFLOW, [(0, halves(5, 1) + words(3_600_000, NOW, 0, 7) + halves(1, 0x4064) + ENDS + words(0, 0x00030004, 10, 1000)
                              + words(3_580_000, 3_590_000) + halves(40000, 443) + bytes.fromhex("001b06001000010018100000"))]),
    "netflow9": (NETFLOW9, [
        (0, netflow9(1, section(256, RECORD))),
        (0, netflow9(2, section(1, halves(260, 4, 8, 1, 4, 48, 1, 50, 4)), section(260, words(0) + b"\x01" + words(16)))),
        (0, netflow9(3, section(0, template(256, PLAIN)), section(256, RECORD + RECORD))),
        (8, b""), (1, netflow9(9, section(256, RECORD))), (4, netflow9(4, section(256, RECORD)))]),
    "ipfix": (IPFIX, [
        (0, ipfix(0, section(2, template(256, BIFLOW)), section(256, BIRECORD + BIRECORD))),
        (0, ipfix(2, section(3, halves(300, 3, 1, 302, 4, 305, 4, 306, 4)), section(300, words(1, 1, 9)))),
        (8, b"wxp1"), (2, ipfix(3, section(2, halves(256, 0)))), (2, ipfix(3, section(2, halves(2, 0))))]),
    "ipfix_frame": (IPFIX, [(0, ipfix(0, section(2, template(256, ((10, 4), (34, 4), (315, 0xFFFF)))),
                                      section(256, words(1, 10) + bytes([len(FRAME)]) + FRAME)))]),
    "nfd": (NFD, [(0, halves(250, 16 + len(NFD_RECORD)) + words(NOW, 1, 1) + NFD_RECORD)]),
    "sflow": (SFLOW, [(0, sflow(
        xdr(1, words(1, 7, 256, 1000, 0, 7, 0x40000001, 3) + xdr(1, words(1, len(FRAME) + 4, 4, len(FRAME)) + FRAME)
            + xdr(1001, words(100, 0, 200, 0)) + xdr(1003, words(1, bytes([10, 0, 0, 252]), 1, 2, 3, 1, 2, 2, 4, 5, 0, 100))),
        xdr(2, words(1, 7, 1) + xdr(1, bytes(88)))))]),
}


def main():
    folder = HERE / "collector"
    folder.mkdir(exist_ok=True)
    for name, (collector, steps) in SEEDS.items():
        (folder / name).write_bytes(bytes([collector]) + b"".join(struct.pack(">BH", c, len(b)) + b for c, b in steps))


if __name__ == "__main__":
    main()
