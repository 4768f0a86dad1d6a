#!/usr/bin/env python3
"""weir collect and nfcapd receive the same NetFlow v9 flows, in turn: flows lost, CPU seconds per million, as ratios.

  collect.py [--rate FLOWS/S] [--seconds N] [--rounds N] [--exporters N] [--data] [--weir PATH] [--blaster PATH] [--report FILE]

Every round runs each collector once, with the same sender (bench/tools/blaster.cpp) on loopback and the same receive
buffer. CPU seconds and peak memory are the kernel's own (wait4). With --data weir also stores what it receives.
"""
import argparse
import csv
import json
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
QUEUE_BYTES = 64 << 20
LONGEST_WAIT_S = 60


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def sockets(port):
    """The kernel's lines about UDP sockets on the port: bytes that wait, and datagrams dropped."""
    found = []
    for line in pathlib.Path("/proc/net/udp").read_text(encoding="ascii").splitlines()[1:]:
        columns = line.split()
        if int(columns[1].split(":")[1], 16) == port:
            found.append((int(columns[4].split(":")[1], 16), int(columns[12])))
    return found


def wait_until(condition, what):
    end = time.monotonic() + LONGEST_WAIT_S
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"collect.py: waited too long until {what}")
        time.sleep(0.02)


def nfcapd_flows(folder):
    out = subprocess.run(["nfdump", "-R", folder, "-I"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return sum(int(n) for n in re.findall(r"^Flows: (\d+)", out, re.M))


def weir_flows(stats):
    with open(stats, encoding="utf-8") as rows:
        return sum(int(row["value"]) for row in csv.DictReader(rows) if row["name"] == "export_flows")


def collectors(options, folder, port):
    """name, command, how many flows it says it got"""
    stats = f"{folder}/stat.csv"
    weir = [options.weir, "collect", "-q", "-l", f"127.0.0.1:{port}"]
    yield "nfcapd -y (lz4 files)", ["nfcapd", "-y", "-4", "-b", "127.0.0.1", "-p", str(port), "-B", str(QUEUE_BYTES), "-w", folder,
                                    "-P", f"{folder}/../pid"], lambda: nfcapd_flows(folder)
    yield "weir, JSON to /dev/null", [*weir, "-r", "flow,stat", "-w", f"{folder}/", "-o", "json"], None
    yield "weir, five CSV fields", [*weir, "-r", "flow,stat", "-w", f"{folder}/", "-o", "csv",
                                    "-f", "src_ip,dst_ip,dst_port,bytes,packets,name,value"], lambda: weir_flows(stats)
    yield "weir, nothing written", [*weir, "-r", "flow,stat", "-w", f"{folder}/", "-o", "csv", "-f", "name,value"], lambda: weir_flows(stats)
    if options.data:
        yield "weir --data", [*weir, "--data", folder], None


def measure(options, name, command, flows, port):
    log = tempfile.TemporaryFile()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    wait_until(lambda: sockets(port) or child.poll() is not None, f"{name} listens")
    sent = json.loads(subprocess.run([options.blaster, str(port), str(options.rate), str(options.seconds), str(options.exporters)],
                                     check=True, stdout=subprocess.PIPE).stdout)
    wait_until(lambda: all(waiting == 0 for waiting, _ in sockets(port)), f"{name} has read everything")
    dropped = sum(drops for _, drops in sockets(port))
    child.send_signal(signal.SIGTERM)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = status
    if status != 0:
        log.seek(0)
        print(f"{name}: exit status {status}: {log.read().decode()}", file=sys.stderr)
    got = flows() if flows else sent["flows"] - 30 * dropped
    return {"cpu": usage.ru_utime + usage.ru_stime, "memory": usage.ru_maxrss / 1024, "sent": sent["flows"],
            "lost": sent["flows"] - got, "rate": sent["flows"] / sent["seconds"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=500_000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--exporters", type=int, default=1)
    parser.add_argument("--data", action="store_true")
    parser.add_argument("--weir", default=str(ROOT / "build/release/weir"))
    parser.add_argument("--blaster", default=str(ROOT / "build/release/bench/weir_blaster"))
    parser.add_argument("--report", type=pathlib.Path)
    options = parser.parse_args()
    results = {}
    for _ in range(options.rounds):
        port = free_port()
        with tempfile.TemporaryDirectory() as scratch:
            for index, _ in enumerate(list(collectors(options, scratch, port))):
                folder = f"{scratch}/{index}"
                os.mkdir(folder)
                name, command, flows = list(collectors(options, folder, port))[index]
                if name.startswith("weir, JSON"):
                    # The file that is the null device is written in place.
                    os.symlink("/dev/null", f"{folder}/flow.json")
                results.setdefault(name, []).append(measure(options, name, command, flows, port))
    base = statistics.median(r["cpu"] / r["sent"] for r in next(iter(results.values())))
    lines = ["| collector | flows/s sent | flows lost | CPU s per M flows | peak MiB | CPU, nfcapd = 1 |", "|---|---|---|---|---|---|"]
    for name, rows in results.items():
        cpu = statistics.median(r["cpu"] / r["sent"] for r in rows)
        lines.append(f"| {name} | {statistics.median(r['rate'] for r in rows):,.0f} | {sum(r['lost'] for r in rows):,} of "
                     f"{sum(r['sent'] for r in rows):,} | {cpu * 1e6:.2f} | {max(r['memory'] for r in rows):.0f} | {cpu / base:.2f} |")
    head = f"{options.rate:,} flows/s for {options.seconds:g} s from {options.exporters} exporters, {options.rounds} rounds, {os.cpu_count()} cores"
    print(head, *lines, sep="\n")
    if options.report:
        options.report.write_text("\n".join([head, "", *lines]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
