#!/usr/bin/env python3
"""weir capture beside dumpcap and tcpdump, writing what passes a veth in network namespaces of their own.

    lossless    the highest rate at which nothing is lost, by bisection: 64-byte frames, and 64, 576 and 1514 bytes mixed
    cpu         CPU time of the capturing program for each packet at a rate that all of them take

The sender is bench/tools/frames.cpp; programs take turns, and each has the same room in the kernel. What is written goes to
--folder. Usage: capture.py [--rounds N] [--folder DIR] [PATH/TO/weir]
"""
import argparse
import functools
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUFFER = 32  # MiB
SECONDS = 2


def programs(weir, path):
    return {
        "dumpcap": (["dumpcap", "-q", "-i", "here", "-B", str(BUFFER), "-w", path], "File:"),
        "tcpdump": (["tcpdump", "-Z", "root", "-i", "here", "-B", str(BUFFER * 1024), "-w", path], "listening on"),
        "weir": ([weir, "capture", "here", "-B", f"{BUFFER}Mi", "-w", path], "capturing on"),
    }


def frames_in(path):
    told = subprocess.run(["capinfos", "-Mc", path], capture_output=True, text=True, check=False).stdout
    return int(re.search(r"Number of packets: *(\d+)", told)[1])


def cpu_of(process):
    """Nanoseconds that all its threads have run."""
    tasks = pathlib.Path(f"/proc/{process.pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


def once(command, ready, path, sender, size, rate):
    """Frames sent, frames in the file, CPU nanoseconds of the program from when it is ready."""
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    for line in process.stderr:
        if ready in line:
            break
    before = cpu_of(process)
    sent = subprocess.run([*sender, "there", str(rate), str(SECONDS), size], capture_output=True, text=True, check=True)
    time.sleep(1.5)  # what is in the ring when they are told to stop, tcpdump leaves there; libpcap waits for a second
    cpu = cpu_of(process) - before
    process.send_signal(signal.SIGINT)
    process.stderr.read()
    process.wait()
    return json.loads(sent.stdout)["packets"], frames_in(path), cpu


def highest(run, low, high):
    """By bisection to a thirtieth; a rate counts when two runs of it lose nothing."""
    while high / low > 1.03:
        rate = (low + high) / 2
        results = []
        for _ in range(2):
            sent, seen, _ = run(rate)
            results.append(sent <= seen and sent > 0.97 * rate * SECONDS)
            if not results[-1]:
                break
        low, high = (rate, high) if all(results) else (low, rate)
    return low


def compare(weir, folder, sender, rounds):
    path = f"{folder}/capture.pcapng"
    for size in ("64", "mixed"):
        rates, cpus = {}, {}
        for _ in range(rounds):
            for name, (command, ready) in programs(weir, path).items():
                run = functools.partial(once, command, ready, path, sender, size)
                rates.setdefault(name, []).append(highest(run, 20_000, 2_000_000))
        modest = min(min(v) for v in rates.values()) * 0.5
        for _ in range(rounds):
            for name, (command, ready) in programs(weir, path).items():
                sent, seen, cpu = once(command, ready, path, sender, size, modest)
                cpus.setdefault(name, []).append(cpu / max(seen, 1))
        print(f"{'64-byte' if size == '64' else 'mixed'} frames, median of {rounds}; CPU at {modest:,.0f} frames/s")
        base_rate, base_cpu = statistics.median(rates["dumpcap"]), statistics.median(cpus["dumpcap"])
        for name in rates:
            rate, cpu = statistics.median(rates[name]), statistics.median(cpus[name])
            print(f"  {name:<8} {rate:>10,.0f} frames/s without loss ({rate / base_rate:.2f} x)  {cpu:6.0f} ns CPU a frame ({cpu / base_cpu:.2f} x)", flush=True)


SETUP = """
ip link set lo up
ip link add here type veth peer name there netns $PEER
sysctl -qw net.ipv6.conf.here.disable_ipv6=1
ip link set here up
nsenter -t $PEER -n sh -ec "sysctl -qw net.ipv6.conf.there.disable_ipv6=1; ip link set there up"
"""


def inside(weir, arguments):
    peer = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep 36000"], stdout=subprocess.PIPE)
    peer.stdout.readline()
    sender = ["nsenter", "-t", str(peer.pid), "-n", str(pathlib.Path(weir).parent / "bench/weir_frames")]
    try:
        subprocess.run(["sh", "-ec", SETUP], check=True, env={**os.environ, "PEER": str(peer.pid)})
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            compare(weir, folder, sender, arguments.rounds)
    finally:
        peer.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weir", nargs="?", default=str(ROOT / "build/release/weir"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", default="/dev/shm")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    weir = str(pathlib.Path(arguments.weir).resolve())
    if arguments.inside:
        return inside(weir, arguments)
    words = [weir, "--rounds", str(arguments.rounds), "--folder", arguments.folder, "--inside"]
    return subprocess.run(["unshare", "-n", sys.executable, __file__, *words], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
