#!/usr/bin/env python3
"""weir's vnstat tables beside those of Debian's vnstat, out of the same 5-minute counts: its database is filled here, and so is a folder of
weir's records. Usage: vnstat.py PATH/TO/weir"""
import collections
import datetime
import difflib
import json
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

UPDATED = datetime.datetime(2023, 11, 30, 18, 57, 16)  # long ago: nothing is of today or yesterday
PERIODS = {"fiveminute": "%Y-%m-%d %H:%M:00", "hour": "%Y-%m-%d %H:00:00", "day": "%Y-%m-%d", "month": "%Y-%m-01", "year": "%Y-01-01"}
# In the middle of a day, a month and a year; with nothing sent in between, and gaps.
CASES = {"forty days": (40, 0.7, 400_000_000), "two hours": (0.1, 0.9, 5_000), "two years": (500, 0.02, 900_000_000)}


def slots(days, busy, most):
    """Start (local time), received, sent."""
    random.seed(days)
    at = (UPDATED - datetime.timedelta(days=days)).replace(minute=10, second=0)
    while at <= UPDATED:
        if random.random() < 0.95 or at > UPDATED - datetime.timedelta(hours=1):
            received = random.randrange(1, most) if random.random() < busy else random.randrange(1, 2000)
            yield at, received, received // random.randrange(2, 40) + random.randrange(1, 1000)
        at += datetime.timedelta(minutes=5)


def fill_vnstat(folder, counts):
    config = folder / "vnstat.conf"
    config.write_text(f'DatabaseDir "{folder}"\n')
    subprocess.run(["vnstatd", "--config", config, "--initdb"], check=True, capture_output=True)
    database = sqlite3.connect(folder / "vnstat.db")
    totals = [sum(c[i] for c in counts) for i in (1, 2)]
    database.execute("INSERT INTO interface VALUES (1, 'eth0', '', 1, ?, ?, 0, 0, ?, ?)", (counts[0][0].strftime("%F %T"), UPDATED.strftime("%F %T"), *totals))
    for table, form in [*PERIODS.items(), ("top", PERIODS["day"])]:
        sums = collections.defaultdict(lambda: [0, 0])
        for start, received, sent in counts:
            row = sums[start.strftime(form)]
            row[0] += received
            row[1] += sent
        database.executemany(f"INSERT INTO {table} (interface, date, rx, tx) VALUES (1, ?, ?, ?)", [(d, *v) for d, v in sums.items()])
    database.commit()
    database.close()


def fill_weir(program, folder, counts):
    """One record at the end of each slot; the last one has just been read."""
    lines = folder / "slots.csv"
    rows = []
    for start, received, sent in counts:
        end = min(start + datetime.timedelta(minutes=5), UPDATED)
        rows.append(f"{end.timestamp()},{(end - start).total_seconds()},{received},{sent}")
    lines.write_text("ended,length,rx,tx\n" + "\n".join(rows) + "\n")
    hour = folder / "lake/counter/date=2023-11-30/hour=00"
    hour.mkdir(parents=True)
    subprocess.run([program, "query", "-d", folder, "-o", "parquet", "-w", hour / "a.parquet",
                    "SELECT to_timestamp(ended) AS \"time\", CAST(NULL AS VARCHAR) AS device, 'eth0' AS \"name\", length::DOUBLE AS \"interval\", rx::UBIGINT AS in_bytes_delta, "
                    f"tx::UBIGINT AS out_bytes_delta FROM read_csv('{lines}')"], check=True)


def percentile_95(rates):
    """vnstat's definition, which its 2.10 does not have yet: of n averages in ascending order the one at place lrint(0.95 n)."""
    bits = int(sorted(rates)[round(0.95 * len(rates)) - 1])
    if bits < 1000:
        return f"{bits} bit/s"
    value = bits / 1000
    for unit in ("kbit/s", "Mbit/s", "Gbit/s"):
        if value < 1000:
            return f"{value:.2f} {unit}"
        value /= 1000
    return ""


def output(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    if not shutil.which("vnstatd"):
        print("SKIPPED: no vnstat; NOTHING of its tables was tested")
        return 77
    os.environ["TZ"] = "Asia/Kolkata"  # half an hour from the others, and clocks are never changed
    time.tzset()
    failed = 0
    for case, how in CASES.items():
        counts = list(slots(*how))
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            fill_vnstat(folder, counts)
            fill_weir(program, folder, counts)
            theirs = ["vnstat", "--config", folder / "vnstat.conf", "-i", "eth0"]
            ours = [program, "bandwidth", "--profile", "vnstat", "--dbdir", folder, "-i", "eth0"]
            for words in ("", "-5", "-h", "-d", "-m", "-y", "-t", "-5 100", "-h 60", "--days 3", "-m 1", "--top 4", "--oneline", "--oneline b"):
                first, second = output([*theirs, *words.split()]), output([*ours, *words.split()])
                if first == second:
                    continue
                failed += 1
                print(f"FAILED: {case}: vnstat {words}")
                print("\n".join(difflib.unified_diff(first.splitlines(), second.splitlines(), "vnstat", "weir", lineterm="", n=0)))
            percentile = output([*ours, "--95th"])
            if any(f"{percentile_95([how(c) * 8 / 300 for c in counts if c[0].strftime('%Y-%m') == UPDATED.strftime('%Y-%m')])}\n" not in percentile
                   for how in (lambda c: c[1], lambda c: c[2], lambda c: c[1] + c[2])):
                failed += 1
                print(f"FAILED: {case}: percentiles: {percentile}")
            traffic = [json.loads(output([*command, "--json"]))["interfaces"][0]["traffic"] for command in (theirs, ours)]
            for kind in PERIODS:
                values = [[(r["date"], r.get("time"), r["rx"], r["tx"]) for r in t[kind]] for t in traffic]
                if values[0][-len(values[1]):] != values[1] or not values[1]:
                    failed += 1
                    print(f"FAILED: {case}: {kind} in JSON: {values[0][-2:]} {values[1][-2:]}")
    print(f"{failed} checks failed" if failed else "vnstat: fine")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
