#!/usr/bin/env python3
"""weir scan against a network whose truth is known: nmap's word, losses, a policer, kills, no privilege, a lost link.

This process scans from a network namespace of its own; another one serves in a second namespace, joined by a veth pair,
and counts the SYNs that reach it. 77: this kernel gives no namespaces. Usage: scan.py PATH/TO/weir
"""
import collections
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

OPEN = [22, 80, 443, 1000]
HOSTS = "10.88.0.0/25"
CANARY_MARKS = 14 * 64  # source ports of probes come before those of canaries


def sh(command, check=True):
    return subprocess.run(["sh", "-ec", command], check=check, capture_output=True, text=True)


def serve():
    print("started", flush=True)
    sys.stdin.readline()
    sh("""ip link set lo up; ip addr add 10.77.0.2/24 dev there; ip addr add fd77::2/64 dev there nodad
          ip link set there up; ip route add local 10.88.0.0/16 dev lo""")
    listeners = []
    for port in OPEN:
        s = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=4096)
        listeners.append(s)
    udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    udp.bind(("::", 53))
    syns = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    syns.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
    counts = collections.Counter()
    print("ready", flush=True)
    while True:
        ready, _, _ = select.select([*listeners, udp, syns, sys.stdin], [], [])
        for s in ready:
            if s is syns:
                for _ in range(1000):
                    try:
                        packet, where = syns.recvfrom(64, socket.MSG_DONTWAIT)
                    except BlockingIOError:
                        break
                    if packet[9] == 6 and packet[33] == 2 and where[2] != socket.PACKET_OUTGOING:
                        counts[packet[16:24]] += 1  # destination and both ports
            elif s is udp:
                data, peer = udp.recvfrom(2048)
                udp.sendto(data[:2] + b"answer", peer)
            elif s is sys.stdin:
                line = sys.stdin.readline()
                if not line:
                    return
                print(json.dumps([[k.hex(), v] for k, v in counts.items()]), flush=True)
                counts.clear()
            else:
                try:
                    s.accept()[0].close()
                except OSError:
                    pass


class Network:
    def __init__(self):
        self.server = subprocess.Popen(["unshare", "-n", sys.executable, __file__, "--serve"], text=True,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.server.stdout.readline() != "started\n":
            print("SKIPPED: no second network namespace", file=sys.stderr)
            sys.exit(77)
        sh(f"""ip link set lo up; ip link add here type veth peer name there
               ip link set there netns {self.server.pid}
               ip addr add 10.77.0.1/24 dev here; ip addr add fd77::1/64 dev here nodad; ip link set here up""")
        self.server.stdin.write("go\n")
        self.server.stdin.flush()
        assert self.server.stdout.readline() == "ready\n"
        sh("ip route add 10.88.0.0/16 via 10.77.0.2")

    def rules(self, ingress="", output=""):
        text = "flush ruleset\n"
        if ingress:
            text += f"table netdev t {{\n chain i {{\n type filter hook ingress device there priority 0\n{ingress}\n}}\n}}\n"
        if output:
            text += f"table inet u {{\n chain o {{\n type filter hook output priority 0\n{output}\n}}\n}}\n"
        subprocess.run(["nsenter", "-t", str(self.server.pid), "-n", "nft", "-f", "-"], input=text, text=True, check=True)

    def counts(self):
        self.server.stdin.write("counts\n")
        self.server.stdin.flush()
        return {bytes.fromhex(k): v for k, v in json.loads(self.server.stdout.readline())}


class Checks:
    def __init__(self):
        self.failed = 0

    def that(self, what, truth, detail=""):
        if not truth:
            self.failed += 1
        print(("ok      " if truth else "FAILED  ") + what + (f": {detail}" if detail and not truth else ""), flush=True)


def scan(weir, *words, prefix=()):
    done = subprocess.run([*prefix, weir, "scan", *words, "-o", "json"], capture_output=True, text=True, timeout=200)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    ports = {(r["ip"], r["proto"], r["port"]): r for r in records if r["type"] == "port"}
    hosts = {r["ip"]: r for r in records if r["type"] == "host"}
    last = [r for r in records if r["type"] == "scan"]
    return ports, hosts, last[-1] if last else None, done


def states(ports):
    return {key: r["state"] for key, r in ports.items()}


def against_nmap(weir, net, check):
    net.rules(ingress="tcp dport 81 drop", output="tcp sport 82 drop")
    for address in ("10.77.0.2", "fd77::2", "10.88.0.9"):
        six = ["-6"] if ":" in address else []
        words = ["nmap", *six, "-n", "-Pn", "-sS", "-T4", "-p", "1-1100", "-dd", "--open", "-oX", "-", address]
        truth = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        expected = {int(p) for p in re.findall(r'portid="(\d+)"><state state="open"', truth)}
        ports, _, summary, done = scan(weir, address, "-p", "1-1100", "--states", "all", "--max-retries", "2")
        found = {key[2] for key, state in states(ports).items() if state == "open"}
        check.that(f"{address}: nmap's open ports", found == expected == set(OPEN), f"{found} {expected} {done.stderr}")
        silent = {key[2] for key, state in states(ports).items() if state == "filtered"}
        check.that(f"{address}: what is dropped is filtered", silent == {81, 82}, f"{silent}")
        check.that(f"{address}: each port is told once", len(ports) == 1100 and summary["closed"] == 1094, str(summary))
    net.rules()


def systems(weir, check):
    """This kernel's own SYN-ACKs."""
    version = tuple(int(n) for n in re.match(r"(\d+)\.(\d+)", os.uname().release).groups())
    ports, _, _, _ = scan(weir, "10.77.0.2", "fd77::2", "10.88.0.9", "127.0.0.1", "-p", "22,23", "--states", "all")
    guesses = {(key[0], r.get("os"), r.get("os_confidence")) for key, r in ports.items() if r["state"] == "open"}
    expected = {(a, "Linux 4.20 or later" if version >= (4, 20) else "Linux 3.0 to 4.19", 85 if version >= (4, 20) else 75)
                for a in ("10.77.0.2", "fd77::2", "10.88.0.9")}
    check.that("the system by its SYN-ACK", guesses == expected, f"{guesses} of {os.uname().release}")
    check.that("nothing of it by a RST", all("os" not in r for r in ports.values() if r["state"] == "closed"))


def other_kinds(weir, check):
    ports, _, _, _ = scan(weir, "-sU", "10.77.0.2", "-p", "52-54", "--states", "all")
    check.that("UDP", states(ports) == {("10.77.0.2", "udp", 52): "closed", ("10.77.0.2", "udp", 53): "open",
                                        ("10.77.0.2", "udp", 54): "closed"}, str(states(ports)))
    ports, _, summary, done = scan(weir, "-sU", "10.77.0.2", "-p", "45-59", "--states", "all")
    told = collections.Counter(states(ports).values())
    check.that("UDP: a host that sends one error a second", told == {"closed": 14, "open": 1}, f"{told} {done.stderr}")
    check.that("and it is said", summary["rationed_hosts"] == 1 and summary["closed_unseen"] == 0, str(summary))
    ports, _, _, _ = scan(weir, "-sA", "10.77.0.2", "-p", "22,23")
    check.that("ACK", set(states(ports).values()) == {"unfiltered"} and len(ports) == 2, str(states(ports)))
    _, hosts, summary, _ = scan(weir, "-sn", "10.77.0.0/28", "10.88.0.0/28")
    expected = {"10.77.0.1", "10.77.0.2", *(f"10.88.0.{i}" for i in range(16))}
    check.that("hosts", set(hosts) == expected, str(sorted(hosts)))
    check.that("hosts on the link have MAC addresses", "mac" in hosts.get("10.77.0.2", {}))
    check.that("hosts: a bound from canaries", summary["missed"] is not None and summary["missed"] < 0.05, str(summary))
    ports, _, summary, _ = scan(weir, "127.0.0.1", "-p", "1-50", "--states", "all")
    check.that("this machine", len(ports) == 50 and summary["closed"] == 50, str(summary))
    plain = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--bounding-set=-all")
    ports, _, summary, done = scan(weir, "10.77.0.2", "-p", "1-1100", prefix=plain)
    check.that("without privilege", {k[2] for k in ports} == set(OPEN) and summary["method"] == "connect", done.stderr)
    check.that("and it is said", "scanning by connections" in done.stderr and "setcap" in done.stderr, done.stderr)


def through_losses(weir, net, check):
    for loss in (5, 20):
        net.rules(ingress=f"numgen random mod 100 < {loss} drop", output=f"numgen random mod 100 < {loss} drop")
        held = 0
        for seed in range(3):
            _, _, summary, done = scan(weir, HOSTS, "-p", "1-100", "--rate", "20k", "--spacing", "300ms",
                                       "--seed", str(seed))
            there = 128 * sum(1 for port in OPEN if port <= 100)
            held += (there - summary["open"]) / there <= summary["missed"]
            both = 1 - (1 - loss / 100) ** 2
            check.that(f"{loss} % loss, seed {seed}: it is measured", abs(summary["loss"] - both) < 0.06,
                       f"{summary['loss']} {done.stderr}")
        check.that(f"{loss} % loss: the bound holds", held >= 2, f"{held} of 3")
    net.rules(ingress="limit rate over 1000/second burst 50 packets drop")
    _, _, summary, _ = scan(weir, "10.77.0.2", "-p", "1-4000")
    check.that("a policer is noticed", summary["rate_limited"], str(summary))
    hidden = 4000 - summary["open"] - summary["closed"]
    check.that("what a policer hides is told", hidden / 4000 <= summary["missed"], str(summary))
    for speed in ("-T3", "-T4"):
        _, _, summary, _ = scan(weir, "10.88.0.0/26", "10.88.1.0/24", "-p", "22,81", speed, "--exclude", "10.88.1.0/25")
        check.that(f"{speed}: a policer hides no hosts", 1 - summary["hosts_up"] / 192 <= summary["missed"] < 0.05, str(summary))
    net.rules()


def killed(weir, net, check):
    folder = tempfile.TemporaryDirectory()
    journal = os.path.join(folder.name, "journal")
    words = [weir, "scan", HOSTS, "-p", "1-100", "-Pn", "--max-retries", "0", "--rate", "10k", "-q"]
    net.counts()
    first = subprocess.Popen([*words, "--journal", journal], stdout=subprocess.DEVNULL)
    while not (os.path.exists(journal) and os.path.getsize(journal) > 4096) and first.poll() is None:
        time.sleep(0.01)
    for _ in range(3):
        time.sleep(0.3)  # somewhere within the 1.3 s that it takes; where does not matter
        first.send_signal(signal.SIGKILL)
        first.wait()
        first = subprocess.Popen([weir, "scan", "--resume", journal, "-q"], stdout=subprocess.DEVNULL)
    check.that("a killed scan comes to its end", first.wait() == 0)
    with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
        first_port = int(f.read().split()[1]) + 1
    visits = collections.Counter()
    for key, count in net.counts().items():
        if int.from_bytes(key[4:6], "big") < first_port + CANARY_MARKS:
            visits[key[:4] + key[6:8]] += count
    again = sum(1 for v in visits.values() if v != 1)
    check.that("each cell was visited exactly once", len(visits) == 12_800 and again == 0, f"{len(visits)}, {again} again")
    ports, _, summary, _ = scan(weir, "--resume", journal)
    check.that("what was found before is told again", len(ports) == summary["open"] > 0, str(summary))


def interrupted(weir, check):
    """What was not asked when Ctrl-C came is not without answer: lo answers everything."""
    words = [weir, "scan", "127.0.0.1", "-p", "1-65535", "--rate", "5k", "-r", "port,scan", "--states", "open,closed", "-o", "json"]
    run = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    run.stdout.readline()  # it is under way
    run.send_signal(signal.SIGINT)
    # Answers that were on their way may come behind the summary.
    records = map(json.loads, run.communicate(timeout=60)[0].splitlines())
    summary = next(record for record in records if record["type"] == "scan")
    answered = summary["open"] + summary["closed"]
    check.that("an interrupted scan counts what it asked", not summary["complete"] and summary["cells"] == 65535 and
               answered + summary["unanswered"] <= summary["sent"] < 60000, str(summary))


def orderly_ends(weir, check):
    """Answers that come when the scan is just over are nobody's: it ends all the same."""
    codes = collections.Counter()
    for seed in range(40):
        *_, done = scan(weir, "10.77.0.2", "-p", "1-2000", "--rate", "1M", "--max-retries", "0", "--spacing", "1ms", "--seed", str(seed), "-q")
        codes[done.returncode] += 1
    check.that("it ends while answers come", codes == {0: 40}, codes)


def fastest_way(weir, check):
    """As fast as it goes: by AF_XDP, and where its memory may not be had, without."""
    less = ["prlimit", "--memlock=0", "setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock"]
    for prefix, way in (([], "by AF_XDP"), (less, "without it")):
        ports, _, last, done = scan(weir, "10.77.0.2", "-p", "1-20000", "--rate", "1M", prefix=prefix)
        found = sorted(port for (_, _, port), r in ports.items() if r["state"] == "open")
        check.that(f"as fast as it goes, {way}", found == OPEN and last["closed"] == 20000 - len(OPEN), done.stderr)


def mistakes(weir, check):
    for words, line in (
            (["10.77.0.2", "--rate", "0"], "--rate: 0 is outside 1-100,000,000 probes a second"),
            (["10.77.0.2", "-p", "70000"], "-p: port 70000 is outside 0-65535"),
            (["2001:db8::/28"], "2001:db8::/28: 2^100 addresses are more than can be probed"),
            (["10.0.0.0/15"], "131,072 addresses are more than a /16 (--dry-run shows what would be done, --yes does it)"),
            (["no-such-host.invalid"], "no target is left")):
        done = subprocess.run([weir, "scan", *words], capture_output=True, text=True)
        check.that(f"{' '.join(words)}", done.returncode == 2 and line in done.stderr, done.stderr)
    done = subprocess.run([weir, "scan", "203.0.113.0/30", "-p", "1"], capture_output=True, text=True)
    check.that("a network without a route", done.returncode == 3 and "Network is unreachable" in done.stderr
               and "no target can be reached" in done.stderr, done.stderr)
    running = subprocess.Popen([weir, "scan", "10.77.0.2", "-p-", "--rate", "5k"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    time.sleep(0.7)
    sh("ip link set here down")
    error = running.communicate(timeout=100)[1]
    check.that("an interface that goes away", running.returncode == 3 and "here: is gone or down" in error, error)


def main():
    if sys.argv[1] == "--serve":
        return serve()
    if len(sys.argv) < 3:
        if subprocess.run(["unshare", "-n", "true"], check=False).returncode != 0:
            print("SKIPPED: this kernel gives no network namespace", file=sys.stderr)
            return 77
        os.execvp("unshare", ["unshare", "-n", sys.executable, __file__, sys.argv[1], "inside"])
    weir = sys.argv[1]
    check = Checks()
    net = Network()
    try:
        against_nmap(weir, net, check)
        systems(weir, check)
        other_kinds(weir, check)
        through_losses(weir, net, check)
        killed(weir, net, check)
        interrupted(weir, check)
        orderly_ends(weir, check)
        fastest_way(weir, check)
        mistakes(weir, check)
    finally:
        net.server.stdin.close()
        net.server.wait()
    print(f"scan: {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
