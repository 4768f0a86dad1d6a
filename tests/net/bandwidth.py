#!/usr/bin/env python3
"""weir bandwidth on a veth pair in a network namespace: to the byte what the kernel counted, through links that go, come
back and change their names. Usage: bandwidth.py PATH/TO/weir"""
import fcntl
import json
import os
import pathlib
import pty
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading

# Without IPv6 nobody but the test sends anything.
SETUP = """
echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6
echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6
ip link set lo up
ip link add here type veth peer name there
ip addr add 10.9.0.1/24 dev here
ip link set here up
ip link set there up
ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:02 dev here
"""

failures = []


def check(what, holds, seen=""):
    if not holds:
        failures.append(what)
        print(f"FAILED: {what}: {seen}")


def sh(script):
    subprocess.run(["sh", "-ec", script], check=True)


def kernel(name):
    stats = json.loads(subprocess.run(["ip", "-j", "-s", "link", "show", name], capture_output=True, check=True).stdout)[0]["stats64"]
    return stats["rx"]["bytes"], stats["tx"]["bytes"]


def send(count, size=1000):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for _ in range(count):
            s.sendto(bytes(size), ("10.9.0.2", 9))


class Running:
    """weir bandwidth, its records as they come."""

    def __init__(self, program, words, before=()):
        self.taken = []
        self.process = subprocess.Popen([*before, program, "bandwidth", *words.split(), "-o", "json"], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)

    def next(self):
        self.taken.append(json.loads(self.process.stdout.readline()))
        return self.taken[-1]

    def until(self, holds, most=200):
        for _ in range(most):
            record = self.next()
            if holds(record):
                return record
        check("a record that was waited for", False)
        return {}

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=20)
        check("Ctrl-C is a fine end", self.process.returncode == 0, f"{self.process.returncode} {err}")
        return [json.loads(line) for line in out.splitlines()], err


def run(program, words, code=0):
    done = subprocess.run([program, "bandwidth", *words], capture_output=True, text=True, timeout=60, check=False)
    check(f"exit code of bandwidth {words}", done.returncode == code, f"{done.returncode} {done.stderr}")
    return done


def exact(program):
    weir = Running(program, "here --every 50ms --speed 10M")
    first = weir.next()
    before_in, before_out = first["in_bytes"], first["out_bytes"]
    send(100)
    last = weir.until(lambda r: r["out_bytes"] >= before_out + 100 * 1042)
    # What is sent and what the interface counts are the same bytes: payload, UDP, IP and Ethernet headers.
    rest, _ = weir.stop()
    everything = [last, *rest]
    check("what was sent was counted", everything[-1]["out_bytes"] - before_out == 100 * 1042, everything[-1])
    check("as the kernel has it", (everything[-1]["in_bytes"], everything[-1]["out_bytes"]) == kernel("here"), everything[-1])
    busy = [r for r in everything if r.get("out_bits_per_second", 0) > 0]
    check("a rate", busy and abs(busy[0]["out_bits_per_second"] - busy[0]["out_bytes_delta"] * 8 / busy[0]["interval"]) < 1, busy)
    check("utilisation of the speed that was told", busy and abs(busy[0]["out_utilization"] - busy[0]["out_bits_per_second"] / 1e5) < 0.01, busy)


def sums(program):
    before = kernel("here")
    weir = Running(program, "here --every 20ms")
    records = [weir.next()]
    for _ in range(5):
        send(20)
        records.append(weir.next())
    rest, _ = weir.stop()
    records += rest
    check("deltas add up to the counters", records[0]["out_bytes"] + sum(r["out_bytes_delta"] for r in records[1:]) == records[-1]["out_bytes"], records[-1])
    check("no speed is made up for a veth", all("speed" not in r and "out_utilization" not in r for r in records), records[0])
    check("counters only grow", records[-1]["out_bytes"] >= before[1], before)


def changes(program):
    weir = Running(program, "here --every 20ms")
    send(50)
    weir.until(lambda r: r["up"])
    sh("ip link set there down")
    weir.until(lambda r: not r["up"])
    sh("ip link set there up")
    weir.until(lambda r: r["up"])
    sh("ip link set here down; ip link set here name wan0; ip link set wan0 up")
    check("a new name goes on", "interval" in weir.until(lambda r: r["name"] == "wan0"))
    sh("ip link del wan0; ip link add wan0 type veth peer name there; ip link set wan0 up; ip link set there up; ip addr add 10.9.0.1/24 dev wan0")
    old = weir.until(lambda r: "interval" not in r)
    check("another of that name begins anew", old.get("name") == "wan0" and "in_bytes_delta" not in old, old)
    rest, err = weir.stop()
    check("no spike", all(r.get("in_bytes_delta", 0) < 10_000 for r in rest), rest[-1:])
    for line in ("here is down", "here is up", "here is called wan0 now", "wan0 is "):
        check(f"told: {line}", f"weir: {line}" in err, err)
    sh("ip link set wan0 down; ip link set wan0 name here; ip link set here up; ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:02 dev here")


def live(program):
    """The table on a terminal of 80 columns."""
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen([program, "bandwidth", "--every", "50ms", "-c", "10"], stdin=terminal, stdout=terminal, stderr=terminal,
                               env={**os.environ, "TERM": "xterm"})
    os.close(terminal)
    seen = b""
    while select.select([main], [], [], 20)[0]:
        try:
            part = os.read(main, 65536)
        except OSError:
            break
        seen += part
    check("the table ends", process.wait(timeout=20) == 0)
    text = seen.decode()
    check("a table", "bandwidth" in text and "interface" in text and "here" in text, text)
    check("in place", "\x1b[" in text and text.count("interface  ") <= 2, text)


def limits(program, folder):
    """Alerts go out as records and to the hook; the exit code tells."""
    hook = folder / "hook"
    os.mkfifo(hook)
    told = subprocess.Popen(["cat", hook], stdout=subprocess.PIPE, text=True)
    weir = subprocess.Popen([program, "bandwidth", "here", "--every", "50ms", "--limit", "out > 1k", "-r", "alert", "-o", "json", "--exec", f"cat > {hook}"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not select.select([weir.stdout], [], [], 0.05)[0]:
        send(10)
    alert = json.loads(weir.stdout.readline())
    weir.send_signal(signal.SIGINT)
    _, err = weir.communicate(timeout=20)
    check("exit code 1 after an alert", weir.returncode == 1, weir.returncode)
    check("an alert", (alert["state"], alert["subject"], alert["measure"], alert["limit"]) == ("raised", "here", "out", 1000), alert)
    check("a line about it", "weir: alert: here out at " in err, err)
    check("the hook got it", json.loads(told.communicate(timeout=20)[0])["message"] == alert["message"], alert)


def history(program, folder):
    """What was stored adds up to what the kernel counted."""
    lake = str(folder / "lake")
    before = kernel("here")
    weir = subprocess.Popen([program, "bandwidth", "here", "--every", "50ms", "--data", lake], stderr=subprocess.PIPE, text=True)
    probe = Running(program, "here --every 50ms")  # by the time it has seen this, the other one has started
    probe.next()
    for _ in range(10):
        send(50)
        probe.next()
    probe.stop()
    weir.send_signal(signal.SIGINT)
    check("storing ends", weir.wait(timeout=30) == 0, weir.stderr.read())
    after = kernel("here")
    rows = [json.loads(line) for line in run(program, ["here", "--data", lake, "--history", "day", "-o", "json"]).stdout.splitlines()]
    sent = sum(r["out_bytes"] for r in rows)
    whole = subprocess.run([program, "query", "-d", lake, "-o", "csv", "SELECT max(out_bytes) - min(out_bytes - out_bytes_delta) AS n FROM counter"],
                           capture_output=True, text=True, check=True).stdout.split()[-1]
    check("history is what was sent", 0 < sent <= after[1] - before[1] and sent == int(whole), (rows, whole, before, after))
    text = run(program, ["--data", lake, "--history", "month"]).stdout
    check("a table", "here, by month" in text and "estimated" in text, text)
    text = run(program, ["--data", lake, "--history", "95th", "--quota", "1k"], code=1).stdout
    check("percentiles, coverage and the quota", "lrint(0.95 n)" in text and "% of 1.00 kB" in text, text)
    done = run(program, ["there9", "--data", lake, "--history", "day"], code=1)
    check("an interface without history", done.stderr.startswith("weir: there9: nothing is stored of this interface"), done.stderr)


def vnstat(program, folder):
    """vnstat's forms, of what history() stored."""
    words = ["--dbdir", str(folder / "lake"), "-i", "here"]
    rows = [json.loads(line) for line in run(program, ["here", "--data", str(folder / "lake"), "--history", "day", "-o", "json"]).stdout.splitlines()]
    line = run(program, ["--profile", "vnstat", "--oneline", "b", *words]).stdout.rstrip("\n").split(";")
    check("15 fields", len(line) == 15 and line[:2] == ["1", "here"], line)
    check("its rate, in bytes a second since the first slot", int(line[6]) <= int(line[5]), line)
    check("the day's bytes", line[3:6] == [str(rows[-1][n]) for n in ("in_bytes", "out_bytes", "bytes")], (line, rows))
    whole = json.loads(run(program, ["--profile", "vnstat", "--json", *words]).stdout)
    check("jsonversion", whole["jsonversion"] == "2", whole)
    traffic = whole["interfaces"][0]["traffic"]
    check("vnstat's keys", list(traffic) == ["total", "fiveminute", "hour", "day", "month", "year", "top"], traffic)
    check("a day", traffic["day"][-1]["rx"] == rows[-1]["in_bytes"] and set(traffic["day"][-1]) == {"id", "date", "timestamp", "rx", "tx"}, traffic)
    check("an hour", set(traffic["hour"][-1]) == {"id", "date", "time", "timestamp", "rx", "tx"}, traffic)
    check("the sum", traffic["total"]["tx"] == sum(r["out_bytes"] for r in rows), traffic)
    only = json.loads(run(program, ["--profile", "vnstat", "--json", "d", "1", *words]).stdout)["interfaces"][0]["traffic"]
    check("one kind", list(only) == ["total", "day"] and len(only["day"]) == 1, only)
    done = run(program, ["--profile", "vnstat", "--oneline", "--dbdir", str(folder / "lake"), "-i", "nope"], code=1)
    check("vnstat's own words", done.stdout == 'Error: No interface matching "nope" found in database.\n', done.stdout)


def snmp(program, folder):
    """Counters of an agent: the same as the kernel's, by every version, and one line for each way not to get them."""
    agent = shutil.which("snmpd") or "/usr/sbin/snmpd"
    if not os.path.exists(agent):
        print("SKIPPED: no snmpd, NOTHING of SNMP was tested")
        return
    conf = folder / "snmpd.conf"
    conf.write_text("rocommunity public 127.0.0.1\nagentaddress udp:127.0.0.1:1161\ncreateUser ops SHA-256 password1 AES password2\nrouser ops priv\n"
                    "[snmp] persistentDir " + str(folder) + "\n")
    server = subprocess.Popen([agent, "-f", "-Le", "-C", "-c", str(conf), "-p", str(folder / "pid"), "-I", "-smux"], stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "SNMP_PERSISTENT_DIR": str(folder)})
    for line in server.stderr:
        if "NET-SNMP version" in line:
            break
    threading.Thread(target=server.stderr.read, daemon=True).start()
    try:
        words = ["--every", "200ms", "-c", "1", "-o", "json", "-t", "500ms"]
        secret = "auth=SHA-256:password1&priv=AES:password2"
        for url in ("snmp://public@127.0.0.1:1161", "snmp://public@127.0.0.1:1161?version=1", f"snmp://ops@127.0.0.1:1161?{secret}"):
            rows = [json.loads(line) for line in run(program, [url, "here", *words]).stdout.splitlines()]
            # snmpd itself reads the kernel's counters every few seconds only.
            check(f"one record of {url}", [(r["name"], r["device"], r["up"]) for r in rows] == [("here", "127.0.0.1", True)], rows)
            if rows:
                check("with a rate over the interval", 0.1 < rows[0]["interval"] < 1 and rows[0]["out_bits_per_second"] >= 0, rows)
                check("no more than the kernel counted", 0 < rows[0]["out_bytes"] <= kernel("here")[1], rows)
        listed = folder / "agents"
        listed.write_text("# ours\n\nsnmp://public@127.0.0.1:1161  # its counters\nhere\n")
        check("agents of a list", len(run(program, [f"@{listed}", *words]).stdout.splitlines()) == 1)
        os.environ.update(WEIR_SNMP_COMMUNITY="public", WEIR_SNMP_AUTH_PASSWORD="password1", WEIR_SNMP_PRIV_PASSWORD="password2")
        for url in ("snmp://127.0.0.1:1161", "snmp://ops@127.0.0.1:1161?auth=SHA-256&priv=AES"):
            check(f"secrets out of the environment: {url}", len(run(program, [url, "here", *words]).stdout.splitlines()) == 1)
        for name in ("WEIR_SNMP_COMMUNITY", "WEIR_SNMP_AUTH_PASSWORD", "WEIR_SNMP_PRIV_PASSWORD"):
            del os.environ[name]
        listed.write_text("here\nsnmp://hush@\n")
        done = run(program, [f"@{listed}"], code=2)
        check("a wrong line is named", done.stderr.startswith(f"weir: {listed}:2: snmp://: no host in it") and "hush" not in done.stderr, done.stderr)
        dead = run(program, ["snmp://public@127.0.0.1:1162", "snmp://public@127.0.0.1:1161", "here", "--every", "200ms", "-c", "3", "-t", "500ms", "-o", "csv", "-f", "interval"], code=1)
        times = [float(line) for line in dead.stdout.split()[1:]]
        check("a dead agent delays nobody", len(times) == 3 and max(times) < 0.5, (times, dead.stderr))
        for url, why in (("snmp://wrong@127.0.0.1:1161", "no answer in 0.3 s (is it there, and is the community right?)"),
                         (f"snmp://ops@127.0.0.1:1161?{secret.replace('word1', 'word9')}", "refuses: Authentication failure"),
                         ("snmp://ops@127.0.0.1:1162?version=3", "no answer in 0.3 s"),
                         (f"snmp://nobody@127.0.0.1:1161?{secret}", "refuses: Unknown user name")):
            done = run(program, [url, "-c", "1", "--every", "200ms", "-t", "100ms"], code=1)
            lines = done.stderr.splitlines()
            check(f"one line for {url}", len(lines) == 1 and lines[0].startswith("weir: 127.0.0.1:116") and lines[0][22:].startswith(why), done.stderr)
    finally:
        server.kill()


class Peer:
    """A host of its own at the other end of a link: weir's end is "wan", 10.8.0.1; the peer's is 10.8.0.2."""

    def __init__(self):
        self.process = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo ready; exec sleep infinity"], stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()
        pid = self.process.pid
        sh(f"ip link add wan type veth peer name eth0 netns {pid}; ip addr add 10.8.0.1/24 dev wan; ip link set wan up")
        sh(f"nsenter -t {pid} -n sh -ec 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; ip link set lo up; ip addr add 10.8.0.2/24 dev eth0; ip link set eth0 up'")
        self.enter = ["nsenter", "-t", str(pid), "-n"]

    def server(self):
        """iperf3 that takes one client."""
        server = subprocess.Popen([*self.enter, "iperf3", "-s", "-1", "--forceflush"], stdout=subprocess.PIPE, text=True)
        for line in server.stdout:
            if "listening" in line:
                break
        return server

    def stop(self):
        self.process.kill()
        self.process.wait()
        subprocess.run(["ip", "link", "del", "wan"], check=False, capture_output=True)


def total(records, way):
    return sum(r[f"{way}_bytes"] for r in records)


def watched(program, peer, whom, words, before=()):
    """What weir says of `wan` by each of `whom` while iperf3 runs with `words`, what the kernel counted, and iperf3's own account."""
    server = peer.server()
    seen = {by: Running(program, f"wan --by {by} --every 300ms", before) for by in whom}
    first = {by: weir.next() for by, weir in seen.items()}  # nothing is sent until all of them look on
    counted = kernel("wan")
    done = subprocess.run([*before, "iperf3", "-c", "10.8.0.2", "--json", *words.split()], capture_output=True, text=True, timeout=30, check=False)
    server.wait(timeout=20)
    check(f"iperf3 {words}", done.returncode == 0, done.stdout[-300:])
    records = {by: [first[by], *weir.taken[1:], *weir.stop()[0]] for by, weir in seen.items()}
    return records, tuple(now - then for now, then in zip(kernel("wan"), counted)), json.loads(done.stdout)["end"]


def shares(program):
    """Whose it is. Rows add up to the interface's counters to the byte, and iperf3's are what iperf3 says, and headers."""
    if not shutil.which("iperf3"):
        print("SKIPPED: no iperf3, NOTHING of --by was tested")
        return
    peer = Peer()
    try:
        records, counted, iperf = watched(program, peer, ("process", "flow", "host", "port", "app"), "-t 1 -b 20M --bidir")
        sent, received = iperf["sum_sent"]["bytes"], iperf["sum_received_bidir_reverse"]["bytes"]
        for by, rows in records.items():
            check(f"by {by}: rows add up to the counters", (total(rows, "in"), total(rows, "out")) == counted, (total(rows, "in"), total(rows, "out"), counted))
            check(f"by {by}: the rest is always told", sum(r["who"] == "(unattributed)" for r in rows) == len({r["time"] for r in rows}), rows)
        ours = {"process": lambda r: r.get("process") == "iperf3", "flow": lambda r: r.get("dst_port") == 5201, "host": lambda r: r.get("ip") == "10.8.0.2",
                "port": lambda r: r["who"] == "tcp 5201", "app": lambda r: r["who"] == "tcp 5201"}
        for by, is_ours in ours.items():
            rows = [r for r in records[by] if is_ours(r)]
            for way, payload in (("out", sent), ("in", received)):
                # Both connections' segments and acknowledgments, and iperf3's own of some kilobytes.
                check(f"by {by}: {way}, within headers", payload <= total(rows, way) <= payload * 1.08 + 20_000, (total(rows, way), payload))
        check("one process has it all", len({r["pid"] for r in records["process"] if "pid" in r}) == 1, records["process"])
        check("flows have both ends", any(r.get("src_ip") == "10.8.0.1" and r.get("dst_ip") == "10.8.0.2" and r["proto"] == "tcp" for r in records["flow"]), records["flow"])
        records, counted, iperf = watched(program, peer, ("process",), "-u -t 1 -b 5M -l 1000")
        rows = [r for r in records["process"] if r.get("process") == "iperf3"]
        check("UDP: rows add up", (total(records["process"], "in"), total(records["process"], "out")) == counted, counted)
        check("UDP: iperf3, within headers", iperf["sum"]["bytes"] <= total(rows, "out") <= iperf["sum"]["bytes"] * 1.06 + 20_000, (rows, iperf["sum"]))
        unprivileged(program, peer)
        tops(program)
        by_changes(program)
        by_refusals(program)
    finally:
        peer.stop()


def unprivileged(program, peer):
    """Without a privilege the sockets tell."""
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]
    if subprocess.run([*nobody, program, "--version"], capture_output=True, check=False).returncode != 0:
        print("SKIPPED: nobody may not run weir here; --by process without a privilege was not tested")
        return
    records, counted, iperf = watched(program, peer, ("process",), "-t 1 -b 20M", nobody)
    rows = [r for r in records["process"] if r.get("process") == "iperf3"]
    check("sockets: rows add up", (total(records["process"], "in"), total(records["process"], "out")) == counted, counted)
    # What a socket carried between the last look and its end is nobody's.
    check("sockets: iperf3 has most of it", iperf["sum_sent"]["bytes"] * 0.6 <= total(rows, "out") <= counted[1], (total(rows, "out"), iperf["sum_sent"]))


def tops(program):
    """Beyond --top there is one row of others."""
    weir = Running(program, "here --by flow --every 300ms --top 3")
    before = weir.next()
    counted = kernel("here")
    for port in range(20):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for _ in range(port + 1):
                s.sendto(bytes(100), ("10.9.0.2", 1000 + port))
    others = weir.until(lambda r: r["who"] == "(others)")
    rows = [r for r in weir.taken if r["time"] == others["time"] and "dst_port" in r]
    check("three flows and the others", len(rows) == 3, rows)
    rest, _ = weir.stop()
    everything = [before, *weir.taken[1:], *rest]
    check("all of them add up", total(everything, "out") == kernel("here")[1] - counted[1] == 210 * 142, (total(everything, "out"), kernel("here"), counted))
    named = {r["dst_port"] for r in everything if "dst_port" in r}
    check("the largest are told apart", named and min(named) >= 1000, named)


def by_changes(program):
    """An interface that is renamed goes on; one that is replaced by another of its name does, too."""
    weir = Running(program, "here --by host --every 200ms")
    weir.next()
    sh("ip link set here down; ip link set here name wan9; ip link set wan9 up; ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:02 dev wan9")
    counted = kernel("wan9")[1]
    send(50)
    seen = weir.until(lambda r: r["name"] == "wan9" and r.get("ip") == "10.9.0.2")
    check("renamed, it goes on", seen["out_bytes"] <= kernel("wan9")[1] - counted == 50 * 1042, seen)
    sh("ip link set wan9 down; ip link set wan9 name here; ip link set here up")
    weir.until(lambda r: r["name"] == "here")
    sh("ip link del here; ip link add here type veth peer name there; ip link set here up; ip link set there up; ip addr add 10.9.0.1/24 dev here; "
       "ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:02 dev here")
    again = []

    def back(record):
        send(1)
        again.append(record)
        return record["name"] == "here" and record.get("ip") == "10.9.0.2"

    weir.until(back)
    _, err = weir.stop()
    check("no row has more than was sent", all(r["out_bytes"] <= (len(again) + 50) * 1042 + 1000 for r in again), again)
    check("told", "here is called wan9 now" in err and "here is" in err, err)
    sh("ip link set here down; ip link set here up; ip neigh replace 10.9.0.2 lladdr 02:00:00:00:00:02 dev here")


def by_refusals(program):
    for words, code in ((["here", "--by", "hots"], 2), (["here", "--top", "3"], 2), (["here", "--by", "host", "--every", "10ms"], 2),
                        (["here", "--by", "host", "--history", "day"], 2), (["here", "--by", "host", "--limit", "out > 1"], 2), (["snmp://public@127.0.0.1", "--by", "host"], 2), (["heer", "--by", "host"], 3)):
        done = run(program, words, code=code)
        check(f"one line for {words}", done.stderr.startswith("weir: ") and done.stderr.count("\n") == 1, done.stderr)


def prometheus(program):
    done = run(program, ["here", "--every", "20ms", "-c", "1", "-o", "prometheus"])
    check("node_exporter's names", f'node_network_transmit_bytes_total{{device="here"}} {kernel("here")[1]}\n' in done.stdout, done.stdout)
    check("counters are counters", "# TYPE node_network_receive_bytes_total counter" in done.stdout and "# TYPE node_network_up gauge" in done.stdout, done.stdout)


def refusals(program):
    done = run(program, ["heer"], code=3)
    check("a missing interface is one line", done.stderr == "weir: heer: no such interface (did you mean here?)\n", done.stderr)
    run(program, ["here", "--every", "0"], code=2)
    run(program, ["here", "--speed", "fast"], code=2)
    run(program, ["here", "-c", "1", "--every", "20ms", "-o", "csv", "-f", "name,interval"])


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    if "inside" not in sys.argv:
        if subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode != 0:
            print("SKIPPED: this kernel gives no network namespace; NOTHING of weir bandwidth was tested")
            return 77
        return subprocess.run(["unshare", "-n", sys.executable, __file__, program, "inside"], check=False).returncode
    sh(SETUP)
    exact(program)
    sums(program)
    changes(program)
    live(program)
    with tempfile.TemporaryDirectory() as folder:
        limits(program, pathlib.Path(folder))
        history(program, pathlib.Path(folder))
        vnstat(program, pathlib.Path(folder))
        snmp(program, pathlib.Path(folder))
    shares(program)
    prometheus(program)
    refusals(program)
    print(f"{len(failures)} checks failed" if failures else "bandwidth: fine")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
