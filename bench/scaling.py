#!/usr/bin/env python3
"""What a million exported flows cost at each place they pass, for docs/scaling.md: decoding, collecting, the lake, ClickHouse
with one server and with two shards; bytes on disk; questions.

  scaling.py [--flows N] [--rounds N] [--weir PATH] [--blaster PATH] [--update]

The flows are the blaster's (bench/tools/blaster.cpp), received once and kept as a capture of NetFlow v9, so that every run
gets the same ones, of an hour that is over. CPU seconds are those of all threads, by the kernel; medians of the rounds.
--update writes the tables into docs/scaling.md, between its marks.
"""
import argparse
import json
import os
import pathlib
import re
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path += [str(ROOT / "bench"), str(ROOT / "tests/clickhouse")]
from collect import free_port, measure
from server import Server, wait_until

DOCUMENT = ROOT / "docs/scaling.md"
MARKS = "<!-- bench/scaling.py: from here -->\n", "<!-- bench/scaling.py: to here -->\n"
HOURS_AGO = 2 * 3600
RATE = 200_000  # flows/s from the blaster
TICKS = os.sysconf("SC_CLK_TCK")


def received(blaster, flows):
    """The blaster's datagrams, and how many flows they tell of."""
    datagrams = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 26)
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(1)

        def receive():
            try:
                while True:
                    datagrams.append(receiver.recv(65535))
            except TimeoutError:
                pass

        port = receiver.getsockname()[1]
        sender = subprocess.Popen([blaster, str(port), str(RATE), str(flows / RATE)], stdout=subprocess.PIPE)
        thread = threading.Thread(target=receive)
        thread.start()
        sent = json.loads(sender.communicate()[0])["flows"]
        thread.join()
    return datagrams, sent


def capture(path, datagrams):
    """As they would have been seen on a network two hours ago."""
    now = int(time.time()) - HOURS_AGO
    out = bytearray(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for number, datagram in enumerate(datagrams):
        datagram = datagram[:8] + struct.pack(">I", now) + datagram[12:]
        packet = bytes(12) + b"\x08\x00" + struct.pack(">BBHHHBBHII", 0x45, 0, 28 + len(datagram), 0, 0, 64, 17, 0, 0x0A000001, 0x0A000002)
        packet += struct.pack(">HHHH", 9995, 9995, 8 + len(datagram), 0) + datagram
        out += struct.pack("<IIII", now, number % 1_000_000, len(packet), len(packet)) + packet
    path.write_bytes(out)


def cost(*command):
    """CPU seconds and wall seconds of a command."""
    began = time.monotonic()
    child = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"scaling.py: {' '.join(map(str, command))}: exit code {child.returncode}")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - began


def cpu_of(server):
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def lake(options, flows):
    with tempfile.TemporaryDirectory() as data:
        cpu, wall = cost(options.weir, "collect", options.capture, "-r", "flow", "-q", "--data", data)
        size = sum(p.stat().st_size for p in pathlib.Path(data, "lake/flow").rglob("*.parquet"))
        asked, _ = cost(options.weir, "top", "src_ip", "-q", "-o", "json", "--raw", "--data", data)
    return {"cpu": cpu, "wall": wall, "bytes": size / flows, "asked": asked}


def clickhouse(options, shards, flows):
    with tempfile.TemporaryDirectory() as folder:
        servers = [Server(f"{folder}/server{i}") for i in range(shards)]
        try:
            for server in servers:
                server.shards = servers
                server.start()
            url = "clickhouse://" + ",".join(f"127.0.0.1:{s.http}" for s in servers) + "/net" + ("?cluster=weir" if shards > 1 else "")
            before = [cpu_of(s) for s in servers]
            cpu, wall = cost(options.weir, "collect", options.capture, "-r", "flow", "-q", "--data", f"{folder}/spool", "--store", url)
            wait_until(lambda: all(s.rows("SELECT count() AS n FROM system.merges")[0]["n"] == 0 for s in servers), "merges to end")
            inserting = [cpu_of(s) - b for s, b in zip(servers, before)]
            table = "flow_local" if shards > 1 else "flow"
            parts = f"SELECT sum(rows) AS n, sum(data_compressed_bytes) AS disk FROM system.parts WHERE active AND table = '{table}'"
            held = [s.rows(parts)[0] for s in servers]
            before = sum(cpu_of(s) for s in servers)
            asked, _ = cost(options.weir, "top", "src_ip", "-q", "-o", "json", "--store", url)
            asked += sum(cpu_of(s) for s in servers) - before
        finally:
            for server in servers:
                server.stop()
                Server.started.remove(server)
    if sum(h["n"] for h in held) != flows:
        sys.exit(f"scaling.py: {sum(h['n'] for h in held)} of {flows} flows are in ClickHouse")
    return {"cpu": cpu, "wall": wall, "servers": sum(inserting), "bytes": sum(h["disk"] for h in held) / flows, "rows": max(h["n"] for h in held), "asked": asked}


def medians(run, rounds):
    results = [run() for _ in range(rounds)]
    return {key: statistics.median(r[key] for r in results) for key in results[0]}


def live(options):
    port = free_port()
    return measure(options, "weir", [options.weir, "collect", "-q", "-l", f"127.0.0.1:{port}", "-r", "stat", "-w", "/dev/null", "-o", "csv"], None, port)


def rate(cpu):
    """Flows a second that one core takes, of CPU seconds for a million."""
    return f"{round(1e6 / cpu, -4):,.0f}"


def measured(options, flows):
    """The table's rows, per million flows."""
    per = 1e6 / flows
    decode = medians(lambda: dict(zip(("cpu", "wall"), cost(options.weir, "collect", options.capture, "-q", "-r", "flow", "--where", "bytes == 0", "-o", "csv"))), options.rounds)
    collect = medians(lambda: live(options), options.rounds)
    stored = medians(lambda: lake(options, flows), options.rounds)
    servers = [medians(lambda n=n: clickhouse(options, n, flows), options.rounds) for n in (1, 2)]
    received_cpu = collect["cpu"] / collect["sent"] * 1e6
    spool = servers[0]["cpu"] * per
    rows = [
        ("decode NetFlow v9, out of a capture", decode["cpu"] * per, ""),
        (f"receive and decode it by UDP, {collect['rate']:,.0f} flows/s", received_cpu, f"{collect['lost']:.0f} of {collect['sent']:,.0f} lost"),
        ("decode it, store it in the lake, merged and summed up", stored["cpu"] * per, f"{stored['bytes']:.1f} bytes a flow on disk"),
        ("decode it, spool it, send it to ClickHouse", spool, ""),
        ("ClickHouse, one server: insert and merge it", servers[0]["servers"] * per, f"{servers[0]['bytes']:.1f} bytes a flow on disk"),
        ("ClickHouse, two shards: both together", servers[1]["servers"] * per, f"{servers[1]['rows'] / flows * 100:.0f} % on the fuller one"),
    ]
    questions = [("the lake", stored["asked"]), ("ClickHouse, one server", servers[0]["asked"]), ("ClickHouse, two shards", servers[1]["asked"])]
    return rows, [(where, seconds * per) for where, seconds in questions], stored, servers[0]


def sizing(stored, server, flows):
    per = 1e6 / flows
    yield "| flows/s | flows a day | lake: disk for 90 days | lake: cores | ClickHouse: disk for 90 days | sensors: cores | servers: cores |"
    yield "|---|---|---|---|---|---|---|"
    for n in (1_000, 10_000, 100_000, 1_000_000):
        day = n * 86_400
        disk = [f"{day * 90 * size / 1e12:,.2f} TB" for size in (stored["bytes"], server["bytes"])]
        cores = [f"{n / 1e6 * cpu * per:.3g}" for cpu in (stored["cpu"], server["cpu"], server["servers"])]
        yield f"| {n:,} | {day / 1e6:,.0f} M | {disk[0]} | {cores[0]} | {disk[1]} | {cores[1]} | {cores[2]} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--weir", default=str(ROOT / "build/release/weir"))
    parser.add_argument("--blaster", default=str(ROOT / "build/release/bench/weir_blaster"))
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    options.rate, options.seconds, options.exporters = RATE, 5, 1
    with tempfile.TemporaryDirectory() as folder:
        options.capture = pathlib.Path(folder, "flows.pcap")
        datagrams, flows = received(options.blaster, options.flows)
        capture(options.capture, datagrams)
        counted = subprocess.run([options.weir, "collect", options.capture, "-q", "-r", "stat", "-o", "csv", "-f", "name,value"], check=True, stdout=subprocess.PIPE, text=True).stdout
        found = re.search(r"export_flows,(\d+)", counted)
        if found is None or int(found[1]) != flows:
            sys.exit(f"scaling.py: {found and found[1]} of {flows} flows were recorded; is the machine too busy?")
        rows, questions, stored, server = measured(options, flows)
    lines = [f"{flows:,} flows, {options.rounds} rounds, {os.cpu_count()} cores:", ""]
    lines += ["| what is done | CPU s per M flows | flows/s per core | |", "|---|---|---|---|"]
    lines += [f"| {what} | {cpu:.2f} | {rate(cpu)} | {note} |" for what, cpu, note in rows]
    lines += ["", "| `weir top src_ip` of them | CPU s per M flows |", "|---|---|"]
    lines += [f"| {where} | {seconds:.2f} |" for where, seconds in questions]
    lines += ["", "So, in proportion, without questions:", "", *sizing(stored, server, flows)]
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if options.update:
        head, rest = DOCUMENT.read_text(encoding="utf-8").split(MARKS[0])
        DOCUMENT.write_text(head + MARKS[0] + text + MARKS[1] + rest.split(MARKS[1])[1], encoding="utf-8")


if __name__ == "__main__":
    main()
