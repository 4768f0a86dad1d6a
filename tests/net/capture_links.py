#!/usr/bin/env python3
"""weir capture where interfaces come, go, are renamed and made of each other; what is no interface; and what it counts.

As capture.py, in namespaces of its own. 77: this kernel gives none. Usage: capture_links.py PATH/TO/weir
"""
import collections
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from capture import LIMIT, Capture, Checks, Network, enter, frame, run, sh


def passable(port, destination=b"\x02\0\0\0\0\1"):
    """A frame to there that a bridge with netfilter lets pass: its IP checksum is right."""
    one = bytearray(destination + frame(1, port=port)[6:])
    total = sum(struct.unpack("!10H", one[14:34]))
    one[24:26] = struct.pack("!H", ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF)
    return bytes(one)


def comes_back(weir, net, check, rings):
    what = f"with {rings} ring(s)"
    capture = Capture(weir, "here", "--rings", str(rings), "-r", "packet,stat", "-o", "json", "udp")
    number = 0

    def arrives(times=20):
        """Of several flows, so that all rings have some."""
        nonlocal number
        first = number
        for number in range(first + 1, first + 1 + times):
            net.send([frame(number)])
        for one in range(first + 1, number + 1):
            capture.wait_for(f'"10.1.0.{one}"', capture.out)

    arrives()
    for turn in (1, 2, 3):
        net.disconnect()
        wait_for_nth(capture, "here is gone", turn)
        net.connect()
        wait_for_nth(capture, "here is back", turn)
        arrives()
    sh("ip link set here down; ip link set here name there2; ip link set there2 up")
    capture.wait_for("here is called there2 now")
    arrives()
    net.socket.close()
    sh("ip link del there2")
    capture.wait_for("there2 is gone")
    net.connect()
    wait_for_nth(capture, "here is back", 4)
    arrives()
    sh("ip link set here down; ip link set here name other; ip link set other up")
    capture.wait_for("here is called other now")
    net.socket.close()
    sh("ip link del other")
    capture.wait_for("other is gone")
    net.connect("other")
    capture.wait_for("other is back")
    arrives()
    net.socket.close()
    sh("ip link del other")
    net.connect()
    wait_for_nth(capture, "here is back", 5)
    arrives()
    code, records, err = capture.end()
    packets = [r for r in records if r["type"] == "packet"]
    sums = {r["name"]: r["value"] for r in records if r["type"] == "stat" and "interface_name" not in r}
    check.that(f"{what}: gone and back, renamed and made anew", code == 0 and len(packets) == number, f"{len(packets)} of {number} {err}")
    check.that(f"{what}: and all is counted", sums["packets"] == sums["kernel_received"] == number and sums["kernel_drops"] == 0, str(sums))


def wait_for_nth(capture, line, count, file=None):
    end = time.monotonic() + LIMIT
    while capture.text(file or capture.err).count(line) < count:
        if time.monotonic() > end or capture.process.poll() is not None:
            raise AssertionError(f"{line!r} did not come: {capture.text(capture.err)}")
        os.sched_yield()


class Bridge:
    """br0 in this namespace, with two ports whose other ends are in the peer's."""

    def __init__(self, net):
        self.net = net
        sh(f"""ip link add br0 type bridge; ip link set br0 address 02:00:00:00:00:bb; ip addr add 10.9.0.254/24 dev br0; ip link set br0 up
               for n in 1 2; do
                 ip link add p$n type veth peer name t$n netns {net.peer.pid}; ip link set p$n master br0
                 sysctl -qw net.ipv6.conf.p$n.disable_ipv6=1 net.ipv6.conf.br0.disable_ipv6=1; ip link set p$n up
                 nsenter -t {net.peer.pid} -n sh -ec "sysctl -qw net.ipv6.conf.t$n.disable_ipv6=1; ip link set t$n up"
               done
               ip neigh add 10.9.0.1 lladdr 02:00:00:00:00:aa dev br0
               ip link add v1 type veth peer name v2; sysctl -qw net.ipv6.conf.v1.disable_ipv6=1 net.ipv6.conf.v2.disable_ipv6=1
               ip link set v2 master br0; ip link set v1 up; ip link set v2 up""")
        self.pair = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.pair.bind(("v1", 0))
        own, other = os.open("/proc/self/ns/net", os.O_RDONLY), os.open(f"/proc/{net.peer.pid}/ns/net", os.O_RDONLY)
        enter(other)
        self.port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.port.bind(("t1", 0))
        enter(own)
        os.close(own)
        os.close(other)

    def talk(self):
        broadcast, itself, lldp = b"\xff" * 6, b"\x02\0\0\0\0\xbb", b"\x01\x80\xc2\0\0\x0e"
        for number, destination in enumerate((b"\x02\0\0\0\0\1", broadcast, itself, lldp)):
            self.port.send(passable(1001 + number, destination))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"out", ("10.9.0.1", 1005))
        self.net.send([frame(1, port=1006)])
        self.pair.send(passable(1007))


def bridged(weir, net, check, folder):
    bridge = Bridge(net)
    ports = range(1001, 1008)
    capture = Capture(weir, "any", "udp", "-r", "packet,flow,stat", "-o", "json", "-w", f"{folder}/any.pcapng", "--udp-idle", "1h")
    bridge.talk()
    code, records, err = capture.end()
    packets = collections.Counter(r["dst_port"] for r in records if r["type"] == "packet")
    flows = {r["dst_port"]: r["packets"] for r in records if r["type"] == "flow"}
    counts = {r["name"]: r["value"] for r in records if r["type"] == "stat" and "interface_name" not in r}
    check.that("any: forwarded, flooded, received, sent by the bridge, through a pair: each packet once", code == 0 and packets == {p: 1 for p in ports}, str(packets))
    check.that("any: and in flows", flows == {p: 1 for p in ports}, str(flows))
    check.that("any: what was left out is told", counts["copies"] > 0 and counts["kernel_received"] == counts["packets"] + counts["copies"] and
               f"{counts['copies']} copies left out" in err, f"{counts} {err}")
    by_interface = {r["interface_name"]: r["value"] for r in records if r["type"] == "stat" and r["name"] == "packets" and "interface_name" in r}
    check.that("any: packets by interface", by_interface == {"p1": 4, "br0": 1, "here": 1, "v1": 1}, str(by_interface))
    capture = Capture(weir, "any", "udp", "--all-copies", "-r", "packet", "-o", "json")
    bridge.talk()
    _, records, _ = capture.end()
    every = collections.Counter(r["dst_port"] for r in records)
    check.that("--all-copies", all(every[p] >= 2 for p in (1001, 1002, 1003, 1005, 1007)) and every[1004] == every[1006] == 1, str(every))
    capture = Capture(weir, "any", "udp", "-r", "packet", "-o", "json")
    sh("ip link set p1 nomaster; ip link set p2 nomaster; ip link del v1")
    sh("ip link set br0 down; ip addr add 10.9.0.254/24 dev p2; ip neigh add 10.9.0.1 lladdr 02:00:00:00:00:aa dev p2")
    end = time.monotonic() + LIMIT
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        while '"dst_port":1010' not in capture.text(capture.out) and time.monotonic() < end:
            s.sendto(b"out", ("10.9.0.1", 1010))
    check.that("any: a port taken off its bridge stands alone", time.monotonic() < end)
    capture.end()
    bridge.port.close()
    bridge.pair.close()
    sh("ip link del br0; ip link del p1; ip link del p2")


def logged(weir, net, check, folder):
    if sh("nft add table inet weir 2>&1 && nft 'add chain inet weir out { type filter hook output priority 0 ; }' && "
          "nft add rule inet weir out udp dport 4000 log group 5", check=False).returncode != 0:
        print("not tried: nftables", flush=True)
        return

    def send(count, port=4000):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for i in range(count):
                s.sendto(b"logged", ("127.0.0.1", port))

    capture = Capture(weir, "nflog:5", "-r", "packet,flow,stat", "-o", "json", "-w", f"{folder}/log.pcapng", "--udp-idle", "1h")
    send(25)
    send(3, 4001)
    capture.wait_for('"dst_port":4000', capture.out)
    code, records, err = capture.end()
    packets = [r for r in records if r["type"] == "packet"]
    flows = [(r["src_ip"], r["dst_port"], r["packets"]) for r in records if r["type"] == "flow"]
    check.that("nflog:5: what nftables logs", code == 0 and len(packets) == 25 and flows == [("127.0.0.1", 4000, 25)], f"{len(packets)} {flows} {err}")
    sums = {r["name"]: r["value"] for r in records if r["type"] == "stat" and r.get("interface_name") == "nflog:5"}
    check.that("nflog:5: counted", sums.get("packets") == 25 and sums.get("kernel_drops") == 0, str(sums))
    shown = subprocess.run(["tshark", "-r", f"{folder}/log.pcapng", "-T", "fields", "-e", "udp.dstport"], capture_output=True, text=True, timeout=LIMIT)
    check.that("nflog:5: tshark reads the file", shown.stdout.split() == ["4000"] * 25, shown.stderr)
    capture = Capture(weir, "nflog:5", "-c", "4", "-r", "packet", "-o", "json")
    send(10)
    code, records, _ = capture.end(None)
    both = Capture(weir, "nflog:5", "udp port 4000 and less 34", "-r", "packet", "-o", "json")
    send(2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"longer than the others", ("127.0.0.1", 4000))
    both.wait_for("4000", both.out)
    _, filtered, _ = both.end()
    check.that("nflog:5: BPF looks at what was logged", len(filtered) == 2, str(filtered))
    check.that("nflog:5: -c", code == 0 and len(records) == 4, str(len(records)))
    sh("nft delete table inet weir")


def messages(weir, net, check, folder):
    """What libpcap can only wait for: a bus of this test's own."""
    bus = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--print-address=1", f"--address=unix:path={folder}/bus"],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    # libdbus keeps some messages for the next ones when the program ends, which a leak checker takes for lost.
    env = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": bus.stdout.readline().strip(), "ASAN_OPTIONS": "detect_leaks=0"}
    capture = Capture(weir, "dbus-session", "-r", "packet,stat", "--stats", "100ms", "-o", "json", "-w", f"{folder}/bus.pcapng", env=env)
    wait_for_nth(capture, '"name":"packets"', 2, capture.out)
    subprocess.run(["dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.ListNames"],
                   env=env, capture_output=True, check=True)
    capture.wait_for('"type":"packet"', capture.out)
    code, records, err = capture.end()
    packets = [r for r in records if r["type"] == "packet"]
    shown = subprocess.run(["tshark", "-r", f"{folder}/bus.pcapng"], capture_output=True, text=True, timeout=LIMIT)
    check.that("dbus-session: messages", code == 0 and len(packets) >= 2 and shown.stdout.count("\n") == len(packets) and
               "ListNames" in shown.stdout, f"{len(packets)} {shown.stdout} {err}")
    bus.terminate()
    bus.wait()


def counts(weir, net, check, folder):
    capture = Capture(weir, "here", "lo", "udp", "-r", "stat", "--stats", "100ms", "-o", "json")
    net.send(frame(i) for i in range(50))
    wait_for_nth(capture, '"name":"kernel_drops","value":0,"interface_name":"lo"', 3, capture.out)
    net.send(frame(i) for i in range(10))
    code, records, err = capture.end()
    series = [r["value"] for r in records if r["name"] == "packets" and "interface_name" not in r]
    check.that("--stats: again and again, rising", code == 0 and len(series) > 3 and series == sorted(series) and series[-1] == 60 and
               50 in series, str(series))
    last = {(r.get("interface_name"), r["name"]): r["value"] for r in records}
    check.that("by interface", (last["here", "packets"], last["here", "bytes"], last["lo", "packets"], last["here", "kernel_received"],
                                last["here", "kernel_drops"], last["here", "interface_drops"]) == (60, 60 * 64, 0, 60, 0, 0), str(last))
    data = f"{folder}/data"
    capture = Capture(weir, "here", "udp", "-B", "2Mi", "--data", data)
    capture.process.send_signal(signal.SIGSTOP)
    net.send(frame(i, 200) for i in range(50_000))
    capture.process.send_signal(signal.SIGCONT)
    capture.process.send_signal(signal.SIGINT)
    capture.process.wait(LIMIT)
    question = """SELECT name, max(value) FROM stat WHERE interface_name = 'here' GROUP BY name
                  UNION ALL SELECT name, max(value) FROM stat WHERE interface_name IS NULL AND name = 'records_refused' GROUP BY name"""
    done = subprocess.run([weir, "query", "-d", data, question, "-o", "csv"], capture_output=True, text=True, timeout=LIMIT)
    answer = dict(line.split(",") for line in done.stdout.split()[1:])
    check.that("--data: the store can be asked what was lost", int(answer.get("kernel_drops", 0)) > 0 and answer.get("interface_drops") == "0" and
               answer.get("records_refused") == "0" and
               int(answer["packets"]) + int(answer["kernel_drops"]) == int(answer["kernel_received"]) == 50_000, done.stdout + done.stderr)


def bad_input(weir, check):
    cases = [
        (["here", "--timestamps", "hardware"], 2, "here: its card makes no timestamps"),
        (["any", "--timestamps", "hardware"], 2, "any: timestamps of cards are had from interfaces that are named"),
        (["nflog:5", "--timestamps", "hardware"], 2, "nflog:5: its card makes no timestamps"),
        (["here", "--timestamps", "theirs"], 2, "unknown value theirs"),
        (["here", "--all-copies"], 2, "--all-copies: is about all interfaces at once"),
        (["nflogs:5"], 3, "nflogs:5: there is no such interface"),
        (["any:1"], 3, "any:1: there is no such interface"),
        (["nflog:99999"], 2, "nflog:99999: 99999 is no group (nflog:5, or several of 0 to 65535: nflog:5,6)"),
        (["nflog:x"], 2, "nflog:x: x is no group"),
        (["nfqueue:5,"], 2, "nfqueue:5,: a queue is missing"),
        (["nflog:" + ",".join(map(str, range(33)))], 2, "too many groups, 32 are the most"),
        (["here", "nflog:5"], 2, "nflog:5: is no interface, and is captured by itself"),
    ]
    for words, code, line in cases:
        done = subprocess.run([weir, "capture", "-q", *words], capture_output=True, text=True, timeout=LIMIT)
        check.that(" ".join(words), done.returncode == code and line in done.stderr and done.stderr.count("\n") == 1,
                   f"{done.returncode} {done.stderr}")


def inside(weir):
    net, check = Network(), Checks()
    try:
        with tempfile.TemporaryDirectory() as folder:
            bad_input(weir, check)
            counts(weir, net, check, folder)
            bridged(weir, net, check, folder)
            logged(weir, net, check, folder)
            if shutil.which("dbus-daemon"):
                messages(weir, net, check, folder)
            for rings in (1, 3):
                comes_back(weir, net, check, rings)
    finally:
        net.peer.kill()
    return check.failed != 0


if __name__ == "__main__":
    sys.exit(run(__file__, inside))
