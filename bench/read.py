#!/usr/bin/env python3
"""weir read and its peers on the same capture, in turn, as ratios.

  read.py [--capture FILE | --megabytes N] [--rounds N] [--slow-rounds N] [--weir PATH] [--report FILE]

Every round runs each program once, so that a machine whose speed drifts does so for all. The capture is read once
before, to be in the page cache. Wall seconds, CPU seconds and peak memory are the kernel's own (wait4); the table
shows medians. Without --capture, bench/make_capture.py makes one.
"""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
LONGEST_S = 600  # then a program is ended and its exit status says so
# What a NetFlow v5 record says of a flow.
FLOW_FIELDS = "time,duration,src_ip,dst_ip,src_port,dst_port,proto,packets,bytes,src_tcp_flags"
TSHARK_FIELDS = ["frame.time_epoch", "ip.src", "ip.dst", "tcp.dstport", "frame.len"]


def bare_loop(scratch):
    """bench/limit/bare_loop.cpp: headers and a hash table, nothing else."""
    program = f"{scratch}/bare_loop"
    subprocess.run([os.environ.get("CXX", "c++"), "-std=c++20", "-O2", "-o", program, str(ROOT / "bench/limit/bare_loop.cpp")], check=True)
    return program


def programs(weir, capture, scratch, limit):
    """name, what it is compared in, command"""
    read = [weir, "read", capture, "-q"]
    flow = read + ["-r", "flow", "-o", "csv", "-f", FLOW_FIELDS]
    five = [part for field in TSHARK_FIELDS for part in ("-e", field)]
    yield "weir flows, 1 thread", "flows", flow + ["--threads", "1"]
    yield "weir flows, 2 threads", "flows", flow + ["--threads", "2"]
    yield "weir flows, every field, 1 thread", "flows", read + ["-r", "flow", "-o", "csv", "--threads", "1"]
    yield "bare loop (the limit)", "flows", [limit, capture]
    yield "softflowd, nothing exported", "flows", ["softflowd", "-d", "-r", capture, "-c", "none", "-p", f"{scratch}/pid"]
    yield "nfpcapd", "flows", ["nfpcapd", "-r", capture, "-l", scratch]
    yield "argus", "flows", ["argus", "-r", capture, "-w", "/dev/null"]
    yield "weir all records, 1 thread", "all", read + ["-o", "json", "--threads", "1"]
    yield "weir all records, 2 threads", "all", read + ["-o", "json", "--threads", "2"]
    yield "tshark, 5 fields", "all", ["tshark", "-n", "-r", capture, "-T", "fields", *five]


def measure(command):
    start = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    overdue = threading.Timer(LONGEST_S, child.kill)
    overdue.start()
    _, status, usage = os.wait4(child.pid, 0)
    overdue.cancel()
    child.returncode = status
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, status


def packets_in(weir, capture):
    out = subprocess.run([weir, "read", capture, "-q", "-r", "stat", "-o", "csv", "-f", "name,value"], check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    return int(dict(line.split(",") for line in out.splitlines())["packets"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--capture")
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slow-rounds", type=int, default=1, help="rounds in which tshark, minutes slow, takes part")
    parser.add_argument("--weir", default=str(ROOT / "build/release/weir"))
    parser.add_argument("--report", type=pathlib.Path)
    options = parser.parse_args()
    capture = options.capture
    if capture is None:
        capture = str(ROOT / f"build/bench-{options.megabytes}.pcap")
        if not os.path.exists(capture):
            subprocess.run([sys.executable, str(ROOT / "bench/make_capture.py"), capture, str(options.megabytes)], check=True)
    packets = packets_in(options.weir, capture)
    results = {}
    with tempfile.TemporaryDirectory() as scratch:
        limit = bare_loop(scratch)
        for turn in range(options.rounds):
            for name, kind, command in programs(options.weir, capture, scratch, limit):
                if shutil.which(command[0]) is None or (name.startswith("tshark") and turn >= options.slow_rounds):
                    continue
                wall, cpu, memory, status = measure(command)
                if status != 0:
                    print(f"{name}: exit status {status}", file=sys.stderr)
                results.setdefault((name, kind), []).append((wall, cpu, memory))
    base = {kind: statistics.median(r[0] for r in rows) for (name, kind), rows in results.items()
            if name in ("weir flows, 1 thread", "weir all records, 2 threads")}
    lines = ["| program | wall s | CPU s | peak MiB | M packets/s | time, weir = 1 |", "|---|---|---|---|---|---|"]
    for (name, kind), rows in results.items():
        wall, cpu, memory = (statistics.median(column) for column in zip(*rows))
        lines.append(f"| {name} | {wall:.2f} | {cpu:.2f} | {memory:.0f} | {packets / wall / 1e6:.2f} | {wall / base[kind]:.2f} |")
    head = f"{packets:,} packets, {os.path.getsize(capture) / 1e6:,.0f} MB, {options.rounds} rounds, {os.cpu_count()} cores"
    print(head, *lines, sep="\n")
    if options.report:
        options.report.write_text("\n".join([head, "", *lines]) + "\n")


main()
