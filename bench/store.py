#!/usr/bin/env python3
"""The same flows in nfcapd's files and in weir's lake: questions answered in turn, seconds and sizes, as ratios.

  store.py [--flows MILLIONS] [--rounds N] [--weir PATH] [--blaster PATH] [--report FILE] [--keep FOLDER]

nfcapd collects what bench/tools/blaster.cpp sends and writes lz4 files; weir imports these files, so that both hold
the same flows. Then each question goes to nfdump and to weir alternately; times are whole processes, the page cache is
warm. The last part makes a month of sums per minute for 1,000 interfaces with weir query, and asks for charts.
"""
import argparse
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from collect import free_port, sockets, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[1]
RATE = 400_000  # flows a second: nfcapd must lose none
QUEUE_BYTES = 64 << 20
INTERFACES = 1000
DAYS = 30


def run(command, **more):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **more).stdout


def timed(command):
    start = time.perf_counter()
    out = run(command)
    return time.perf_counter() - start, out


def folder_bytes(folder):
    return sum(f.stat().st_size for f in pathlib.Path(folder).rglob("*") if f.is_file())


def collect_with_nfcapd(folder, blaster, millions):
    port = free_port()
    nfcapd = subprocess.Popen(
        ["nfcapd", "-y", "-w", folder, "-p", str(port), "-b", "127.0.0.1", "-B", str(QUEUE_BYTES), "-t", "3600"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: sockets(port), "nfcapd listens")
        sent = json.loads(run([blaster, str(port), str(RATE), str(millions * 1_000_000 // RATE)]))
        wait_until(lambda: all(waiting == 0 for waiting, _ in sockets(port)), "nfcapd has read everything")
    finally:
        nfcapd.send_signal(signal.SIGTERM)
        nfcapd.wait()
    stored = sum(int(n) for n in re.findall(r"^Flows: (\d+)", run(["nfdump", "-R", folder, "-I"]), re.M))
    if stored != sent["flows"]:
        sys.exit(f"store.py: nfcapd stored {stored} of {sent['flows']} flows; lower RATE")
    return stored


def import_into_lake(weir, files, lake):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    run([weir, "read", *files, "--data", lake, "-q"])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, cpu


def questions(nfcapd, lake, weir):
    """name, nfdump's command, weir's command, and what of each answer must agree."""
    popular = json.loads(run([weir, "top", "src_ip,dst_port", "--by", "flows", "-n", "40", "--data", lake, "-o", "json"]).splitlines()[-1])
    address, port = popular["src_ip"], popular["dst_port"]
    rows = lambda text: [line.split(",") for line in text.splitlines()]
    nf = ["nfdump", "-R", nfcapd]

    def nf_ranked(text):
        return [(r[4], int(r[9])) for r in rows(text)[1:] if len(r) > 9 and "." in r[4]][:10]

    def weir_ranked(text):
        return [(r["src_ip"], r["bytes"]) for r in map(json.loads, text.splitlines())]

    return [
        ("top 10 src_ip by bytes", nf + ["-s", "srcip/bytes", "-n", "10", "-o", "csv"],
         [weir, "top", "src_ip", "--by", "bytes", "-n", "10", "--data", lake, "-o", "json"], nf_ranked, weir_ranked),
        ("top 10 dst_ip,dst_port by flows", nf + ["-A", "dstip,dstport", "-O", "flows", "-n", "10", "-o", "csv"],
         [weir, "top", "dst_ip,dst_port", "--by", "flows", "-n", "10", "--data", lake, "-o", "json"], None, None),
        (f"flows of one address and a port ({popular['flows']} flows)",
         nf + ["-o", "csv", "-q", f"src ip {address} and dst port {port}"],
         [weir, "flows", "--where", f"src_ip == {address} and dst_port == {port}", "--data", lake, "-o", "json"],
         lambda t: sum(1 for r in rows(t) if len(r) > 20 and r[0] != "ts"), lambda t: len(t.splitlines())),
        ("bytes of TCP", nf + ["-s", "proto/bytes", "-o", "csv", "proto tcp"],
         [weir, "top", "proto", "--where", "proto == tcp", "--data", lake, "-o", "json"], None, None),
    ]


def compare(asked, rounds):
    lines = []
    for name, nfdump, weir, of_nfdump, of_weir in asked:
        theirs, ours = [], []
        for _ in range(rounds):
            seconds, their_answer = timed(nfdump)
            theirs.append(seconds)
            seconds, our_answer = timed(weir)
            ours.append(seconds)
        if of_nfdump is not None and of_nfdump(their_answer) != of_weir(our_answer):
            print(f"store.py: answers differ: {name}: {of_nfdump(their_answer)} {of_weir(our_answer)}", file=sys.stderr)
        a, b = statistics.median(theirs), statistics.median(ours)
        lines.append(f"| {name} | {a:.2f} s | {b:.2f} s | {a / b:.1f} |")
    return lines


def make_month(weir, lake):
    """Sums per minute and per hour for every interface, as weir itself would have made them."""
    for day in range(DAYS):
        begin = 1767225600 + day * 86400
        stamp = time.strftime("date=%Y-%m-%d", time.gmtime(begin))
        for table, step in (("flow_1m", 60), ("flow_1h", 3600)):
            folder = pathlib.Path(lake, "lake", table, stamp)
            folder.mkdir(parents=True)
            sql = (f"SELECT make_timestamp(({begin} + m * {step}) * 1000000) AS time, 'bench' AS sensor, "
                   "'192.0.2.1' AS exporter, i::UINTEGER AS in_interface, NULL::UINTEGER AS out_interface, 'tcp' AS proto, "
                   "NULL::VARCHAR AS application, NULL::VARCHAR AS direction, NULL::UINTEGER AS src_as, NULL::UINTEGER AS dst_as, "
                   "NULL::VARCHAR AS src_country, NULL::VARCHAR AS dst_country, NULL::VARCHAR AS src_network, "
                   "NULL::VARCHAR AS dst_network, NULL::VARCHAR AS src_ip, NULL::VARCHAR AS dst_ip, 100::UBIGINT AS flows, "
                   f"(hash(i * 7919 + m + {day}) % 1000000000)::UBIGINT AS bytes, (hash(i + m) % 1000000)::UBIGINT AS packets, "
                   "0::UBIGINT AS src_bytes, 0::UBIGINT AS dst_bytes, 0::UBIGINT AS src_packets, 0::UBIGINT AS dst_packets "
                   f"FROM range({86400 // step}) t(m), range({INTERFACES}) u(i) ORDER BY time, i")
            run([weir, "query", sql, "--data", lake, "-o", "parquet", "-w", str(folder / "r.parquet"), "-q"])


def charts(weir, lake, rounds):
    asked = [
        ("a month, all interfaces, by hour", ["top", "in_interface", "--over", "1h", "-n", "5"]),
        ("a month, one interface, by hour", ["top", "in_interface", "--over", "1h", "--where", "in_interface == 7"]),
        ("a day, one interface, by minute",
         ["top", "in_interface", "--over", "1m", "--where", "in_interface == 7"]),
        ("a month, ten largest interfaces", ["top", "in_interface", "-n", "10"]),
    ]
    lines = []
    for name, words in asked:
        until = "2026-01-02T00:00:00Z" if name.startswith("a day") else "2026-01-31T00:00:00Z"
        command = [weir, *words, "--from", "2026-01-01T00:00:00Z", "--to", until, "--data", lake, "-o", "json"]
        seconds = statistics.median(timed(command)[0] for _ in range(rounds))
        lines.append(f"| {name} | {seconds * 1000:.0f} ms |")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flows", type=int, default=10, help="millions")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--weir", default=str(ROOT / "build/release/weir"))
    parser.add_argument("--blaster", default=str(ROOT / "build/release/bench/weir_blaster"))
    parser.add_argument("--report")
    parser.add_argument("--keep", help="put the files here and leave them")
    args = parser.parse_args()
    folder = args.keep or tempfile.mkdtemp(prefix="weir-bench-store-")
    nfcapd, lake = os.path.join(folder, "nfcapd"), os.path.join(folder, "lake")
    os.makedirs(nfcapd, exist_ok=True)
    try:
        flows = collect_with_nfcapd(nfcapd, args.blaster, args.flows)
        files = sorted(str(f) for f in pathlib.Path(nfcapd).glob("nfcapd.*"))
        seconds, cpu = import_into_lake(args.weir, files, lake)
        their_bytes, our_bytes = folder_bytes(nfcapd), folder_bytes(os.path.join(lake, "lake", "flow"))
        report = [f"{flows:,} flows; {os.cpu_count()} cores; {args.rounds} rounds, medians", "",
                  f"- on disk: nfcapd lz4 {their_bytes / flows:.1f} bytes a flow, weir {our_bytes / flows:.1f}",
                  f"- imported in {seconds:.1f} s, {cpu / flows * 1e6:.2f} CPU s per million flows", "",
                  "| question | nfdump | weir | times as fast |", "|---|---|---|---|"]
        report += compare(questions(nfcapd, lake, args.weir), args.rounds)
        month = os.path.join(folder, "month")
        make_month(args.weir, month)
        report += ["", f"{DAYS} days of sums per minute, {INTERFACES:,} interfaces:", "", "| chart | weir |", "|---|---|"]
        report += charts(args.weir, month, args.rounds)
    finally:
        if not args.keep:
            shutil.rmtree(folder)
    text = "\n".join(report)
    print(text)
    if args.report:
        pathlib.Path(args.report).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
