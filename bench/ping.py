#!/usr/bin/env python3
"""weir ping beside fping, on loopback and over a veth in network namespaces of its own.

    targets     60,000 targets once, as fast as each can (fping -i 0): targets a second, CPU a probe; rounds alternate
    many        200,000 targets five times in one process: what was not answered, memory
    truth       10,000 targets a second over a veth while every CPU is busy: how far round trips are from those of a
                capture on the veth (percentiles of the difference)

Usage: ping.py [--rounds N] [PATH/TO/weir]; every part takes a few seconds.
"""
import argparse
import json
import os
import pathlib
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FAST = "-c 1 -i 0 --rate 10000000 -q".split()


def run(command, **options):
    """Seconds it took, CPU seconds, the finished process."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, check=False, **options)
    elapsed, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return elapsed, cpu, done


def loopback_targets(count):
    return "".join(f"127.{i >> 16}.{i >> 8 & 255}.{i & 255}\n" for i in range(1, count + 1))


def targets(weir, folder, rounds):
    count = 60_000  # fping knows no more than 65,535 at a time
    listed = f"{folder}/targets"
    pathlib.Path(listed).write_text(loopback_targets(count))
    commands = {
        "fping -i 0": ["fping", "-q", "-c", "1", "-i", "0", "-f", listed],
        "weir": [weir, "ping", f"@{listed}", *FAST, "-r", "ping_stats", "-o", "csv", "-w", f"{folder}/out.csv"],
        "weir, as fping": [weir, "ping", "--profile", "fping", "-q", "-c", "1", "-i", "0", "-f", listed],
    }
    seen = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            elapsed, cpu, done = run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if done.returncode != 0:
                sys.exit(f"{name} exited with {done.returncode}")
            seen[name].append((count / elapsed, cpu / count * 1e6))
    base = [statistics.median(v) for v in zip(*seen["fping -i 0"])]
    print(f"{count:,} targets once, median of {rounds}")
    for name, values in seen.items():
        rate, cpu = (statistics.median(v) for v in zip(*values))
        print(f"  {name:<16} {rate:>9,.0f} targets/s ({rate / base[0]:.2f} x)  {cpu:5.1f} us CPU a probe ({cpu / base[1]:.2f} x)")


def many(weir, folder):
    count, times = 200_000, 5
    listed = f"{folder}/many"
    pathlib.Path(listed).write_text(loopback_targets(count))
    command = [weir, "ping", f"@{listed}", *FAST, "-r", "stat", "-o", "json"]
    command[command.index("1")] = str(times)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        start = time.monotonic()
        out = process.stdout.read()
        _, _, usage = os.wait4(process.pid, 0)
        elapsed = time.monotonic() - start
    stat = {r["name"]: r["value"] for r in map(json.loads, out.splitlines())}
    print(f"{count:,} targets x {times}: {stat['probes']:,} probes in {elapsed:.1f} s, {stat['probes'] - stat['replies']:,} without answer, "
          f"{stat['kernel_drops']:,} dropped by the kernel, {usage.ru_maxrss / 1024:.0f} MiB")


def captured_round_trips(path):
    """By target: from echo to reply, in a nanosecond pcap of Ethernet frames."""
    data = pathlib.Path(path).read_bytes()
    sent, trips, at = {}, {}, 24
    while at + 16 <= len(data):
        seconds, nanoseconds, size, _ = struct.unpack_from("<IIII", data, at)
        frame = data[at + 16:at + 16 + size]
        at += 16 + size
        if len(frame) < 42 or frame[23] != 1:
            continue
        when = seconds * 1_000_000_000 + nanoseconds
        if frame[34] == 8:
            sent.setdefault(frame[30:34], when)
        elif frame[34] == 0 and frame[26:30] in sent:
            trips.setdefault(".".join(map(str, frame[26:30])), when - sent[frame[26:30]])
    return trips


def errors_of(trips, truth):
    differences = sorted(abs(trips[t] - truth[t]) / 1000 for t in trips if t in truth)
    if not differences:
        return "nothing to compare"
    at = [differences[min(len(differences) - 1, int(len(differences) * p))] for p in (0.5, 0.9, 0.99)]
    return f"{len(differences):,} round trips; off by p50 {at[0]:.1f}, p90 {at[1]:.1f}, p99 {at[2]:.1f}, most {differences[-1]:.1f} us"


def truth(weir, folder):
    count, rate = 20_000, 10_000
    listed = f"{folder}/veth"
    pathlib.Path(listed).write_text("".join(f"10.9.{i >> 8}.{i & 255}\n" for i in range(256, 256 + count)))
    commands = {
        "fping": ["fping", "-q", "-C", "1", "-i", str(1000 / rate), "-f", listed],
        "weir": [weir, "ping", f"@{listed}", "-c", "1", "-i", "1ms", "--rate", str(rate), "-q", "-r", "ping", "-o", "json"],
    }
    print(f"{rate:,} targets a second while every CPU is busy")
    for name, command in commands.items():
        capture = f"{folder}/{name}.pcap"
        tcpdump = subprocess.Popen(["tcpdump", "-i", "here", "-w", capture, "-B", "65536", "--time-stamp-precision=nano", "-s", "64", "icmp"],
                                   stderr=subprocess.PIPE, text=True)
        while "listening" not in tcpdump.stderr.readline():
            pass
        burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        finally:
            for burner in burners:
                burner.kill()
            tcpdump.terminate()
            tcpdump.wait()
        if name == "weir":
            records = map(json.loads, done.stdout.splitlines())
            trips = {r["target"]: r["rtt"] * 1e9 for r in records if r["status"] == "reply"}
        else:
            lines = (line.split() for line in done.stderr.splitlines() if " : " in line)
            trips = {words[0]: float(words[2]) * 1e6 for words in lines if words[2] != "-"}
        print(f"  {name:<6} {errors_of(trips, captured_round_trips(capture))}")


SETUP = """
ip link set lo up
ip link add here type veth peer name there
ip addr add 10.10.0.1/24 dev here
ip link set there netns $PEER
ip link set here up
nsenter -t $PEER -n sh -ec "
  ip link set lo up; ip addr add 10.10.0.2/24 dev there; ip link set there up; ip route add local 10.9.0.0/16 dev lo"
ip route add 10.9.0.0/16 via 10.10.0.2
"""


def inside(weir, rounds):
    peer = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep 3600"], stdout=subprocess.PIPE)
    peer.stdout.readline()
    try:
        subprocess.run(["sh", "-ec", SETUP], check=True, env={**os.environ, "PEER": str(peer.pid)})
        with tempfile.TemporaryDirectory() as folder:
            targets(weir, folder, rounds)
            many(weir, folder)
            truth(weir, folder)
    finally:
        peer.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weir", nargs="?", default=str(ROOT / "build/release/weir"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    weir = str(pathlib.Path(arguments.weir).resolve())
    if arguments.inside:
        return inside(weir, arguments.rounds)
    return subprocess.run(["unshare", "-n", sys.executable, __file__, weir, "--rounds", str(arguments.rounds), "--inside"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
