#!/usr/bin/env python3
"""weir capture on a veth: every packet sent is captured or told as dropped, with its VLAN tag; records are those that weir
read makes of the same packets; links that go and come back; files that tshark takes.

This process captures in a network namespace of its own; a second one holds the other end of the veth, and this sends from
there. 77: this kernel gives no namespaces. Usage: capture.py PATH/TO/weir
"""
import collections
import ctypes
import fcntl
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

EXAMPLE = pathlib.Path(__file__).resolve().parent.parent.parent / "examples/first.pcap"
LIMIT = 60  # seconds until what should end by itself is killed


def sh(command, check=True):
    return subprocess.run(["sh", "-ec", command], check=check, capture_output=True, text=True)


def enter(namespace):
    if ctypes.CDLL(None, use_errno=True).setns(namespace, 0) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def frame(number, size=64, vlan=None, port=9):
    """UDP from 10.1.x.x to 10.2.x.x with its number as the payload."""
    tag = b"" if vlan is None else struct.pack("!HH", 0x8100, vlan)
    low = number & 0xFFFF
    ip = struct.pack("!BBHHHBBHII", 0x45, 0, size - 14, 0, 0, 64, 17, 0, 0x0A010000 | low, 0x0A020000 | low)
    udp = struct.pack("!HHHH", 1024 + number % 60000, port, size - 34, 0)
    payload = struct.pack("!I", number).ljust(size - 42, b"\0")
    return b"\x02\0\0\0\0\1\x02\0\0\0\0\2" + tag + b"\x08\0" + ip + udp + payload


def example_frames():
    data, at = EXAMPLE.read_bytes(), 24
    while at < len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        yield data[at + 16:at + 16 + size]
        at += 16 + size


class Network:
    def __init__(self):
        self.peer = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep 3600"], stdout=subprocess.PIPE, text=True)
        if self.peer.stdout.readline() != "\n":
            print("SKIPPED: no second network namespace", file=sys.stderr)
            sys.exit(77)
        sh("ip link set lo up")
        self.connect()

    def connect(self, here="here"):
        sh(f"""ip link add {here} type veth peer name there netns {self.peer.pid}
               sysctl -qw net.ipv6.conf.{here}.disable_ipv6=1; ip link set {here} up
               nsenter -t {self.peer.pid} -n sh -ec 'sysctl -qw net.ipv6.conf.there.disable_ipv6=1; ip link set there up'""")
        # A socket stays in the namespace that it was made in.
        own, other = os.open("/proc/self/ns/net", os.O_RDONLY), os.open(f"/proc/{self.peer.pid}/ns/net", os.O_RDONLY)
        enter(other)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.bind(("there", 0))
        enter(own)
        os.close(own)
        os.close(other)

    def disconnect(self):
        self.socket.close()
        sh("ip link del here")

    def send(self, frames):
        for one in frames:
            self.socket.send(one)


class Capture:
    """A weir capture that runs; __init__ returns when it is ready."""

    def __init__(self, weir, *words, env=None):
        # Two files with one position would be written over from where this reads.
        self.out, self.err = tempfile.NamedTemporaryFile("r"), tempfile.NamedTemporaryFile("r")
        with open(self.out.name, "a") as out, open(self.err.name, "a") as err:
            self.process = subprocess.Popen([weir, "capture", *words], stdout=out, stderr=err, env=env)
        self.wait_for("capturing on")

    def text(self, file):
        file.seek(0)
        return file.read()

    def wait_for(self, word, file=None):
        end = time.monotonic() + LIMIT
        while word not in self.text(file or self.err):
            if time.monotonic() > end or self.process.poll() is not None:
                raise AssertionError(f"{word!r} did not come: {self.text(self.err)}")
            os.sched_yield()

    def end(self, stop=signal.SIGINT):
        """The exit code, records, standard error."""
        if stop is not None:
            self.process.send_signal(stop)
        code = self.process.wait(LIMIT)
        records = [json.loads(line) for line in self.text(self.out).splitlines()]
        return code, records, self.text(self.err)


class Checks:
    def __init__(self):
        self.failed = 0

    def that(self, what, truth, detail=""):
        if not truth:
            self.failed += 1
        print(("ok      " if truth else "FAILED  ") + what + (f": {detail}" if detail and not truth else ""), flush=True)


def stats(records):
    """Of all interfaces together."""
    return {r["name"]: r["value"] for r in records if r["type"] == "stat" and "interface_name" not in r}


def read(weir, path, *words):
    done = subprocess.run([weir, "read", path, "-o", "json", *words], capture_output=True, text=True, timeout=LIMIT)
    return [json.loads(line) for line in done.stdout.splitlines()]


def numbers(weir, path, offset=42):
    """Of this test's own frames in a file, in order: tshark's word."""
    done = subprocess.run(["tshark", "-r", path, "-T", "fields", "-e", "udp.payload"], capture_output=True, text=True, timeout=LIMIT)
    return [int(line[:8], 16) for line in done.stdout.split()]


def same_as_read(weir, net, check, folder):
    path = f"{folder}/same.pcapng"
    capture = Capture(weir, "here", "-w", path, "-o", "json", "-r", "all", "--threads", "2")
    frames = list(example_frames())
    net.send(frames)
    code, live, err = capture.end()
    again = read(weir, path, "-r", "all")

    def plain(records):
        return collections.Counter(json.dumps(r, sort_keys=True) for r in records if r["type"] not in ("stat", "capture"))
    check.that("capture ends well", code == 0, err)
    check.that("every frame of the example", stats(live).get("packets") == len(frames), str(stats(live)))
    check.that("records as weir read makes them of the file", plain(live) == plain(again) and len(live) > 100,
               str((plain(live) - plain(again), plain(again) - plain(live)))[:1000])
    first = collections.Counter(r["type"] for r in read(weir, str(EXAMPLE), "-r", "dns,http,tls,ssh"))
    check.that("as many of each protocol as in the example", first == collections.Counter(
        r["type"] for r in live if r["type"] in first), str(first))


def adds_up(weir, net, check):
    count = 100_000
    capture = Capture(weir, "here", "-B", "2Mi", "-r", "stat", "-o", "json", "udp")
    capture.process.send_signal(signal.SIGSTOP)
    net.send(frame(i, 200) for i in range(count))
    capture.process.send_signal(signal.SIGCONT)
    code, records, err = capture.end()
    s = stats(records)
    check.that("a ring that overflows: sent = captured + dropped", s["packets"] + s["kernel_drops"] == count == s["kernel_received"], str(s))
    check.that("it did overflow, and that is told", s["kernel_drops"] > 0 and "raise --buffer" in err and code == 0, err)
    for words in (["--rings", "3"], ["--rings", "1"]):
        capture = Capture(weir, "here", *words, "-r", "stat,flow", "-o", "json", "udp")
        net.send(frame(i, 100) for i in range(20_000))
        _, records, err = capture.end()
        s = stats(records)
        check.that(f"{words[-1]} ring(s): each packet once", s["packets"] == s["kernel_received"] == 20_000 == s["flows"] and s["kernel_drops"] == 0, str(s))


def vlans(weir, net, check, folder):
    path = f"{folder}/vlan.pcapng"
    sent = [frame(0), frame(1, vlan=7), frame(2, vlan=8), frame(3, vlan=7, port=10)]
    for bpf in ("", "udp", "vlan 7", "vlan 7 and udp port 10", "not vlan"):
        capture = Capture(weir, "here", "-w", path, "-r", "packet", "-o", "json", *bpf.split())
        net.send(sent)
        _, records, err = capture.end()
        whole = f"{folder}/all.pcapng"
        if not bpf:
            os.rename(path, whole)
            path_records = read(weir, whole, "-r", "packet")
            check.that("tags are back in their place", [r.get("vlan") for r in records] == [None, 7, 8, 7], str(records))
            check.that("and in the file", [r.get("vlan") for r in path_records] == [None, 7, 8, 7] and
                       numbers(weir, whole) == [0, 1, 2, 3], str(path_records))
        else:
            expected = read(weir, whole, "-r", "packet", *bpf.split())
            strip = [[r["src_ip"], r.get("vlan"), r["dst_port"]] for r in expected]
            check.that(f"BPF {bpf!r} as on the file", [[r["src_ip"], r.get("vlan"), r["dst_port"]] for r in records] == strip, str(records))


def links(weir, net, check):
    capture = Capture(weir, "here", "-r", "packet", "-o", "json", "udp")
    net.send([frame(1)])
    capture.wait_for("10.1.0.1", capture.out)
    sh("ip link set here down")
    capture.wait_for("here is down")
    sh("ip link set here up")
    capture.wait_for("here is up")
    net.send([frame(2)])
    capture.wait_for("10.1.0.2", capture.out)
    net.disconnect()
    capture.wait_for("here is gone")
    net.connect()
    capture.wait_for("here is back")
    net.send([frame(3)])
    capture.wait_for("10.1.0.3", capture.out)
    code, records, err = capture.end(signal.SIGTERM)
    check.that("down, up, gone and back", code == 0 and len(records) == 3, err)
    capture = Capture(weir, "lo", "here", "udp", "-c", "1", "-r", "packet", "-o", "json")
    net.send([frame(4)])
    code, records, _ = capture.end(None)
    check.that("two interfaces, and -c ends it", code == 0 and [r["interface"] for r in records] == [1], str(records))
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH", b"tunnel", 0x1001))  # TUNSETIFF: IFF_TUN, IFF_NO_PI
    sh("sysctl -qw net.ipv6.conf.tunnel.disable_ipv6=1; ip link set tunnel up")
    for words in (["tunnel"], ["any"]):
        capture = Capture(weir, *words, "udp", "-r", "packet", "-o", "json")
        os.write(tun, frame(5)[14:])
        capture.wait_for("10.1.0.5", capture.out)
        _, records, err = capture.end()
        check.that(f"a link without a header, on {words[0]}", [(r["dst_ip"], r["length"]) for r in records] == [("10.2.0.5", 50)], str(records))
    os.close(tun)
    capture = Capture(weir, "any", "udp", "-r", "packet", "-o", "json")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"once", ("127.0.0.1", 9))
    capture.wait_for("127.0.0.1", capture.out)
    _, records, _ = capture.end()
    check.that("loopback's packets come once", len(records) == 1, str(records))


def files(weir, net, check, folder):
    capture = Capture(weir, "here", "-w", f"{folder}/r.pcapng", "--rotate-count", "100", "--files", "3", "udp")
    net.send(frame(i) for i in range(550))
    code, _, err = capture.end()
    names = sorted(pathlib.Path(folder).glob("r_*.pcapng"))
    check.that("a ring of files", [n.name[:7] for n in names] == ["r_00004", "r_00005", "r_00006"], str(names))
    check.that("with the newest packets", [i for n in names for i in numbers(weir, n)] == list(range(300, 550)), err)
    for ending in ("pcap", "pcapng.zst", "pcap.gz", "pcapng"):
        path = f"{folder}/x.{ending}"
        capture = Capture(weir, "here", "-w", path, "udp")
        net.send(frame(i, 1500 if i % 3 else 60) for i in range(2000))
        capture.end()
        plain = path
        if not ending.startswith("pcap.") and ending.endswith("zst") or ending.endswith("gz"):
            plain = path.rsplit(".", 1)[0] + ".plain"
            sh(f"{'zstd' if ending.endswith('zst') else 'gzip'} -dc < {path} > {plain}")
        told = sh(f"capinfos -Mc {plain}", check=False)
        check.that(f".{ending}: tshark reads all of it", numbers(weir, plain) == list(range(2000)) and told.returncode == 0, told.stderr)
        check.that(f".{ending}: so does weir", len(read(weir, path, "-r", "packet")) == 2000)
    interface = read_info(weir, f"{folder}/x.pcapng")
    check.that("what the interface counted is in the file", interface.get("received") == 2000 and interface.get("dropped") == 0 and
               interface.get("filter") == "udp" and interface.get("name") == "here", str(interface))
    pipe = subprocess.Popen([weir, "capture", "here", "-q", "-w", "-", "-c", "3", "udp"], stdout=subprocess.PIPE)
    shown = subprocess.Popen(["tshark", "-r", "-", "-T", "fields", "-e", "ip.src"], stdin=pipe.stdout, stdout=subprocess.PIPE, text=True,
                             stderr=subprocess.DEVNULL)
    while pipe.poll() is None:
        net.send([frame(7)])
    check.that("-w - is pcapng", shown.communicate()[0].split() == ["10.1.0.7"] * 3)


def read_info(weir, path):
    done = subprocess.run([weir, "info", path, "--interfaces", "-o", "json"], capture_output=True, text=True)
    return next((r for r in map(json.loads, done.stdout.splitlines()) if r["type"] == "capture_interface"), {})


def on_record(weir, net, check, folder):
    path = f"{folder}/on.pcapng"
    capture = Capture(weir, "here", "-w", path, "--on-record", 'query ~ "shop"', "-r", "dns", "--threads", "2")
    net.send(example_frames())
    _, _, err = capture.end()
    wanted = {r["flow_id"] for r in read(weir, str(EXAMPLE), "-r", "dns", "--where", 'query ~ "shop"')}
    flows = [r for r in read(weir, str(EXAMPLE), "-r", "flow") if r["flow_id"] in wanted]
    got = read(weir, path, "-r", "flow")
    key = lambda r: (r["src_ip"], r["src_port"], r["packets"])
    check.that("only packets of flows that had such a record, and all of theirs", sorted(map(key, flows)) == sorted(map(key, got)) and
               len(flows) > 0, f"{len(flows)} {len(got)} {err}")
    capture = Capture(weir, "here", "-w", path, "--on-record", "packets >= 10", "-r", "flow", "--memory", "1k", "--udp-idle", "1s", "udp")
    net.send(frame(1, 1000) for _ in range(10))
    _, _, err = capture.end()
    check.that("what had left the memory is counted", "9 packets of them came too long before" in err, err)


def live(weir, net, check):
    capture = Capture(weir, "here", "--udp-idle", "1s", "-r", "flow", "-o", "json", "udp")
    net.send([frame(1)])
    capture.wait_for('"end_reason":"idle"', capture.out)
    check.that("a flow ends although nothing comes any more", True)
    capture.end()
    capture = Capture(weir, "here", "--duration", "1s", "-r", "stat", "-o", "json")
    code, records, _ = capture.end(None)
    check.that("--duration", code == 0 and stats(records)["packets"] == 0, str(records))
    capture = Capture(weir, "here", "-s", "udp")
    net.send(frame(i) for i in range(10))
    capture.process.send_signal(signal.SIGINT)
    capture.process.wait(LIMIT)
    check.that("--summary", "10 packets" in capture.text(capture.out), capture.text(capture.out))


def stuck(weir, net, check):
    """A reader of the output that does not read."""
    process = subprocess.Popen([weir, "capture", "here", "-r", "packet", "-o", "json", "udp"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stderr.readline()
    net.send(frame(i) for i in range(20_000))
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        end = time.monotonic() + 1
        while process.poll() is None and time.monotonic() < end:
            os.sched_yield()
    check.that("a second Ctrl-C ends it though its output is stuck", process.poll() == -signal.SIGINT, str(process.poll()))
    process.kill()


def privileges(weir, net, check, folder):
    def status(capture):
        lines = pathlib.Path(f"/proc/{capture.process.pid}/status").read_text().splitlines()
        return {name: value.split() for name, value in (line.split(":", 1) for line in lines)}
    capture = Capture(weir, "here", "-w", f"{folder}/root.pcapng")
    end = time.monotonic() + LIMIT
    while not os.path.exists(f"{folder}/root.pcapng") and time.monotonic() < end:
        os.sched_yield()
    now = status(capture)
    capture.end()
    check.that("no capability is left", [now[c] for c in ("CapEff", "CapPrm", "CapInh")] == [["0" * 16]] * 3 and now["NoNewPrivs"] == ["1"], str(now))
    for writable in (True, False):
        place = f"{folder}/{'theirs' if writable else 'ours'}"
        os.mkdir(place)
        os.chmod(folder, 0o755)
        if writable:
            os.chown(place, 1234, 1234)
        capture = Capture(weir, "here", "-w", f"{place}/x.pcapng", "-c", "1", env={**os.environ, "SUDO_UID": "1234", "SUDO_GID": "1234"})
        while not os.path.exists(f"{place}/x.pcapng") and time.monotonic() < end:
            os.sched_yield()
        now, owner = status(capture), os.stat(f"{place}/x.pcapng").st_uid
        net.send([frame(1)])
        capture.end(None)
        expected = 1234 if writable else 0
        check.that(f"under sudo, where that user may{'' if writable else ' not'} write", owner == expected and now["Uid"] == [str(expected)] * 4 and
                   now["CapEff"] == ["0" * 16], f"{owner} {now}")


def bad_input(weir, check):
    cases = [
        (["her"], 3, "her: there is no such interface (did you mean here?)"),
        (["here", "tcp prot 80"], 2, "BPF expression"),
        (["here", "heer", "udp"], 2, "there is no interface heer; did you mean here?"),
        (["any", "here"], 2, "any"),
        (["here", "-w", "x"], 2, "x: the name does not say what it is to hold"),
        (["here", "--files", "3"], 2, "--files: is about packets in files"),
        (["here", "-w", "x.pcapng", "--files", "3"], 2, "--files: there is only one file"),
        (["here", "-w", "/nowhere/x.pcapng"], 3, "/nowhere/x.pcapng: No such file"),
        (["here", "-w", "x.pcapng", "--on-record", "no_field == 1"], 2, "--on-record:1: no field"),
        (["here", "--buffer", "1k"], 2, "--buffer"),
    ]
    for words, code, line in cases:
        done = subprocess.run([weir, "capture", "-q", *words], capture_output=True, text=True, timeout=LIMIT)
        check.that(" ".join(words), done.returncode == code and line in done.stderr and done.stderr.count("\n") == 1,
                   f"{done.returncode} {done.stderr}")
    done = subprocess.run(["setpriv", "--reuid", "1234", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all", weir, "capture", "here"],
                          capture_output=True, text=True, timeout=LIMIT)
    check.that("no privilege", done.returncode == 3 and "setcap cap_net_raw+ep /" in done.stderr, done.stderr)


def inside(weir):
    net, check = Network(), Checks()
    try:
        with tempfile.TemporaryDirectory() as folder:
            same_as_read(weir, net, check, folder)
            adds_up(weir, net, check)
            vlans(weir, net, check, folder)
            files(weir, net, check, folder)
            on_record(weir, net, check, folder)
            live(weir, net, check)
            stuck(weir, net, check)
            privileges(weir, net, check, folder)
            bad_input(weir, check)
            links(weir, net, check)
    finally:
        net.peer.kill()
    return check.failed != 0


def run(script, inside):
    """`script WEIR`, in a network namespace of its own."""
    if sys.argv[1] == "--inside":
        return inside(sys.argv[2])
    weir = str(pathlib.Path(sys.argv[1]).resolve())
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode != 0:
        print("SKIPPED: no network namespaces", file=sys.stderr)
        return 77
    return subprocess.run(["unshare", "-n", sys.executable, script, "--inside", weir]).returncode


if __name__ == "__main__":
    sys.exit(run(__file__, inside))
