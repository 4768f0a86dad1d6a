#!/usr/bin/env python3
"""weir ping in network namespaces: loss, delay, duplicates, reordering and silence as peers/tun.py makes them, with and
without privilege, and every kind of probe against a real server. Usage: ping.py PATH/TO/weir"""
import fcntl
import http.server
import json
import os
import pathlib
import pty
import signal
import socket
import ssl
import subprocess
import struct
import sys
import tempfile
import termios
import threading
from datetime import datetime

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from peers.tun import TunNetwork

SETUP = """
ip link set lo up
ip link add here type veth peer name there
ip addr add 10.9.0.1/24 dev here
ip addr add 10.9.0.4/24 dev here
ip addr add fd09::1/64 dev here nodad
ip neigh add 10.9.0.7 lladdr 02:00:00:00:00:07 dev here
ip link set there netns $PEER
ip link set here up
nsenter -t $PEER -n sh -ec "
  ip addr add 10.9.0.2/24 dev there
  ip addr add 10.9.0.3/24 dev there
  ip addr add fd09::2/64 dev there nodad
  ip link set there up"
"""

failures = []


def check(what, holds, seen=""):
    if not holds:
        failures.append(what)
        print(f"FAILED: {what}: {seen}")


class Weir:
    def __init__(self, program):
        self.program = program

    def ping(self, words, user=None, code=0):
        """The records, by type."""
        done = subprocess.run([self.program, "ping", *words.split(), "-o", "json"], capture_output=True, text=True,
                              timeout=120, check=False, user=user, group=user, extra_groups=[] if user else None)
        check(f"exit code of ping {words}", done.returncode == code, f"{done.returncode} {done.stderr}")
        records = [json.loads(line) for line in done.stdout.splitlines()]
        return {kind: [r for r in records if r["type"] == kind] for kind in ("ping", "ping_stats", "outage", "stat", "hop")}, done.stderr


def impairments(weir):
    got, _ = weir.ping("10.9.0.2 fd09::2 -c 3 -i 20ms")
    check("everything is answered", [r["status"] for r in got["ping"]] == ["reply"] * 6, got["ping"])
    check("with the kernel's times", all(r["clock"] == "kernel" for r in got["ping"] if r["seq"] > 0), got["ping"])
    check("one summary for each", sorted(r["target"] for r in got["ping_stats"]) == ["10.9.0.2", "fd09::2"], got["ping_stats"])

    got, _ = weir.ping("10.8.2.1 -c 3 -i 20ms -t 200ms", code=1)
    stats = got["ping_stats"][0]
    check("all lost", (stats["sent"], stats["received"], stats["loss"]) == (3, 0, 100), stats)
    check("no round trips of nothing", "rtt_avg" not in stats, stats)
    check("an outage", [(o["state"], o["lost"], o["reason"]) for o in got["outage"]] == [("down", 3, "timeout")], got["outage"])

    got, _ = weir.ping("10.8.3.1 -c 100 -i 2ms -t 300ms --loss 25%")
    stats = got["ping_stats"][0]
    check("a fourth is lost", (stats["sent"], stats["received"], stats["loss"]) == (100, 75, 25), stats)
    check("and no outage", got["outage"] == [], got["outage"])
    weir.ping("10.8.3.2 -c 100 -i 2ms -t 300ms --loss 24.9%", code=1)
    weir.ping("10.9.0.2 -c 2 -i 10ms --loss 0%")

    got, _ = weir.ping("10.8.4.1 -c 5 -i 20ms")
    # The last one's second reply may come when all is settled.
    stats = got["ping_stats"][0]
    check("duplicates are counted, and are no replies", stats["received"] == 5 and stats["duplicates"] >= 4, stats)

    got, _ = weir.ping("10.8.5.1 -c 10 -i 5ms")
    stats = got["ping_stats"][0]
    check("every second one is overtaken", (stats["received"], stats["reordered"]) == (10, 5), stats)

    got, _ = weir.ping("10.8.6.1 -c 5 -i 20ms --rtt 10ms", code=1)
    stats = got["ping_stats"][0]
    check("delay", 0.030 <= stats["rtt_min"] <= stats["rtt_p50"] <= stats["rtt_max"], stats)
    got, _ = weir.ping("10.8.6.1 -c 2 -i 300ms -t 10ms", code=1)
    check("late replies are lost and told", [r["status"] for r in got["ping"]][:3] == ["timeout", "late", "timeout"], got["ping"])
    stats = got["ping_stats"][0]
    check("and counted", stats["received"] == 0 and stats["late"] >= 1, stats)


def errors(weir):
    got, _ = weir.ping("203.0.113.9 -c 1", code=1)
    check("no route", (got["ping"][0]["status"], got["ping"][0]["reason"]) == ("failed", "Network is unreachable"), got["ping"])
    check("one probe is no outage", got["outage"] == [], got["outage"])
    got, _ = weir.ping("203.0.113.9 -c 1 --down-after 1", code=1)
    check("unless it is said to be", len(got["outage"]) == 1, got["outage"])
    got, _ = weir.ping("10.9.0.99 -c 1 -t 20s", code=1)
    ping = got["ping"][0]
    check("nobody has the address", (ping["status"], ping["reason"], ping["from_ip"]) == ("unreachable", "host_unreachable", "10.9.0.1"), ping)
    got, _ = weir.ping("10.8.7.1 -c 1 -t 20s --down-after 1", code=1)
    ping = got["ping"][0]
    down = got["outage"][0]
    check("an outage by it", (down["reason"], down.get("icmp_type"), down.get("icmp_code"), down.get("from_ip")) == (ping["reason"], 3, 1, "10.8.0.254"), down)
    check("a router's error", (ping["status"], ping["icmp_type"], ping["icmp_code"], ping["from_ip"]) == ("unreachable", 3, 1, "10.8.0.254"), ping)
    got, _ = weir.ping("10.8.9.1 -c 1 -t 20s --ttl 1", code=1)
    ping = got["ping"][0]
    check("too far", (ping["reason"], ping["from_ip"]) == ("ttl_exceeded", "10.8.0.101"), ping)
    got, _ = weir.ping("10.8.9.1 -c 1 -t 300ms --ttl 2 --traceroute -r all", code=1)
    hops = [(h["hop"], h.get("hop_ip"), h["received"], h.get("reason"), h["reached"]) for h in got["hop"]]
    check("the way", hops == [(1, "10.8.0.101", 3, "ttl_exceeded", False), (2, None, 0, None, False),
                              (3, "10.8.0.103", 3, "ttl_exceeded", False), (4, "10.8.9.1", 3, None, True)], got["hop"])
    got, _ = weir.ping("10.9.0.99 -c 1 -t 20s --traceroute -r hop", code=1)
    hops = [(h["hop"], h.get("hop_ip"), h["reached"], h["reason"]) for h in got["hop"]]
    check("no way from here", hops == [(0, "10.9.0.1", False, "host_unreachable")], got["hop"])
    got, _ = weir.ping("10.8.7.1 -c 1 -t 20s --traceroute -r hop", code=1)
    hops = [(h["hop"], h.get("hop_ip"), h["reached"], h["reason"]) for h in got["hop"]]
    check("no way from a router", hops == [(1, "10.8.0.254", False, "host_unreachable")], got["hop"])
    got, told = weir.ping("nosuch.invalid 10.9.0.2 -c 1")
    check("others go on", len(got["ping"]) == 1 and "nosuch.invalid: " in told, told)
    _, told = weir.ping("nosuch.invalid -c 1", code=2)
    check("no name is left", "no name could be resolved" in told, told)


def outage(weir):
    words = "10.8.8.1 --every 20ms -t 15ms -r outage -o json"
    run = subprocess.Popen([weir.program, "ping", *words.split()], stdout=subprocess.PIPE, text=True)
    down, up = json.loads(run.stdout.readline()), json.loads(run.stdout.readline())
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=20)
    check("a signal ends it", run.returncode == 0, run.returncode)
    check("down after three", (down["state"], down["lost"], down["reason"]) == ("down", 3, "timeout"), down)
    check("up again", (up["state"], up["start"], up["lost"]) == ("up", down["start"], 10), up)
    check("for as long as ten probes take", 0.19 < up["duration"] < 5, up)
    lasted = datetime.fromisoformat(up["end"]) - datetime.fromisoformat(up["start"])
    check("which is from start to end", abs(lasted.total_seconds() - up["duration"]) < 1e-4, up)


def on_terminal(weir, words, until, **environment):
    """What a terminal of 100 columns and 12 lines is given, until it was given this, and then Ctrl-C; and the exit code."""
    here, there = pty.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 12, 100, 0, 0))
    run = subprocess.Popen([weir.program, "ping", *words.split()], stdin=there, stdout=there, stderr=subprocess.DEVNULL,
                           env={**os.environ, "TERM": "xterm", **environment}, start_new_session=True)
    os.close(there)
    seen = ""
    try:
        while chunk := os.read(here, 65536).decode(errors="replace"):
            seen += chunk
            if until and until in seen:
                until = None
                run.send_signal(signal.SIGINT)
    except OSError:  # the other end is closed
        pass
    os.close(here)
    return seen, run.wait(timeout=20)


def live(weir):
    seen, code = on_terminal(weir, "10.9.0.2 10.8.8.1 --every 20ms -t 15ms", "up again after", NO_COLOR="1")
    check("Ctrl-C ends it", code == 0, code)
    check("totals", "  2 targets  2 up  0 down" in seen, seen)
    check("an outage, above", "  10.8.8.1  down: timeout, 3 probes lost" in seen, seen)
    check("its end", "  10.8.8.1  up again after " in seen and ", 10 probes lost" in seen, seen)
    check("the outage in the table", "10.8.8.1  down 0s" in seen and "×" in seen, seen)
    check("no colours unless wanted", "\x1b[3" not in seen and "\x1b[1m" not in seen, seen)
    seen, _ = on_terminal(weir, "127.0.0.0/24 -c 2 -i 300ms", "", NO_COLOR="")
    check("whom there is no room for", "… and 246 more, all up" in seen, seen)
    check("colours", "\x1b[32mup\x1b[0m" in seen, seen)
    for words, environment in (("--no-live", {}), ("-o table", {}), ("-r ping_stats", {}), ("", {"TERM": "dumb"})):
        seen, _ = on_terminal(weir, f"10.9.0.2 -c 1 {words}", "", **environment)
        check(f"no table in place with {words or environment}", "rtt_min" in seen and "\x1b[" not in seen.replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", ""), seen)


# Three routers and a host behind them, each in a namespace of its own.
WAY = """
before=
for n in 1 2 3 4; do
  eval "pid=\\$HOP$n"
  ${before:+nsenter -t $before -n} ip link add down$n type veth peer name up$n netns $pid
  ${before:+nsenter -t $before -n} sh -ec "ip addr add 10.66.$n.1/24 dev down$n; ip addr add fd66:$n::1/64 dev down$n nodad; ip link set down$n up"
  nsenter -t $pid -n sh -ec "
    ip link set lo up
    sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    ip addr add 10.66.$n.2/24 dev up$n; ip addr add fd66:$n::2/64 dev up$n nodad; ip link set up$n up
    [ $n = 1 ] || { ip route add 10.66.1.0/24 via 10.66.$n.1; ip -6 route add fd66:1::/64 via fd66:$n::1; }"
  [ $n = 1 ] || nsenter -t $before -n sh -ec "ip route add 10.66.0.0/16 via 10.66.$n.2; ip -6 route add fd66::/16 via fd66:$n::2"
  before=$pid
done
ip route add 10.66.0.0/16 via 10.66.1.2
ip -6 route add fd66::/16 via fd66:1::2
"""


def traceroute(weir):
    hops = [subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep 600"], stdout=subprocess.PIPE) for _ in range(4)]
    try:
        for hop in hops:
            hop.stdout.readline()
        subprocess.run(["sh", "-ec", WAY], check=True, env={**os.environ, **{f"HOP{n}": str(h.pid) for n, h in enumerate(hops, 1)}})
        # What loses probes is traced: what is refused, or does not get there.
        for words, end in (("udp -p 33434", "port_unreachable"), ("tcp -p 9", "connection_refused"), ("syn -p 9 --ttl 2", None),
                           ("icmp --ttl 2", None)):
            got, _ = weir.ping(f"--probe {words} 10.66.4.2 fd66:4::2 -c 1 -t 400ms --traceroute -r hop,ping", code=1)
            for net, address, reason in ((4, "10.66.{}.2", "ttl_exceeded"), (6, "fd66:{}::2", "hop_limit_exceeded")):
                way = [(h["hop"], h.get("hop_ip"), h["sent"], h["reached"], h.get("reason"))
                       for h in got["hop"] if h["target"] == address.format(4)]
                want = [(n, address.format(n), 3, n == 4, end if n == 4 else reason) for n in (1, 2, 3, 4)]
                check(f"the way of {words} by IPv{net}", way == want, way)
            check("with round trips", all(h["received"] >= 2 and h["rtt_min"] > 0 for h in got["hop"]), got["hop"])
            if "--ttl" in words:
                too_far = {(p["status"], p["from_ip"]) for p in got["ping"]}
                check(f"{words} is too far", too_far == {("unreachable", "10.66.2.2"), ("unreachable", "fd66:2::2")}, got["ping"])
        got, _ = weir.ping("--probe tcp --ttl 2 10.66.4.2 -c 1 -t 400ms", code=1)
        ping = got["ping"][0]
        check("a router's error about a connection", (ping["status"], ping["reason"], ping["from_ip"]) ==
              ("unreachable", "ttl_exceeded", "10.66.2.2"), ping)
    finally:
        for hop in hops:
            hop.kill()


def name_server(delays):
    """Answers A questions about the names it knows with 10.9.0.2, each after its time; others do not exist."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.53", 53))

    def answer(question, sender):
        at, labels = 12, []
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        kind = question[at + 1:at + 3]
        delay = delays.get(".".join(labels))
        head = question[:2] + (b"\x81\x80" if delay is not None else b"\x81\x83") + b"\0\1\0" + bytes([delay is not None and kind == b"\0\1"]) + bytes(4)
        body = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4\n\t\0\2" if head[7] else b""
        threading.Timer(delay or 0, s.sendto, (head + question[12:at + 5] + body, sender)).start()

    def serve():
        while True:
            answer(*s.recvfrom(2000))

    threading.Thread(target=serve, daemon=True).start()


def names(weir, folder):
    name_server({"soon.test": 0, "late.test": 2, "later.test": 2.5})
    pathlib.Path(folder, "resolv.conf").write_text("nameserver 127.0.0.53\noptions timeout:10 attempts:1\n")
    script = pathlib.Path(folder, "named")
    script.write_text(f"#!/bin/sh\nexec unshare -m sh -ec 'mount --bind {folder}/resolv.conf /etc/resolv.conf; exec {weir.program} \"$@\"' - \"$@\"\n")
    script.chmod(0o755)
    named = Weir(str(script))
    got, told = named.ping("-4 late.test 10.9.0.3 soon.test nosuch.test -c 3 -i 10ms")
    order = [r["target"] for r in got["ping_stats"]]
    check("who is known does not wait", order == ["10.9.0.3", "soon.test", "late.test"], order)
    first = {t: min(r["time"] for r in got["ping"] if r["target"] == t) for t in order}
    check("and who is not joins", first["late.test"] > max(r["time"] for r in got["ping"] if r["target"] != "late.test"), first)
    check("all of its probes", [s["received"] for s in got["ping_stats"]] == [3, 3, 3], got["ping_stats"])
    check("who has no address is told", told.count("nosuch.test: ") == 1, told)
    got, _ = named.ping("-4 late.test later.test -c 1")
    check("without anybody known, the first begins", [r["target"] for r in got["ping"]] == ["late.test", "later.test"], got["ping"])
    _, told = named.ping("-4 nosuch.test another.test -c 1", code=2)
    check("none is left", told.count(".test: ") == 2 and "no name could be resolved" in told, told)
    seen, _ = on_terminal(named, "-4 late.test 10.9.0.3 -c 30 -i 100ms", "", NO_COLOR="1")
    check("on a terminal, too", "2 targets  2 up" in seen and "late.test (10.9.0.2)" in seen, seen)


def privilege(weir, folder):
    copy = pathlib.Path(folder) / "weir"
    copy.write_bytes(pathlib.Path(weir.program).read_bytes())
    copy.chmod(0o755)
    os.chmod(folder, 0o755)
    nobody = Weir(str(copy))
    _, told = nobody.ping("10.9.0.2 -c 1", user=65534, code=3)
    check("the remedy is named", "setcap cap_net_raw+ep" in told and "ping_group_range" in told, told)
    _, told = nobody.ping("--probe syn 10.9.0.2 -c 1", user=65534, code=3)
    check("for SYNs, too", f"setcap cap_net_raw+ep {copy}" in told and "--probe tcp" in told, told)
    subprocess.run("sysctl -qw net.ipv4.ping_group_range='0 2147483647'", shell=True, check=True)
    got, _ = nobody.ping("10.9.0.2 fd09::2 10.9.0.99 -c 1 -t 20s --loss 0%", user=65534, code=1)
    seen = {r["target"]: (r["status"], r.get("clock"), r.get("reason")) for r in got["ping"]}
    check("datagram sockets", seen == {"10.9.0.2": ("reply", "kernel", None), "fd09::2": ("reply", "kernel", None),
                                       "10.9.0.99": ("unreachable", None, "host_unreachable")}, seen)
    # More probes under way than a datagram socket's 16 bits of sequence number tell apart.
    got, _ = nobody.ping("127.0.0.0-127.1.255.255 -c 1 -i 0 --rate 10000000 -t 20s -r stat", user=65534)
    stat = {r["name"]: r["value"] for r in got["stat"]}
    check("131,072 targets", (stat["replies"], stat["kernel_drops"]) == (131072, 0), stat)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(404 if self.path == "/no" else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class QuietServer(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass


def answer_datagrams(answer):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))

    def serve():
        while True:
            data, sender = s.recvfrom(2000)
            s.sendto(answer(data), sender)

    threading.Thread(target=serve, daemon=True).start()
    return s.getsockname()[1]


def kinds(weir, folder):
    plain = QuietServer(("127.0.0.1", 0), Handler)
    within_tls = QuietServer(("127.0.0.1", 0), Handler)
    key, certificate = f"{folder}/key.pem", f"{folder}/certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
                    "-subj", "/CN=localhost"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    within_tls.socket = context.wrap_socket(within_tls.socket, server_side=True)
    for server in (plain, within_tls):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    http_port, tls_port = plain.server_address[1], within_tls.server_address[1]
    echo = answer_datagrams(lambda data: data)
    dns = answer_datagrams(lambda q: q[:2] + b"\x81" + (b"\x82" if b"bad" in q else b"\x80") + q[4:])
    cases = [
        (f"tcp -p {http_port}", "reply", None), ("tcp -p 9", "refused", "connection_refused"),
        (f"syn -p {http_port}", "reply", "syn_ack"), ("syn -p 9", "reply", "rst"),
        (f"udp -p {echo} -s 100", "reply", None), ("udp -p 9", "refused", "port_unreachable"),
        (f"dns -p {dns}", "reply", None), (f"dns -p {dns} --request bad.example", "refused", "servfail"),
        (f"http -p {http_port}", "reply", "http_200"), (f"http -p {http_port} --request /no", "reply", "http_404"),
        (f"http -p {http_port} --request /no --expect 200,301-308", "refused", "http_404"),
        (f"https -p {tls_port} --expect 400-404 --request /no", "reply", "http_404"),
        (f"https -p {tls_port}", "reply", "http_200"), (f"tls -p {tls_port}", "reply", None),
        (f"tls -p {http_port}", "refused", "tls_handshake_failed"),
    ]
    for words, status, reason in cases:
        got, _ = weir.ping(f"--probe {words} -4 localhost -c 2 -i 20ms -t 5s", code=0 if status == "reply" else 1)
        seen = {(r["status"], r.get("reason")) for r in got["ping"]}
        check(f"--probe {words}", seen == {(status, reason)}, got["ping"])
        check("the reason in the summary", got["ping_stats"][0].get("reason") == (None if status == "reply" else reason), got["ping_stats"])


def syn(weir):
    got, _ = weir.ping("--probe syn -p 9 10.9.0.2 fd09::2 -c 3 -i 20ms")
    seen = {(r["target"], r["status"], r["reason"], r["clock"], r["ttl"], r["from_ip"]) for r in got["ping"]}
    check("SYN", seen == {(t, "reply", "rst", "kernel", 64, t) for t in ("10.9.0.2", "fd09::2")}, got["ping"])
    got, _ = weir.ping("--probe syn -S 10.9.0.4 -p 9 10.9.0.2 -c 1 -t 5s")
    check("from another address", got["ping"][0]["status"] == "reply", got["ping"])
    got, _ = weir.ping("--probe syn 10.9.0.99 10.9.0.2 203.0.113.9 -c 1 -t 20s", code=1)
    seen = {r["target"]: (r["status"], r["reason"]) for r in got["ping"]}
    check("one error is nobody else's", seen == {"10.9.0.99": ("unreachable", "host_unreachable"), "10.9.0.2": ("reply", "rst"),
                                                 "203.0.113.9": ("failed", "Network is unreachable")}, seen)
    # A server in the other namespace never has a connection half open, nor a whole one.
    server = subprocess.Popen(["nsenter", "-t", os.environ["PEER"], "-n", sys.executable, "-c",
                               "import socket; s = socket.create_server(('10.9.0.2', 7777)); print(flush=True); s.settimeout(20)\n"
                               "try: s.accept(); print('whole')\n"
                               "except TimeoutError: pass"], stdout=subprocess.PIPE, text=True)
    server.stdout.readline()
    got, _ = weir.ping("--probe syn -p 7777 10.9.0.2 -c 200 -i 1ms -t 5s")
    check("a server answers", {(r["status"], r["reason"]) for r in got["ping"]} == {("reply", "syn_ack")}, got["ping_stats"])
    left = subprocess.run(["nsenter", "-t", os.environ["PEER"], "-n", "cat", "/proc/net/tcp"], capture_output=True, text=True, check=True).stdout
    states = [line.split()[3] for line in left.splitlines()[1:]]
    check("nothing is half open", states == ["0A"], left)  # LISTEN
    server.kill()
    check("and no connection was made", server.communicate()[0] == "")


def routes(weir):
    """Routes that lead nowhere are called what they are, and what the kernel says of other things stays."""
    kinds = {"blackhole": "a blackhole route", "prohibit": "a prohibit route", "unreachable": "an unreachable route", "throw": "Network is unreachable"}
    for number, (kind, reason) in enumerate(kinds.items(), 1):
        net = (f"10.66.{number}.0/24", f"fd66:{number}::/64")
        subprocess.run(["sh", "-ec", f"ip route add {kind} {net[0]}; ip -6 route add {kind} {net[1]}"], check=True)
        targets = f"10.66.{number}.5 fd66:{number}::5"
        for probe in ("icmp", "udp -p 9", "tcp -p 9", "syn -p 9"):
            got, _ = weir.ping(f"{targets} -c 1 -t 200ms --probe {probe}", code=1)
            check(f"{kind}, by {probe}", [(r["status"], r["reason"]) for r in got["ping"]] == [("failed", reason)] * 2, got["ping"])
            check(f"{kind}, by {probe}, in the summary", {r["reason"] for r in got["ping_stats"]} == {reason}, got["ping_stats"])
        done = subprocess.run([weir.program, "scan", *targets.split(), "-p", "9"], capture_output=True, text=True, timeout=60)
        for target in targets.split():
            check(f"{kind}, by a scan", f"weir: left out: {target}: {reason}\n" in done.stderr, done.stderr)
    got, _ = weir.ping("10.9.0.255 -c 1 -t 200ms --probe udp -p 9", code=1)
    check("a broadcast address is behind no such route", [r["reason"] for r in got["ping"]] == ["Permission denied"], got["ping"])


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    if "inside" not in sys.argv:
        if subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode != 0:
            print("SKIPPED: this kernel gives no network namespace; NOTHING of weir ping was tested")
            return 77
        return subprocess.run(["unshare", "-n", sys.executable, __file__, program, "inside"], check=False).returncode
    peer = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep 600"], stdout=subprocess.PIPE)
    peer.stdout.readline()
    os.environ["PEER"] = str(peer.pid)
    weir = Weir(program)
    try:
        subprocess.run(["sh", "-ec", SETUP], check=True)
        TunNetwork()
        with tempfile.TemporaryDirectory() as folder:
            impairments(weir)
            errors(weir)
            outage(weir)
            live(weir)
            kinds(weir, folder)
            syn(weir)
            traceroute(weir)
            names(weir, folder)
            routes(weir)
            privilege(weir, folder)
    finally:
        peer.kill()
    print(f"{len(failures)} checks failed" if failures else "ping: fine")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
