#!/usr/bin/env python3
"""What nfpcapd and softflowd export of a capture is stored by weir collect to the last flow, packet and byte: as nfdump's
nfcapd stores it from the same exporter. usage: peers.py WEIR"""
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading

from nfcapd import Nfcapd

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "reliability"))
from sender import Weir, query

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
CAPTURES = ("http", "icmp", "dns", "sip", "dhcp")
TIMEOUT_S = 60


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")


def nfpcapd(capture, port):
    """In nfdump's own protocol. Debian's ends before it has sent its last datagram, and so sends nothing of few flows."""
    run("nfpcapd", "-r", str(capture), "-H", f"127.0.0.1/{port}")


def softflowd(version, *options):
    def export(capture, port):
        run("softflowd", "-r", str(capture), "-n", f"127.0.0.1:{port}", "-v", version, "-c", "none", "-d", *options)
    return export


def datagrams_of(export, capture):
    """What an exporter sends of a capture."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(TIMEOUT_S)
        end.bind(("127.0.0.1", 0))
        received = []

        def receive():
            while True:
                datagram, sender = receiver.recvfrom(65535)
                if sender == end.getsockname():
                    return
                received.append(datagram)

        thread = threading.Thread(target=receive)
        thread.start()
        export(capture, receiver.getsockname()[1])
        end.sendto(b"", receiver.getsockname())
        thread.join()
        return received


def many_flows(path, count=1000):
    """A capture of UDP and TCP flows, IPv4 and IPv6, of one to four packets, that share nothing."""
    out = bytearray(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for n in range(4 * count):
        flow, packet = n % count, n // count
        if packet > flow % 4:
            continue
        payload = bytes(flow % 300)
        if flow % 3:
            segment = struct.pack(">HHHH", 1024 + flow, 53, 8 + len(payload), 0) + payload
        else:
            segment = struct.pack(">HHIIBBHHH", 1024 + flow, 80, packet, 1, 5 << 4, 0x10, 8192, 0, 0) + payload
        proto = 17 if flow % 3 else 6
        if flow % 5:
            ip = struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(segment), n & 0xFFFF, 0, 64, proto, 0, 0x0A000000 + flow, 0xC6336401)
            frame = bytes(12) + b"\x08\x00" + ip + segment
        else:
            ends = struct.pack(">QQQQ", 0x20010DB8 << 32, flow, 0x20010DB8 << 32, 1 << 40)
            frame = bytes(12) + b"\x86\xdd" + struct.pack(">IHBB", 6 << 28, len(segment), proto, 64) + ends + segment
        out += struct.pack("<IIII", 1_700_000_000 + n // 1000, n % 1000 * 1000, len(frame), len(frame)) + frame
    path.write_bytes(out)
    return path


def collected(weir, datagrams):
    """Flows, packets and bytes that weir stored of them, and nfcapd; what weir could not read."""
    with tempfile.TemporaryDirectory() as folder, Nfcapd(folder) as nfcapd, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        data = pathlib.Path(folder, "weir")
        collect = Weir(weir, data).wait_listening()
        for datagram in datagrams:
            sender.sendto(datagram, ("127.0.0.1", collect.port))
            sender.sendto(datagram, ("127.0.0.1", nfcapd.port))
            nfcapd.wait_until_read()  # its queue is short
        if collect.end(signal.SIGTERM) != 0:
            raise SystemExit("weir collect failed:\n" + "\n".join(collect.lines))
        _, theirs = nfcapd.stop()
        [ours] = query(weir, data, "SELECT count(*), sum(packets), sum(bytes) FROM flow")
        [[unread]] = query(weir, data, "SELECT sum(value) FROM stat WHERE name IN ('export_malformed', 'unrecognised', 'kernel_drops')")
    return ours, [theirs[key] for key in ("flows", "packets", "bytes")], unread


def check(weir, name, capture, export, oracle=None):
    """`oracle`: whose flows in nfcapd are right, where nfcapd does not read these."""
    datagrams = datagrams_of(export, capture)
    if not datagrams:
        print(f"none {name:<18} {capture.stem}: it sends nothing")
        return export is nfpcapd
    ours, theirs, unread = collected(weir, datagrams)
    if oracle is not None:
        _, theirs, _ = collected(weir, datagrams_of(oracle, capture))
    same = ours == theirs and ours[0] > 0 and unread == 0
    print(f"{'ok  ' if same else 'FAIL'} {name:<18} {capture.stem:<6} flows, packets, bytes {ours}" + ("" if same else f"; nfcapd {theirs}, unread {unread}"), flush=True)
    return same


def main():
    weir = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        sources = [DATA / f"{name}.pcap" for name in CAPTURES] + [many_flows(pathlib.Path(folder) / "many.pcap")]
        results = [
            check(weir, name, source, *exporters)
            for source in sources
            for name, *exporters in (
                ("nfpcapd", nfpcapd),
                # nfcapd takes no flow out of softflowd's v1.
                ("softflowd v1", softflowd("1"), softflowd("5")),
                ("softflowd v5", softflowd("5")),
                ("softflowd v9", softflowd("9", "-6")),
                ("softflowd IPFIX", softflowd("10", "-6")),
                ("softflowd biflows", softflowd("10", "-6", "-b")),
            )
        ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
