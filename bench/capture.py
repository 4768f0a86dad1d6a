#!/usr/bin/env python3
"""weir capture beside dumpcap and tcpdump, writing what passes a veth in network namespaces of their own; and beside
softflowd and nfpcapd, making flows of it: the highest rate at which nothing is lost, and CPU time of the program for each
frame at half of the least of these. 64-byte frames, and 64, 576 and 1514 bytes mixed. The rate is what the sender reaches
beside the program as fast as it can, when nothing was lost then; else it is found by bisection.

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
FLOWS = "10000"


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def number(pattern, text):
    found = re.search(pattern, text)
    return int(found[1]) if found else 0


class Program:
    """A program that captures: its command, what it says when it is ready, how it is stopped, and what it has seen."""

    def __init__(self, command, ready, seen, stop=None):
        self.command, self.ready, self.seen = command, ready, seen
        self.stop = stop or (lambda process: process.send_signal(signal.SIGINT))


def writers(weir, folder):
    path = f"{folder}/capture.pcapng"
    seen = lambda _: number(r"Number of packets: *(\d+)", output("capinfos", "-Mc", path))
    return {
        "dumpcap": Program(["dumpcap", "-q", "-i", "here", "-B", str(BUFFER), "-w", path], "File:", seen),
        "tcpdump": Program(["tcpdump", "-Z", "root", "-i", "here", "-B", str(BUFFER * 1024), "-w", path], "listening on", seen),
        "weir": Program([weir, "capture", "here", "-B", f"{BUFFER}Mi", "-w", path], "capturing on", seen),
    }


def meters(weir, folder):
    """Into flows that are kept; softflowd's are sent nowhere."""
    control = f"{folder}/control"

    def stop_softflowd(_):
        meters.softflowd = output("softflowctl", "-c", control, "statistics")
        output("softflowctl", "-c", control, "exit")

    # What it has not processed when it is asked waits in its ring; that is no loss.
    received = lambda _: number(r"received by libpcap: (\d+)", meters.softflowd) - number(r"dropped by libpcap: (\d+)", meters.softflowd)
    stored = lambda _: number(r"(\d+)", output(weir, "query", "SELECT sum(packets)::BIGINT AS n FROM flow", "--data", f"{folder}/lake", "-o", "csv"))
    return {
        "softflowd": Program(["softflowd", "-d", "-i", "here", "-c", control, "-p", f"{folder}/pid", "-m", "200000"], "starting data collection",
                             received, stop_softflowd),
        "nfpcapd": Program(["nfpcapd", "-i", "here", "-w", folder, "-b", str(BUFFER)], "Startup nfpcapd",
                           lambda told: number(r"Total: Processed: (\d+)", told)),
        "weir": Program([weir, "capture", "here", "-B", f"{BUFFER}Mi", "-r", "flow", "--data", f"{folder}/lake"], "capturing on", stored),
    }


def cpu_of(process):
    """Nanoseconds that all its threads have run."""
    tasks = pathlib.Path(f"/proc/{process.pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


def once(make, name, weir, sender, size, parent, rate):
    """Frames sent, frames seen, CPU nanoseconds of the program from when it is ready."""
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        program = make(weir, folder)[name]
        process = subprocess.Popen(program.command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        for line in process.stderr:
            if program.ready in line:
                break
        before = cpu_of(process)
        sent = subprocess.run([*sender, "there", str(rate), str(SECONDS), size, FLOWS], capture_output=True, text=True, check=True)
        time.sleep(1.5)  # what is in the ring when they are told to stop, tcpdump leaves there; libpcap waits for a second
        cpu = cpu_of(process) - before
        program.stop(process)
        told = process.stderr.read()
        process.wait()
        return json.loads(sent.stdout)["packets"], program.seen(told), cpu


def highest(run, low, high):
    """The highest rate at which nothing was lost, and whether the sender could do no more."""
    sent, seen, _ = run(0)
    if sent <= seen:
        return sent / SECONDS, True
    best, high = 0, min(high, sent / SECONDS)
    while high / low > 1.03:
        rate = (low + high) / 2
        lossless, reached = True, high
        for _ in range(2):
            sent, seen, _ = run(rate)
            lossless, reached = lossless and sent <= seen, min(reached, sent / SECONDS)
            if not lossless:
                break
        if lossless:
            best = max(best, reached)
        low, high = (rate, high) if lossless else (low, rate)
    return best, False


def compare(make, title, size, weir, sender, arguments):
    runs = {name: functools.partial(once, make, name, weir, sender, size, arguments.folder) for name in make(weir, arguments.folder)}
    rates, cpus, unlost = ({name: [] for name in runs} for _ in range(3))
    for _ in range(arguments.rounds):
        for name, run in runs.items():
            rate, lossless = highest(run, 20_000, 1_500_000)
            rates[name].append(rate)
            unlost[name].append(lossless)
    modest = min(min(v) for v in rates.values()) * 0.5
    for _ in range(arguments.rounds):
        for name, run in runs.items():
            _, seen, cpu = run(modest)
            cpus[name].append(cpu / max(seen, 1))
    rate, cpu = ({name: statistics.median(v) for name, v in values.items()} for values in (rates, cpus))
    first = next(iter(runs))
    print(f"{title}, {'64-byte' if size == '64' else 'mixed'} frames, median of {arguments.rounds}; CPU at {modest:,.0f} frames/s")
    for name in runs:
        print(f"  {name:<9} {rate[name]:>10,.0f} frames/s without loss ({rate[name] / rate[first]:.2f} x)  "
              f"{cpu[name]:6.0f} ns CPU a frame ({cpu[name] / cpu[first]:.2f} x); "
              f"{sum(unlost[name])} of {arguments.rounds} as fast as the sender could", flush=True)


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
        for size in ("64", "mixed"):
            compare(writers, "written", size, weir, sender, arguments)
            compare(meters, "flows", size, weir, sender, arguments)
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
