#!/usr/bin/env python3
"""Seeds of the inventory target: what frames of tests/data's captures have behind the headers, as steps of who says what."""
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parent.parent / "data"
PARSERS = ["arp", "ndp", "lldp", "cdp", "dhcp", "dhcpv6", "dns", "dns", "ssdp"]  # as inventory.cpp has them
UDP = {67: "dhcp", 68: "dhcp", 546: "dhcpv6", 547: "dhcpv6", 53: "dns", 5353: "dns", 137: "dns", 1900: "ssdp"}
CAPTURES = ("discovery.pcap", "dhcp.pcap", "icmp.pcap", "dns.pcap")


def said(frame):
    """Which parser takes the frame, and from which byte on."""
    kind = struct.unpack_from(">H", frame, 12)[0]
    if kind == 0x0806:
        return "arp", 14
    if kind == 0x88CC:
        return "lldp", 14
    if frame[14:22] == bytes.fromhex("aaaa0300000c2000"):
        return "cdp", 22
    if kind == 0x86DD and frame[20] == 58 and 133 <= frame[54] <= 137:
        return "ndp", 14
    if kind in (0x0800, 0x86DD):
        proto, at = (frame[23], 34) if kind == 0x0800 else (frame[20], 54)
        if proto == 17 and len(frame) > at + 8:
            ports = struct.unpack_from(">HH", frame, at)
            for port in ports:
                if port in UDP:
                    return UDP[port], at + 8
    return None


def main():
    (HERE / "inventory").mkdir(exist_ok=True)
    for path in (DATA / name for name in CAPTURES):
        if not path.exists():
            continue
        data, at, steps = path.read_bytes(), 24, {}
        while at < len(data):
            size = struct.unpack_from("=I", data, at + 8)[0]
            frame, at = data[at + 16:at + 16 + size], at + 16 + size
            found = said(frame)
            if found is None:
                continue
            parser, behind = found
            many = steps.setdefault(parser, [])
            control = PARSERS.index(parser) | (0x40 if frame[12:14] == b"\x86\xdd" else 0) | (len(many) % 4) << 4
            if len(many) < 8:
                many.append(struct.pack(">BBH", control, 0x10 | frame[11] & 15, len(frame) - behind) + frame[behind:])
        for parser, many in steps.items():
            (HERE / "inventory" / f"{path.stem}_{parser}").write_bytes(b"".join(many))


if __name__ == "__main__":
    main()
