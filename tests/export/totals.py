#!/usr/bin/env python3
"""What weir exports as IPFIX and NetFlow v9 arrives in nfdump's nfcapd to the last flow, packet and byte: flows of
captures, and 20,000 out of a file, which only pacing brings through. usage: totals.py WEIR"""
import csv
import io
import pathlib
import struct
import subprocess
import sys
import tempfile

from nfcapd import Nfcapd

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
CAPTURES = ("http", "icmp", "dns", "sip", "dhcp")
TIMEOUT_S = 60


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def flows_of(weir, source):
    fields = "src_packets,dst_packets,src_bytes,dst_bytes"
    return [[int(v) for v in row] for row in list(csv.reader(io.StringIO(run(weir, "read", source, "-r", "flow", "-o", "csv", "-f", fields))))[1:]]


def expected(flows, one_way):
    """One way: a flow with packets in both directions is two."""
    count = sum(max(1, (sp > 0) + (dp > 0)) if one_way else 1 for sp, dp, _, _ in flows)
    return {
        "flows": count, "packets": sum(sp + dp for sp, dp, _, _ in flows), "bytes": sum(sb + db for _, _, sb, db in flows),
        "sequence errors": 0, "bad packets": 0,
    }


def many_flows(path, count=20_000):
    """A file as nfdump 1.7 writes it: IPv4 and IPv6 flows that share nothing."""
    records = b""
    for i in range(count):
        start = 1_700_000_000_000 + 17 * i
        record = struct.pack("<HHQQQQQHHBBBB", 1, 52, start, start + i % 5000, 0, 1 + i % 7, 40 + i, i & 0xffff, 443, 6 if i % 3 else 17, 27, 0, 0)
        if i % 4:
            record += struct.pack("<HHII", 2, 12, 0x0A000000 + i, 0xC6336401)
        else:
            record += struct.pack("<HHQQQQ", 3, 36, 0x20010DB8 << 32, i, 0x20010DB8 << 32, 1)
        records += struct.pack("<HHHBBHBB", 11, 12 + len(record), 2, 0, 0, 0, 0, 9) + record
    header = struct.pack("<HHIQBBHIQII", 0xA50C, 2, 0x01070100, 1_700_000_000, 0, 0, 0, 1, 0, 2 << 20, 1)
    path.write_bytes(header + struct.pack("<IIHH", count, len(records), 3, 0) + records)
    return path


def check(weir, protocol, source):
    with tempfile.TemporaryDirectory() as folder, Nfcapd(folder) as collector:
        run(weir, "read", source, "-o", f"{protocol}://127.0.0.1:{collector.port}")
        stored, arrived = collector.stop()
        wanted = expected(flows_of(weir, source), protocol == "netflow9")
        # And back: weir reads of nfdump's file what it sent.
        back = expected(flows_of(weir, stored), False)
        same = arrived == wanted and all(back[key] == wanted[key] for key in ("flows", "packets", "bytes"))
        print(f"{'ok  ' if same else 'FAIL'} {protocol:<8} {pathlib.Path(source).name:<14} {arrived}")
        if not same:
            print(f"     expected {wanted}\n     read back {back}")
        return same


def main():
    weir = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        sources = [DATA / f"{name}.pcap" for name in CAPTURES] + [DATA / "nfcapd.v2", many_flows(pathlib.Path(folder) / "many")]
        results = [check(weir, protocol, source) for protocol in ("ipfix", "netflow9") for source in sources]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
