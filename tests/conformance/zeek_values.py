#!/usr/bin/env python3
"""Compares the values in the logs of `weir read TRACE --profile zeek` with those that Zeek's own tests expect, column by column.

usage: zeek_values.py WEIR CORPUS [--show N] [LOG...]

CORPUS holds Zeek's testing/btest with INDEX.tsv, which pairs traces with tests. Rows are paired by addresses and ports, and
those of one connection by likeness; times, identifiers and what Zeek's file analysis finds are left out. conn.log is
zeek_conn.py's. Prints how many values agree, then those that do not.
"""
import argparse
import collections
import csv
import pathlib
import subprocess
import tempfile

LOGS = ["dns", "http", "ssl", "ssh", "ftp", "smtp", "dhcp", "ntp", "quic", "x509"]
SKIP = {"ts", "uid", "uids", "fuid", "fuids", "orig_fuids", "resp_fuids", "mime_type", "orig_mime_types", "resp_mime_types",
        "orig_filenames", "resp_filenames"}
IDENTITY = ["id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "fingerprint", "mac"]


def rows(path):
    names = None
    for line in path.read_bytes().decode("utf-8", "backslashreplace").split("\n"):
        cells = line.split("\t")
        if line.startswith("#fields"):
            names = cells[1:]
        elif line and not line.startswith("#"):
            if names is None:
                names = cells  # cut out by zeek-cut -m
            else:
                yield dict(zip(names, cells))


def likeness(want, have):
    return sum(want[c] == have[c] for c in want if c in have)


def pairs(wanted, found):
    for want in wanted:
        key = [c for c in IDENTITY if c in want]
        same = [h for h in found if all(h.get(c) == want[c] for c in key)]
        if not same:
            yield want, None
            continue
        best = max(same, key=lambda h: likeness(want, h))
        found.remove(best)
        yield want, best


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("weir")
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("logs", nargs="*", default=LOGS)
    parser.add_argument("--show", type=int, default=10**6, help="differences to print")
    options = parser.parse_args()

    agree, total, absent, lines = collections.Counter(), collections.Counter(), collections.Counter(), []
    with open(options.corpus / "INDEX.tsv", encoding="utf-8") as index:
        tests = list(csv.DictReader(index, delimiter="\t"))
    for test in tests:
        logs = [log for log in options.logs if log + ".log" in test["baseline_logs"].split(",")]
        if not logs:
            continue
        with tempfile.TemporaryDirectory() as folder:
            trace = options.corpus / test["trace"]
            subprocess.run([options.weir, "read", trace, "--profile", "zeek", "-w", folder + "/"], stderr=subprocess.DEVNULL, timeout=120, check=False)
            for log in logs:
                path = pathlib.Path(folder) / (log + ".log")
                found = list(rows(path)) if path.exists() else []
                for want, have in pairs(rows(options.corpus / "testing/btest/Baseline" / test["btest"] / path.name), found):
                    if have is None:
                        absent[log] += 1
                        lines.append(f"{log} {trace.name}: no row {want}")
                        continue
                    for column in want.keys() & have.keys() - SKIP - set(IDENTITY):
                        total[log] += 1
                        agree[log] += want[column] == have[column]
                        if want[column] != have[column]:
                            lines.append(f"{log} {column} {trace.name}: {want[column]!r} in Zeek, {have[column]!r} here")
                lines += [f"{log} {trace.name}: row that Zeek has not {row}" for row in found]
    for log in options.logs:
        print(f"{log:5} {agree[log]:6} of {total[log]:6} values agree, {absent[log]} rows absent")
    for line in sorted(lines)[: options.show]:
        print(line)


if __name__ == "__main__":
    main()
