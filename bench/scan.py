#!/usr/bin/env python3
"""weir scan beside masscan, zmap and nmap, in three network namespaces of its own joined by veth pairs.

    rate      SYNs a second and CPU a probe, to a network that drops them all; rounds alternate
    host      all 65,535 TCP ports of one host that answers each: seconds, ports found; rounds alternate
    lossy     a network of which some addresses are alive, 100 ports each, through losses of 0, 1, 5 and 20 % each way and a
              policer of 2,000 packets/s: seconds, and the share of open ports missed
    bound     with --seeds N: N scans by weir through each of these; in how many the stated bound held

nftables in the middle namespace drops by a random number or by a rate: this stands in for netem.
Usage: scan.py [--rounds N] [--seeds N] [--prefix BITS] [--parts rate,host,lossy] [--through NAME] [PATH/TO/weir]
The lossy network is a /20 unless --prefix 16 asks for a /16 with 1,024 live hosts; one in 64 is alive in each.
"""
import argparse
import json
import os
import pathlib
import re
import resource
import select
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
OPEN = [22, 25, 53, 80]  # of every live host
PORTS = "1-100"
SILENT = "10.64.0.0/12"  # a million addresses that never answer
HOST = "10.10.0.2"
LOSSES = {"no loss": "", **{f"{n} % loss each way": f"numgen random mod 100 < {n} drop" for n in (1, 5, 20)},
          "policer, 2,000 packets/s": 'iifname "there" limit rate over 2000/second burst 100 packets drop'}

SETUP = """
ip link set lo up
ip link add here type veth peer name there
ip addr add 10.10.0.1/24 dev here
ip link set there netns $MIDDLE
ip link set here up
nsenter -t $MIDDLE -n sh -ec "
  ip link set lo up; ip addr add 10.10.0.2/24 dev there; ip link set there up; echo 1 > /proc/sys/net/ipv4/ip_forward
  ip link add out type veth peer name far; ip link set far netns $FAR; ip addr add 10.11.0.1/24 dev out; ip link set out up
  ip route add 10.9.0.0/16 via 10.11.0.2"
nsenter -t $FAR -n sh -ec "
  ip link set lo up; ip addr add 10.11.0.2/24 dev far; ip link set far up; ip route add default via 10.11.0.1
  ip route add local 10.9.0.0/16 dev lo; echo 65536 > /proc/sys/net/ipv4/tcp_max_syn_backlog; echo 65536 > /proc/sys/net/core/somaxconn"
ip route add 10.9.0.0/16 via 10.10.0.2
ip route add 10.64.0.0/12 via 10.10.0.2
"""


def listen():
    """In a namespace of its own: nothing is accepted, the kernel answers SYNs."""
    print("started", flush=True)
    sys.stdin.readline()
    sockets = [socket.create_server(("", port), backlog=65535) for port in OPEN]
    print("ready", flush=True)
    # masscan waits for a packet to look at its clock: without this trickle it does not end.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trickle:
        while not select.select([sys.stdin], [], [], 0.05)[0]:
            try:
                trickle.sendto(b"", ("10.10.0.1", 9))
            except OSError:
                pass
    return len(sockets) - len(OPEN)


class Network:
    def __init__(self):
        def start():
            process = subprocess.Popen(["unshare", "-n", sys.executable, __file__, "--listen"], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            process.stdout.readline()
            return process
        self.middle, self.far = start(), start()
        subprocess.run(["sh", "-ec", SETUP], check=True, env={**os.environ, "MIDDLE": str(self.middle.pid), "FAR": str(self.far.pid)})
        for process in (self.middle, self.far):
            process.stdin.write("go\n")
            process.stdin.flush()
            process.stdout.readline()
        self.rules("", "10.9.0.0/32")
        show = subprocess.run(["nsenter", "-t", str(self.middle.pid), "-n", "ip", "-br", "link", "show", "there"], capture_output=True, text=True, check=True)
        self.router = show.stdout.split()[2]
        show = subprocess.run(["ip", "-br", "link", "show", "here"], capture_output=True, text=True, check=True)
        self.own = show.stdout.split()[2]

    def rules(self, loss, live):
        text = f"""flush ruleset
table netdev t {{
 chain i {{
  type filter hook ingress device there priority 0
  ip daddr {SILENT} drop
 }}
}}
table ip f {{
 chain f {{
  type filter hook forward priority 0
  {loss}
  ip daddr 10.9.0.0/16 ip daddr != {live} drop
 }}
}}
"""
        subprocess.run(["nsenter", "-t", str(self.middle.pid), "-n", "nft", "-f", "-"], input=text, text=True, check=True)

    def stop(self):
        for process in (self.middle, self.far):
            process.stdin.close()
            process.wait()


def frames_sent():
    for line in pathlib.Path("/proc/self/net/dev").read_text().splitlines():
        if line.strip().startswith("here:"):
            return int(line.split(":")[1].split()[9])
    return 0


class Sending:
    """When frames left, seen a hundred times a second."""
    def __init__(self):
        self.seen, self.over = [], threading.Event()
        self.thread = threading.Thread(target=self.look)
        self.thread.start()

    def look(self):
        while not self.over.wait(0.01):
            self.seen.append((time.monotonic(), frames_sent()))

    def stop(self):
        """Frames, and frames a second from the first to the last."""
        self.over.set()
        self.thread.join()
        first, last = self.seen[0][1], self.seen[-1][1]
        start = max(t for t, n in self.seen if n < first + 200)
        end = min(t for t, n in self.seen if n > last - 200)
        return last - first, (last - first) / max(end - start, 0.01)


def run(command, limit):
    """Seconds it took, CPU seconds, output. Ended by a SIGINT after `limit` seconds."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(["timeout", "-s", "INT", "-k", "5", str(limit), *command], check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    elapsed, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return elapsed, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, done


def masscan(net, *words):
    return ["masscan", *words, "--adapter", "here", "--adapter-ip", "10.10.0.1", "--adapter-mac", net.own, "--router-mac", net.router]


def rate(weir, net, folder, rounds):
    empty = f"{folder}/empty"
    pathlib.Path(empty).touch()
    commands = {
        "masscan": masscan(net, SILENT, "-p80", "--rate", "100000000", "--wait", "0"),
        "zmap": ["zmap", "-i", "here", "-G", net.router, "-S", "10.10.0.1", "-p", "80", "-r", "100000000", "-c", "0", "-b", empty, "-o", "/dev/null", SILENT],
        "weir": [weir, "scan", SILENT, "--yes", "-Pn", "-p", "80", "--rate", "100M", "--max-retries", "0", "--spacing", "100ms", "-q", "-o", "json"],
    }
    seen = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            sending = Sending()
            _, cpu, done = run(command, 60)
            frames, speed = sending.stop()
            if frames < 1_000_000:
                sys.exit(f"{name} sent {frames}: {done.stderr}")
            seen[name].append((speed, cpu / frames * 1e6))
    base = [statistics.median(v) for v in zip(*seen["masscan"])]
    print(f"SYNs to a million silent addresses, median of {rounds}; load {os.getloadavg()[0]:.1f}")
    for name, values in seen.items():
        speed, cpu = (statistics.median(v) for v in zip(*values))
        print(f"  {name:<8} {speed / 1e6:6.2f} M/s ({speed / base[0]:.2f} x)  {cpu:5.2f} us CPU a probe ({cpu / base[1]:.2f} x)", flush=True)


def opened(name, done):
    """(address, port) of what a program found open."""
    if name.startswith("weir"):
        records = [json.loads(line) for line in done.stdout.splitlines()]
        return {(r["ip"], r["port"]) for r in records if r["type"] == "port" and r["state"] == "open"}
    if name == "masscan":
        return {(words[3], int(words[2])) for words in map(str.split, done.stdout.splitlines()) if words[:1] == ["open"]}
    found = set()
    for line in done.stdout.splitlines():
        if match := re.match(r"Host: (\S+) .*Ports: (.*)", line):
            found |= {(match[1], int(port)) for port in re.findall(r"(\d+)/open/", match[2])}
    return found


def host(weir, net, rounds):
    commands = {
        "nmap -T4": ["nmap", "-n", "-Pn", "-sS", "-T4", "-p-", "-oG", "-", HOST],
        "nmap -T5": ["nmap", "-n", "-Pn", "-sS", "-T5", "-p-", "-oG", "-", HOST],
        "masscan": masscan(net, HOST, "-p0-65535", "--rate", "250000", "--wait", "1", "-oL", "-"),
        "weir -T5": [weir, "scan", HOST, "-p-", "-T5", "-o", "json"],
        "weir -T4": [weir, "scan", HOST, "-p-", "-T4", "-o", "json"],
    }
    seen = {name: [] for name in commands}
    expected = {(HOST, port) for port in OPEN}
    for _ in range(rounds):
        for name, command in commands.items():
            elapsed, cpu, done = run(command, 60)
            seen[name].append((elapsed, cpu, len(expected - opened(name, done))))
    base = statistics.median(v[0] for v in seen["nmap -T4"])
    print(f"65,535 ports of one host, median of {rounds}; load {os.getloadavg()[0]:.1f}")
    for name, values in seen.items():
        elapsed, cpu, _ = (statistics.median(v) for v in zip(*values))
        print(f"  {name:<9} {elapsed:6.2f} s ({base / elapsed:.2f} x as fast)  {cpu:5.2f} s CPU  {sum(v[2] for v in values)} of {rounds * len(OPEN)} open ports missed", flush=True)


def summary_of(done):
    return json.loads(next(line for line in reversed(done.stdout.splitlines()) if '"type":"scan"' in line))


def lossy(weir, net, losses, prefix, limit):
    live = f"10.9.0.0/{prefix + 6}"
    network = f"10.9.0.0/{prefix}"
    expected = {(f"10.9.{i >> 8}.{i & 255}", port) for i in range(1 << (26 - prefix)) for port in OPEN}
    commands = {
        "nmap -T4": ["nmap", "-n", "-sS", "-T4", "-p", PORTS, "-oG", "-", network],
        "masscan": masscan(net, network, f"-p{PORTS}", "--rate", "10000", "--wait", "2", "-oL", "-"),
        "weir": [weir, "scan", network, "-p", PORTS, "-o", "json"],
        "weir -T4": [weir, "scan", network, "-p", PORTS, "-T4", "-o", "json"],
    }
    print(f"{network}, of which {1 << (26 - prefix):,} alive, ports {PORTS}; load {os.getloadavg()[0]:.1f}")
    for title, loss in losses.items():
        net.rules(loss, live)
        base = None
        for name, command in commands.items():
            elapsed, cpu, done = run(command, limit)
            base = base or elapsed
            gone = len(expected - opened(name, done)) / len(expected)
            late = ", not ended" if elapsed >= limit else ""
            bound = ""
            if name.startswith("weir") and not late:
                summary = summary_of(done)
                bound = f"; it says missed <= {100 * summary['missed'] if summary['missed'] is not None else -1:.2f} %, loss {100 * (summary['loss'] or 0):.1f} %"
            print(f"  {title:<26} {name:<9} {elapsed:7.1f} s ({elapsed / base:.2f} x nmap's){late}  {cpu:6.2f} s CPU  missed {100 * gone:6.2f} %{bound}", flush=True)


def bound(weir, net, losses, seeds, options):
    """As in the third part, with 32 live hosts of 256, all by weir."""
    live, network = "10.9.0.0/27", "10.9.0.0/24"
    expected = {(f"10.9.0.{i}", port) for i in range(32) for port in OPEN}
    print(f"{network}, of which 32 alive, ports {PORTS}, {seeds} seeds {' '.join(options)}; load {os.getloadavg()[0]:.1f}")
    for title, loss in losses.items():
        net.rules(loss, live)
        rows = []
        for seed in range(seeds):
            elapsed, _, done = run([weir, "scan", network, "-p", PORTS, "--seed", str(seed), "-o", "json", *options], 120)
            summary = summary_of(done)
            gone = len(expected - opened("weir", done)) / len(expected)
            rows.append((elapsed, gone, 1 if summary["missed"] is None else summary["missed"], summary["loss"] or 0))
        held = sum(gone <= most for _, gone, most, _ in rows)
        elapsed, gone, most, loss_seen = zip(*rows)
        print(f"  {title:<26} held in {held} of {seeds}; missed {100 * statistics.mean(gone):.3f} % (most {100 * max(gone):.2f} %), "
              f"stated {100 * statistics.median(most):.2f} % (most {100 * max(most):.2f} %), loss {100 * statistics.median(loss_seen):.1f} %, "
              f"{statistics.median(elapsed):.1f} s", flush=True)


def inside(arguments, weir):
    net = Network()
    try:
        with tempfile.TemporaryDirectory() as folder:
            parts = arguments.parts.split(",")
            losses = {title: rule for title, rule in LOSSES.items() if arguments.through in title}
            if "rate" in parts:
                rate(weir, net, folder, arguments.rounds)
            if "host" in parts:
                host(weir, net, arguments.rounds)
            if "lossy" in parts:
                lossy(weir, net, losses, arguments.prefix, arguments.limit)
            if arguments.seeds:
                bound(weir, net, losses, arguments.seeds, [])
                bound(weir, net, losses, arguments.seeds, ["--max-retries", "1"])  # so that something is missed
    finally:
        net.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weir", nargs="?", default=str(ROOT / "build/release/weir"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--parts", default="rate,host,lossy")
    parser.add_argument("--prefix", type=int, default=20, choices=range(16, 25))
    parser.add_argument("--limit", type=int, default=300, help="seconds for each scan of the lossy network")
    parser.add_argument("--through", default="", help="only the networks with this in their name: policer, 5 %%")
    parser.add_argument("--seeds", type=int, default=0)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--listen", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.listen:
        return listen()
    if arguments.inside:
        return inside(arguments, arguments.weir)
    missing = [name for name in ("masscan", "zmap", "nmap", "nft") if shutil.which(name) is None]
    if missing:
        sys.exit(f"{', '.join(missing)}: not here (./dev deps)")
    weir = str(pathlib.Path(arguments.weir).resolve())
    words = [word for word in sys.argv[1:] if word != arguments.weir]
    return subprocess.run(["unshare", "-n", sys.executable, __file__, weir, *words, "--inside"], check=False).returncode


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
