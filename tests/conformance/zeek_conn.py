#!/usr/bin/env python3
"""Compares weir's flow records with the conn.log that Zeek's own tests expect, trace by trace.

usage: zeek_conn.py WEIR CORPUS [--show N]

CORPUS holds Zeek's testing/btest with INDEX.tsv, which pairs traces with tests. Prints how many connections agree in
each field, then every one that does not with its reason where zeek_conn.reasons has one; exits 1 when a
difference has no reason. Zeek's time stamps are blanked in the baselines, so connections are paired by addresses and ports, and
where a baseline has no addresses by likeness. Two things are not compared: the letter X, by which Zeek marks what it gave
up analysing, and the duration, which in Zeek ends before a connection's last acknowledgment.
"""
import argparse
import collections
import csv
import json
import pathlib
import subprocess
import sys

FIELDS = ["conn_state", "history", "orig_bytes", "resp_bytes", "missed_bytes", "orig_pkts", "resp_pkts",
          "orig_ip_bytes", "resp_ip_bytes"]


def zeek_rows(path):
    """The rows of a conn.log: Zeek's format, or the columns that a test cut out with zeek-cut -m."""
    names = None
    for line in path.read_text().splitlines():
        cells = line.split("\t")
        if line.startswith("#fields"):
            names = cells[1:]
        elif line.startswith("#") or not line:
            continue
        elif names is None:
            names = cells
        else:
            row = {name: None if cell == "-" else cell for name, cell in zip(names, cells)}
            if row.get("history"):
                row["history"] = row["history"].replace("X", "").replace("x", "")
            yield row


def weir_rows(weir, trace):
    run = subprocess.run([weir, "read", trace, "-o", "json", "--records", "flow", "--time", "epoch"],
                         capture_output=True, text=True, timeout=120)
    for line in run.stdout.splitlines():
        r = json.loads(line)
        icmp = r["proto"] in ("icmp", "icmpv6")
        transport = r["proto"] in ("tcp", "udp")
        yield {
            "id": (r["src_ip"], r["src_port"] if transport or icmp else 0, r["dst_ip"],
                   r["dst_port"] if transport else 0),
            "proto": "icmp" if icmp else r["proto"] if transport else "unknown_transport",
            "conn_state": r["state"], "history": r.get("history") or None, "orig_bytes": r["src_payload"],
            "resp_bytes": r["dst_payload"], "missed_bytes": r.get("src_missed", 0) + r.get("dst_missed", 0),
            "orig_pkts": r["src_packets"], "resp_pkts": r["dst_packets"],
            "orig_ip_bytes": r["src_bytes"], "resp_ip_bytes": r["dst_bytes"],
        }


def zeek_id(row):
    for names in (("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p"), ("src_ip", "src_port", "dst_ip", "dst_port")):
        if names[0] in row:
            a, ap, b, bp = (row[n] for n in names)
            return (a, int(ap), b, 0 if row["proto"] == "icmp" else int(bp))  # Zeek puts the answer's type there
    return None


def same(field, want, have):
    if field in ("orig_bytes", "resp_bytes") and want is None:
        return True  # Zeek leaves them out of connections of one packet
    if want is None or have is None:
        return want == have
    return str(want) == str(have)


def differences(zeek, weir):
    return [f for f in FIELDS if f in zeek and not same(f, zeek[f], weir[f])]


def pair(zeek, weir):
    """Yields (zeek row, weir row or None); consumes weir."""
    for want in zeek:
        key = zeek_id(want)
        candidates = [w for w in weir if key is None or w["id"] == key]
        flipped = not candidates and key is not None
        if flipped:
            candidates = [w for w in weir if w["id"] == key[2:] + key[:2]]
        if not candidates:
            yield want, None, False
            continue
        best = min(candidates, key=lambda w: len(differences(want, w)))
        weir.remove(best)
        yield want, best, flipped


def load_reasons(path):
    reasons = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        if line and not line.startswith("#"):
            trace, fields, reason = line.split("\t")
            reasons.setdefault(trace, []).append((set(fields.split(",")), reason))
    return reasons


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("weir")
    arguments.add_argument("corpus", type=pathlib.Path)
    arguments.add_argument("--show", type=int, default=10**6, help="differences to print")
    options = arguments.parse_args()
    reasons = load_reasons(pathlib.Path(__file__).with_suffix(".reasons"))

    agree, total, traces, unexplained = collections.Counter(), collections.Counter(), 0, 0
    lines = []
    with open(options.corpus / "INDEX.tsv", encoding="utf-8") as index:
        tests = [t for t in csv.DictReader(index, delimiter="\t") if "conn.log" in t["baseline_logs"].split(",")]
    for test in tests:
        log = options.corpus / "testing/btest/Baseline" / test["btest"] / "conn.log"
        wanted = list(zeek_rows(log))
        if not wanted:
            continue
        traces += 1
        found = list(weir_rows(options.weir, options.corpus / test["trace"]))
        for want, have, flipped in pair(wanted, found):
            wrong = ["absent"] if have is None else ["flipped"] if flipped else differences(want, have)
            for f in FIELDS:
                if f in want:
                    total[f] += 1
                    agree[f] += have is not None and not flipped and f not in wrong
            if not wrong:
                continue
            name = pathlib.Path(test["trace"]).name
            reason = next((r for fields, r in reasons.get(name, []) if set(wrong) <= fields), None)
            unexplained += reason is None
            detail = " ".join(f"{f}={want.get(f)}/{have[f]}" for f in wrong if have and f in have)
            key = zeek_id(want) or want.get("history")
            lines.append(f"{name} {key} [{' '.join(wrong)}] {detail} {'; ' + reason if reason else 'UNEXPLAINED'} ({test['command']})")
    print(f"{traces} traces, {max(total.values())} connections")
    for f in FIELDS:
        print(f"  {f:14} {agree[f]:4} of {total[f]:4}  {100 * agree[f] / max(total[f], 1):5.1f} %")
    for line in lines[: options.show]:
        print(line)
    print(f"{len(lines)} connections differ, {unexplained} without a reason")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
