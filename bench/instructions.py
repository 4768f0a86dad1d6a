#!/usr/bin/env python3
"""Counts the instructions of fixed runs of weir, which no other load on the machine changes, and holds them against the
counts in instructions.tsv.

  instructions.py [--weir PATH] [--update | --capture FILE]

The capture is bench/make_capture.py's, 8 MB. Exit code 1 when a run takes over 5 % more than its count there; one that
takes over 5 % less asks for --update. Instructions per packet are without those of starting up. Of another capture the
counts are only shown. Needs valgrind.
"""
import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
COUNTS = pathlib.Path(__file__).with_name("instructions.tsv")
TOLERANCE = 0.05
MEGABYTES = 8
RUNS = {
    "start": None,
    "flows": ["-r", "flow", "-o", "csv", "-f", "time,duration,src_ip,dst_ip,src_port,dst_port,proto,packets,bytes,src_tcp_flags"],
    "flows, every field": ["-r", "flow", "-o", "csv"],
    "all records": ["-o", "json"],
    "packets": ["-r", "packet", "-o", "csv"],
    "dns with a filter": ["-r", "dns", "-o", "json", "--where", "query ~ 'www' and dst_port == 53"],
}


def count(command):
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command],
                          check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def known_counts():
    if not COUNTS.exists():
        return {}
    rows = (line.split("\t") for line in COUNTS.read_text().splitlines() if not line.startswith("#"))
    return {name: int(number) for name, number in rows}


def packets_in(weir, capture):
    out = subprocess.run([weir, "read", capture, "-q", "-r", "stat", "-o", "csv", "-f", "name,value"], check=False,
                         stdout=subprocess.PIPE, text=True).stdout
    return int(dict(line.split(",") for line in out.splitlines())["packets"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", default=str(ROOT / "build/release/weir"))
    parser.add_argument("--update", action="store_true", help="write the counts of now")
    parser.add_argument("--capture", type=pathlib.Path)
    options = parser.parse_args()
    capture = options.capture or ROOT / f"build/bench-{MEGABYTES}.pcap"
    if not capture.exists():
        subprocess.run([sys.executable, str(ROOT / "bench/make_capture.py"), str(capture), str(MEGABYTES)], check=True)
    known = {} if options.capture else known_counts()
    packets = packets_in(options.weir, str(capture))
    now, worse = {}, 0
    for name, arguments in RUNS.items():
        words = ["--version"] if arguments is None else ["read", str(capture), "-q", "--threads", "1", *arguments]
        now[name] = count([options.weir, *words])
        each = f"{(now[name] - now['start']) / packets:7,.0f} a packet" if arguments else " " * 16
        change = now[name] / known[name] - 1 if name in known else 0
        verdict = "too many" if change > TOLERANCE else "fewer: --update" if change < -TOLERANCE else ""
        worse += change > TOLERANCE
        print(f"{name:20} {now[name]:>14,} {each} {change:+7.1%} {verdict}")
    if options.update:
        lines = ["# Instructions of each run of bench/instructions.py."] + [f"{name}\t{number}" for name, number in now.items()]
        COUNTS.write_text("\n".join(lines) + "\n")
    print(f"{len(RUNS) - worse} passed, {worse} failed")
    return 1 if worse else 0


sys.exit(main())
