#!/usr/bin/env python3
"""Writes seeds of the parser target into parser/: conversations of tests/data's captures, read with tshark.

A seed is the parser's name, a variant byte, and steps of a control byte (side 0x80, size) and bytes; see ../parser.cpp.
"""
import pathlib
import struct
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parent.parent / "data"
# Seed, parser, capture, transport, number of the conversation by length, datagrams at most.
SEEDS = (
    ("tls_client_certificate", "tls", "tls.pcap", "tcp", 0, 99),
    ("tls_retry", "tls", "tls.pcap", "tcp", 5, 99),
    ("dtls", "tls", "tls.pcap", "udp", 0, 99),
    ("quic_initial", "quic", "quic.pcap", "udp", 0, 1),
    ("ssh_exchange", "ssh", "ssh.pcap", "tcp", 0, 6),
    ("rdp_settings", "rdp", "rdp.pcap", "tcp", 0, 4),
    ("stun_relay", "stun", "stun.pcap", "udp", 0, 8),
    ("ssdp_announcements", "ssdp", "discovery.pcap", "udp", 0, 4),
)
# Seed, parser, capture, what its frames have behind the hardware addresses and what stands before the payload, frames at most.
FRAMES = (
    ("lldp_frames", "lldp", "discovery.pcap", bytes.fromhex("88cc"), 14, 3),
    ("cdp_frames", "cdp", "discovery.pcap", None, 22, 3),
)
CDP = bytes.fromhex("aaaa0300000c2000")


def frames(capture, kind, before):
    """Payloads of Ethernet frames, out of a pcap file of this machine's byte order."""
    data, at, found = (DATA / capture).read_bytes(), 24, []
    while at < len(data):
        size = struct.unpack_from("=I", data, at + 8)[0]
        frame = data[at + 16:at + 16 + size]
        if frame[12:14] == kind or (kind is None and frame[14:22] == CDP):
            found.append((True, frame[before:]))
        at += 16 + size
    return found


def conversations(capture, transport):
    """Lists of (from the client, bytes), the longest first."""
    fields = [f"{transport}.stream", f"{transport}.srcport", f"{transport}.payload"]
    command = ["tshark", "-n", "-r", str(DATA / capture), "-Y", f"{transport}.payload", "-T", "fields"]
    command += [word for field in fields for word in ("-e", field)]
    found = {}
    for line in subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout.splitlines():
        stream, port, payload = line.split("\t")
        talk = found.setdefault(stream, [])
        talk.append((port, bytes.fromhex(payload)))
    return sorted(([(p == talk[0][0], b) for p, b in talk] for talk in found.values()), key=lambda t: -sum(len(b) for _, b in t))


def steps(turns, datagrams):
    out = b""
    for at, (from_client, data) in enumerate(turns):
        side = 0 if from_client else 0x80
        if datagrams:
            last = at == len(turns) - 1
            if len(data) > 0x3B and len(data) not in (256, 512, 768) and not last:
                data = data[:0x3B] if len(data) < 256 else data[: len(data) // 256 * 256][:768]
            code = 0x3F if last else len(data) if len(data) <= 0x3B else 0x3B + len(data) // 256
            out += bytes([side | code]) + data
            continue
        while data:
            size = 768 if len(data) >= 768 else 256 if len(data) >= 256 else min(len(data), 0x3B)
            out += bytes([side | (size if size <= 0x3B else 0x3B + size // 256)]) + data[:size]
            data = data[size:]
    return out


def main():
    for seed, parser, capture, transport, number, most in SEEDS:
        turns = conversations(capture, transport)[number][:most]
        variant = 1 if transport == "udp" else 0
        (HERE / "parser" / seed).write_bytes(parser.encode() + b"\n" + bytes([variant]) + steps(turns, transport == "udp"))
    for seed, parser, capture, kind, before, most in FRAMES:
        turns = frames(capture, kind, before)[:most]
        (HERE / "parser" / seed).write_bytes(parser.encode() + b"\n\1" + steps(turns, True))


if __name__ == "__main__":
    main()
