#!/usr/bin/env python3
"""weir --store against real clickhouse-server processes, compared with what weir read prints.

run.py --weir build/release/weir [--only NAME]
"""
import argparse
import glob
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from datetime import datetime, timezone

sys.path.insert(0, os.path.dirname(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../golden/collect"))
import expected
from export_to import payloads
from proxy import Proxy
from server import Server, wait_until

DATA = os.path.join(os.path.dirname(__file__), "../data")
CAPTURES = sorted(glob.glob(f"{DATA}/*.pcap"))
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def check(condition, message):
    if not condition:
        raise AssertionError(message)


class Weir:
    def __init__(self, binary):
        self.binary = binary

    def command(self, url, spool, captures, *options):
        return [self.binary, "read", *captures, "-r", "all", "-q", "--store", url, "--data", spool, *options]

    def store(self, url, spool, captures=CAPTURES, *options, code=0):
        done = subprocess.run(self.command(url, spool, captures, *options), capture_output=True, text=True, timeout=120)
        check(done.returncode == code, f"exit code {done.returncode}, not {code}: {done.stderr}")
        return done.stderr

    def collect(self, url, *options, state=None):
        """A weir that collects on a port of loopback: the process, and the port."""
        command = [self.binary, "collect", "-l", "127.0.0.1:0", "--store", url, "--threads", "1", *options]
        environment = os.environ | ({"XDG_STATE_HOME": state} if state else {})
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)
        said = process.stderr.readline()
        found = re.search(r"listening on 127\.0\.0\.1:(\d+)", said)
        check(found is not None, f"weir collect does not listen: {said}")
        return process, int(found[1])

    def start(self, url, spool, captures=CAPTURES, *options):
        return subprocess.Popen(self.command(url, spool, captures, *options), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def spooled(spool):
    return glob.glob(f"{spool}/wal/*.wal")


def same_rows(server, database, records, suffix=""):
    """Every table holds what weir read prints, value for value."""
    for name, wanted in records.items():
        stored = [expected.from_clickhouse(row) for row in server.rows(f"SELECT * FROM {database}.{name}{suffix}")]
        check(len(stored) == len(wanted), f"{name}: {len(stored)} rows, not {len(wanted)}")
        pairs = zip(sorted(map(expected.key, stored)), sorted(map(expected.key, wanted)))
        for got, want in pairs:
            check(got == want, f"{name}:\n  stored {got}\n  read   {want}")


@test
def every_value(weir, folder):
    server = Server(f"{folder}/server").start()
    old = [expected.earlier(c, days, f"{folder}/{days}-{os.path.basename(c)}") for c in CAPTURES for days in (1, 400)]
    weir.store(f"clickhouse://127.0.0.1:{server.http}/net", f"{folder}/spool", CAPTURES + old, "--sensor", "a'b\\c")
    records = expected.records(weir.binary, CAPTURES + old, "a'b\\c")
    check(len(records) > 15, "the captures have many record types")
    same_rows(server, "net", records)
    check(not spooled(f"{folder}/spool"), "the spool is empty at the end")
    days = server.rows("SELECT partition, count() AS parts FROM system.parts WHERE active AND table = 'flow' GROUP BY partition")
    check(len(days) > 1, "one partition a day")


@test
def password(weir, folder):
    server = Server(f"{folder}/server", password="a:b@c").start()
    weir.store(f"clickhouse://default:a%3Ab%40c@127.0.0.1:{server.http}/net", f"{folder}/spool", CAPTURES[:1])
    said = weir.store(f"clickhouse://default:wrong@127.0.0.1:{server.http}/net", f"{folder}/spool2", CAPTURES[:1], code=3)
    check("assword" in said, f"the server's reason is told: {said}")


@test
def newer_schema(weir, folder):
    server = Server(f"{folder}/server").start()
    url = f"clickhouse://127.0.0.1:{server.http}/net"
    weir.store(url, f"{folder}/spool", CAPTURES[:1], "--sensor", "s")
    for column in ("rtt", "sensor"):
        server.sql(f"ALTER TABLE net.flow DROP COLUMN {column}")
    server.sql("ALTER TABLE net.flow ADD COLUMN note String")
    server.sql("ALTER TABLE net.flow DELETE WHERE 1")
    wait_until(lambda: server.rows("SELECT count() AS n FROM net.flow")[0]["n"] == 0, "the old rows to go")
    weir.store(url, f"{folder}/spool", CAPTURES, "--sensor", "s")
    rows = [r for r in server.rows("SELECT * FROM net.flow")]
    for row in rows:
        check(row.pop("note") == "", "a column of somebody else keeps its default")
    wanted = expected.records(weir.binary, CAPTURES, "s")["flow"]
    check(sorted(expected.key(expected.from_clickhouse(r)) for r in rows) == sorted(map(expected.key, wanted)), "all columns are back")
    server.sql("ALTER TABLE net.flow DROP COLUMN vlan")
    server.sql("ALTER TABLE net.flow ADD COLUMN vlan String")
    said = weir.store(url, f"{folder}/spool3", CAPTURES, code=3)
    check("column vlan" in said and "MODIFY COLUMN" in said, f"a column of another type is told: {said}")


@test
def away_at_start(weir, folder):
    server = Server(f"{folder}/server")
    url = f"clickhouse://127.0.0.1:{server.http}/net"
    said = weir.store(url, f"{folder}/spool", CAPTURES, "--sensor", "s", code=3)
    check("nothing is lost" in said, said)
    check(spooled(f"{folder}/spool"), "the records wait in the spool")
    server.start()
    weir.store(url, f"{folder}/spool", CAPTURES[:1], "--sensor", "s")
    records = expected.records(weir.binary, CAPTURES, "s")
    again = expected.records(weir.binary, CAPTURES[:1], "s")
    same_rows(server, "net", {name: rows + again.get(name, []) for name, rows in records.items()})


@test
def killed_and_restarted(weir, folder):
    """The server dies and hangs while captures come one after the other from a pipe."""
    server = Server(f"{folder}/server").start()
    url = f"clickhouse://127.0.0.1:{server.http}/net"
    stop = threading.Event()

    def trouble():
        for turn in itertools.count():
            if stop.is_set():
                return
            inserted = server.rows("SELECT count() AS n FROM system.parts WHERE database = 'net'")[0]["n"]
            wait_until(lambda: stop.is_set() or inserts_after(inserted), "inserts")
            if turn % 2 == 0:
                server.kill()
                server.start()
            else:
                server.signal(signal.SIGSTOP)
                stop.wait(0.3)
                server.signal(signal.SIGCONT)

    def inserts_after(count):
        return server.rows("SELECT count() AS n FROM system.parts WHERE database = 'net'")[0]["n"] != count

    thread = threading.Thread(target=trouble)
    thread.start()
    rounds = 8
    try:
        for _ in range(rounds):
            # Exit code 3 while the server is away: what is left is published by the next one.
            subprocess.run(weir.command(url, f"{folder}/spool", CAPTURES, "--sensor", "s"), capture_output=True, timeout=120)
    finally:
        stop.set()
        thread.join()
    weir.store(url, f"{folder}/spool", CAPTURES, "--sensor", "s")
    records = expected.records(weir.binary, CAPTURES, "s")
    same_rows(server, "net", {name: rows * (rounds + 1) for name, rows in records.items()})


@test
def cut_connections(weir, folder):
    """A proxy cuts connections after some bytes in either direction: nothing is lost, nothing is there twice."""
    server = Server(f"{folder}/server").start()
    with Proxy(server.http, seed=3) as proxy:
        url = f"clickhouse://127.0.0.1:{proxy.port}/net"
        rounds = 15
        for _ in range(rounds):
            subprocess.run(weir.command(url, f"{folder}/spool", CAPTURES, "--sensor", "s"), capture_output=True, timeout=120)
        cuts = proxy.cuts
        proxy.cutting = False
        weir.store(url, f"{folder}/spool", CAPTURES, "--sensor", "s")
    check(cuts >= 10, f"the proxy cut {cuts} connections")
    records = expected.records(weir.binary, CAPTURES, "s")
    same_rows(server, "net", {name: rows * (rounds + 1) for name, rows in records.items()})


@test
def killed_weir(weir, folder):
    """weir is killed at the moments at which inserts happen; whoever comes next publishes what it left, once."""
    server = Server(f"{folder}/server").start()
    url = f"clickhouse://127.0.0.1:{server.http}/net"
    with Proxy(server.http, seed=4, cutting=False) as proxy:
        spool, killed, rounds = f"{folder}/spool", 0, 0
        for turn in range(15):
            # Every time some more requests are let through before the blow.
            process = weir.start(f"clickhouse://127.0.0.1:{proxy.port}/net", spool, CAPTURES, "--sensor", "s")
            seen = proxy.requests
            wait_until(lambda: proxy.requests >= seen + 1 + 9 * turn or process.poll() is not None, "requests")
            process.kill()
            killed += process.wait() == -signal.SIGKILL
            process.stderr.close()
            rounds += 1
    weir.store(url, spool, CAPTURES, "--sensor", "s")
    rounds += 1
    check(killed > 8, f"killed {killed} times")
    # close() hands all records over at once, before the first request: a killed weir had them all on the disk.
    records = expected.records(weir.binary, CAPTURES, "s")
    same_rows(server, "net", {name: rows * rounds for name, rows in records.items()})


def export(port, capture):
    """Sends what exporters sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for payload in payloads(f"{DATA}/{capture}"):
            sender.sendto(payload, ("127.0.0.1", port))


def ended(process, code=0):
    """By SIGTERM: what had arrived is collected, and handed over."""
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=120)
    check(process.returncode == code, f"exit code {process.returncode}, not {code}: {said}")
    return said


@test
def collected(weir, folder):
    """Flow exports by UDP, while the server is there, away, and there again; the spool is where the environment says."""
    server = Server(f"{folder}/server").start()
    url = f"clickhouse://127.0.0.1:{server.http}/net"
    process, port = weir.collect(url, "--sensor", "s", "--flush", "100ms", state=folder)
    export(port, "export_v5.pcap")
    wait_until(lambda: "flow" in server.tables("net") and server.rows("SELECT count() AS n FROM net.flow")[0]["n"] == 58, "flows of NetFlow v5")
    server.kill()
    export(port, "export_v9.pcap")
    said = process.stderr.readline()
    check("cannot store" in said, f"the server is away: {said}")
    check(spooled(f"{folder}/weir/spool"), "the flows wait in the spool")
    server.start()
    export(port, "export_ipfix.pcap")
    ended(process)
    check(not spooled(f"{folder}/weir/spool"), "the spool is empty at the end")
    captures = [f"{DATA}/export_{name}.pcap" for name in ("v5", "v9", "ipfix")]
    same_rows(server, "net", {"flow": expected.flows(weir.binary, captures, "s")})
    stats = server.rows("SELECT protocol, value FROM net.stat WHERE name = 'export_flows' ORDER BY time, protocol")
    check({row["protocol"] for row in stats} == {"netflow", "netflow9", "ipfix"}, f"counts of every exporter: {stats}")


@test
def lost_replies(weir, folder):
    """The server takes every block, and its replies are lost: nothing is there twice."""
    server = Server(f"{folder}/server").start()
    with Proxy(server.http, seed=5, cutting=False) as proxy:
        proxy.losing = True
        url = f"clickhouse://127.0.0.1:{proxy.port}/net"
        # Each try gets one block further: the one before is found to be there.
        wanted = expected.records(weir.binary, CAPTURES[:1], "s")
        for _ in wanted:
            subprocess.run(weir.command(url, f"{folder}/spool", CAPTURES[:1], "--sensor", "s"), capture_output=True, timeout=120)
        check(proxy.lost >= len(wanted), f"{proxy.lost} replies were lost")
        proxy.losing = False
        weir.store(url, f"{folder}/spool", CAPTURES[:1], "--sensor", "s")
    same_rows(server, "net", {name: rows * (len(wanted) + 1) for name, rows in wanted.items()})


@test
def still_inserting(weir, folder):
    """An insert whose reply was lost goes on in the server: whoever comes next waits for its end."""
    server = Server(f"{folder}/server").start()
    url = f"clickhouse://127.0.0.1:{server.http}/net"
    weir.store(url, f"{folder}/spool", CAPTURES[:1], "--sensor", "s")
    server.sql("CREATE MATERIALIZED VIEW net.slow ENGINE = Null AS SELECT sleep(3) AS s FROM net.flow")
    with Proxy(server.http, seed=6, cutting=False) as proxy:
        process = weir.start(f"clickhouse://127.0.0.1:{proxy.port}/net", f"{folder}/spool", CAPTURES[:1], "--sensor", "s")
        running = "SELECT count() AS n FROM system.processes WHERE query_id LIKE 'weir/%/flow/%'"
        wait_until(lambda: server.rows(running)[0]["n"] == 1, "the insert to begin")
        process.kill()
        process.wait()
        process.stderr.close()
    said = weir.store(url, f"{folder}/spool", CAPTURES[1:2], "--sensor", "s", code=3)
    check("still running" in said, f"it is told: {said}")
    wait_until(lambda: server.rows(running)[0]["n"] == 0, "the insert to end")
    server.sql("DROP TABLE net.slow")
    weir.store(url, f"{folder}/spool", CAPTURES[:1], "--sensor", "s")
    first, second = (expected.records(weir.binary, [c], "s") for c in CAPTURES[:2])
    same_rows(server, "net", {name: first.get(name, []) * 3 + second.get(name, []) for name in first | second})


@test
def same_query_runs(weir, folder):
    """The server already runs a query of the insert's name (its error 216, as when an insert that hung wakes up)."""
    server = Server(f"{folder}/server").start()
    url = f"clickhouse://127.0.0.1:{server.http}/net"
    # Far more time than it takes: the segment is handed over at the end.
    process, port = weir.collect(url, "--sensor", "s", "--flush", "1h", "--data", f"{folder}/spool")
    export(port, "export_v5.pcap")
    wait_until(lambda: spooled(f"{folder}/spool"), "a segment")
    segment = os.path.basename(spooled(f"{folder}/spool")[0]).removesuffix(".wal")
    wanted = expected.flows(weir.binary, [f"{DATA}/export_v5.pcap"], "s")
    day = wanted[0]["time"] // (86400 * 1_000_000)
    names = [f"weir/s/{segment}/flow/{day}/0"]
    sleeper = threading.Thread(target=lambda: server.sql("SELECT sleep(3)", query_id=names[0]))
    sleeper.start()
    wait_until(lambda: server.rows(f"SELECT count() AS n FROM system.processes WHERE query_id = '{names[0]}'")[0]["n"] == 1, "the query to run")
    said = ended(process, code=3)
    check("already running" in said and "nothing is lost" in said, said)
    sleeper.join()
    process, _ = weir.collect(url, "--sensor", "s", "--data", f"{folder}/spool")
    ended(process)
    same_rows(server, "net", {"flow": wanted})


@test
def two_shards(weir, folder):
    servers = [Server(f"{folder}/server{i}") for i in range(2)]
    for server in servers:
        server.shards = servers
    for server in servers:
        server.start()
    hosts = ",".join(f"127.0.0.1:{s.http}" for s in servers)
    sensors = [f"sensor{i}" for i in range(4)]
    running = [weir.start(f"clickhouse://{hosts}/net?cluster=weir", f"{folder}/spool-{s}", CAPTURES, "--sensor", s) for s in sensors]
    for process in running:
        _, said = process.communicate(timeout=120)
        check(process.returncode == 0, f"exit code {process.returncode}: {said}")
    records = {}
    for sensor in sensors:
        for name, rows in expected.records(weir.binary, CAPTURES, sensor).items():
            records.setdefault(name, []).extend(rows)
    for server in servers:  # either answers for all
        same_rows(server, "net", records)
        held = sum(server.rows(f"SELECT count() AS n FROM net.{name}_local")[0]["n"] for name in records)
        check(held > 0, "every shard holds something")
    said = weir.store(f"clickhouse://{hosts}/net?cluster=other", f"{folder}/spool", CAPTURES[:1], code=3)
    check("knows no cluster other" in said, said)


@test
def shard_away(weir, folder):
    """While one shard is away everything waits; afterwards both have their share, once."""
    servers = [Server(f"{folder}/server{i}") for i in range(2)]
    for server in servers:
        server.shards = servers
    for server in servers:
        server.start()
    url = "clickhouse://" + ",".join(f"127.0.0.1:{s.http}" for s in servers) + "/net?cluster=weir"
    weir.store(url, f"{folder}/spool", CAPTURES, "--sensor", "s")
    servers[1].kill()
    weir.store(url, f"{folder}/spool", CAPTURES, "--sensor", "s", code=3)
    servers[1].start()
    weir.store(url, f"{folder}/spool", CAPTURES, "--sensor", "s")
    records = expected.records(weir.binary, CAPTURES, "s")
    same_rows(servers[0], "net", {name: rows * 3 for name, rows in records.items()})


QUESTIONS = [
    ["top", "src_ip"],
    ["top", "ip,dst_port", "--by", "flows", "-n", "0"],
    ["top", "src_ip/24/64", "-n", "0"],
    ["top", "src_ip/13/57,proto", "-n", "0", "--by", "packets:asc"],
    ["top", "application", "--by", "bits_per_second", "--where", "packets > 2 and not src_ip == 10.77.0.1"],
    ["top", "query", "-r", "dns", "--by", "records", "--where", "query endswith '.example' or rcode == 3"],
    ["top", "proto", "--over", "1m"],
    ["flows"],
    ["flows", "--sort", "bytes", "-n", "7", "--where", "src_ip in 10.0.0.0/8 and dst_ip in 10.77.0.0-10.77.0.9"],
    ["flows", "--where", "src_ip in fd77::/64 or src_ttl == 1"],
    ["flows", "-r", "tls", "--where", "alpn_offered == 'h2' and established and server_name contains 'example'"],
    ["flows", "-r", "http", "--where", "user_agent matches \"CURL|wget\""],
    ["flows", "--where", "not nat_src_ip in 10.0.0.0/13"],
    ["flows", "-r", "certificate"],
    ["flows", "-A", "src_port,application", "-n", "5"],
]


@test
def asked(weir, folder):
    """Questions get the same answers from ClickHouse and from the lake."""
    server = Server(f"{folder}/server").start()
    url = f"clickhouse://127.0.0.1:{server.http}/net"
    weir.store(url, f"{folder}/spool", CAPTURES, "--sensor", "s")
    subprocess.run([weir.binary, "read", *CAPTURES, "-r", "all", "-q", "--data", f"{folder}/lake", "--sensor", "s"], check=True, timeout=120)

    def answer(*command, code=0):
        done = subprocess.run([weir.binary, *command], capture_output=True, text=True, timeout=120)
        check(done.returncode == code, f"{command}: exit code {done.returncode}: {done.stderr}")
        return done.stdout.splitlines() if code == 0 else done.stderr

    for question in QUESTIONS:
        raw = ["--raw"] if question[0] == "top" or "-A" in question else []
        wanted = answer(*question, *raw, "-q", "-o", "json", "--data", f"{folder}/lake")
        got = answer(*question, "-q", "-o", "json", "--store", url)
        if question[0] == "flows" and "--sort" not in question:
            wanted, got = sorted(wanted), sorted(got)
        # A list that was null has become an empty one.
        got, wanted = ([{k: v for k, v in json.loads(line).items() if v != []} for line in lines] for lines in (got, wanted))
        check(got == wanted, f"{question}:\n  ClickHouse {got[:3]}\n  lake {wanted[:3]}")
        check(wanted, f"{question} has an answer")
    # Interfaces' counters: a few of loopback's, in both.
    for stored in (["--store", url, "--data", f"{folder}/spool"], ["--data", f"{folder}/lake"]):
        answer("bandwidth", "lo", "--every", "20ms", "-c", "3", "-q", *stored)
    history = [answer("bandwidth", "lo", "--history", "day", "-q", "-o", "csv", "-f", "time,name,period", *stored) for stored in (["--store", url], ["--data", f"{folder}/lake"])]
    check(history[0] == history[1] and len(history[0]) == 2, history)
    rows = answer("query", "SELECT sum(in_bytes_delta) AS n FROM counter", "-q", "-o", "csv", "--store", url)
    check(answer("bandwidth", "lo", "--history", "year", "-q", "-o", "csv", "-f", "in_bytes", "--store", url)[1] == rows[1], rows)
    rows = answer("query", "SELECT proto, sum(bytes) AS bytes, ['a\\'b', 'c'] AS list, toDate(0) AS date, NULL AS nothing "
                  "FROM flow GROUP BY proto ORDER BY proto", "-q", "-o", "json", "--store", url)
    check(len(rows) > 1 and json.loads(rows[0])["list"] == ["a'b", "c"], rows)
    said = answer("query", "SELECT nonsense FROM flow", "-q", "--store", url, code=2)
    check("nonsense" in said and said.count("\n") == 1, said)
    said = answer("query", "DROP TABLE flow", "-q", "--store", url, code=2)
    check("readonly" in said, said)
    server.kill()
    said = answer("top", "src_ip", "-q", "--store", url, code=3)
    check("refused" in said, said)


@test
def old_days_go(weir, folder):
    server = Server(f"{folder}/server").start()
    url = f"clickhouse://127.0.0.1:{server.http}/net"
    old = [expected.earlier(CAPTURES[0], days, f"{folder}/{days}.pcap") for days in (1, 2, 9)]
    weir.store(url, f"{folder}/spool", [CAPTURES[0], *old], "--sensor", "s")
    times = [r["time"] for r in server.rows("SELECT time FROM net.flow")]
    day = 86400 * 1_000_000
    now = datetime.now(timezone.utc).timestamp() * 1_000_000
    oldest, newest = min(times) // day, max(times) // day
    check(oldest < newest, "flows of several days")
    # The newest day stays by some hours: its age is that of its last microsecond.
    keep = int((now - (newest + 1) * day) / 1_000_000) + 3600
    process = weir.start(url, f"{folder}/spool", CAPTURES[:1], "--sensor", "s", "--keep", f"{max(keep, 60)}s")
    process.communicate(timeout=120)
    wait_until(lambda: min(r["time"] for r in server.rows("SELECT time FROM net.flow")) // day == newest, "old days to go")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--weir", default="build/release/weir")
    parser.add_argument("--only")
    arguments = parser.parse_args()
    if shutil.which("clickhouse-server") is None:
        print("skipped: no clickhouse-server")
        return 77
    failed = 0
    for function in TESTS:
        if arguments.only and arguments.only != function.__name__:
            continue
        started = Server.started
        try:
            with tempfile.TemporaryDirectory(prefix="weir-clickhouse-") as folder:
                try:
                    function(Weir(os.path.abspath(arguments.weir)), folder)
                finally:
                    while len(started) > 0:
                        started.pop().stop()
            print(f"ok     {function.__name__}", flush=True)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            failed += 1
            print(f"FAILED {function.__name__}: {str(error)[:2000]}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
