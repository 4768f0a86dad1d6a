#!/usr/bin/env python3
"""Compares weir info with capinfos over a corpus of captures.

The corpus holds PCAPINFO.tsv: one row per capture with path, packets, data_bytes, duration_s and capinfos_note (what
capinfos complained about). A row without packets is one that capinfos could not read whole: weir must say that it
is damaged, or read it, but not crash. Exit code 1 when anything differs, 77 (skipped) when there is no corpus.
"""
import argparse
import csv
import json
import pathlib
import subprocess
import sys

AT_ONCE = 100  # files per command line
# Captures that weir reads though capinfos refuses them, and why that is right.
READ_ALL_THE_SAME = {
    "network type": "an unknown link type is no obstacle to counting",
    "doesn't support": "an unknown minor version is read as the one known",
}
# Files by name, where the two count differently.
JUSTIFIED = {
    "atm-oam-heapoverflow.pcap": "capinfos leaves the pseudo-header of SunATM out",
    "timestamp_invalid_micro.pcap": "a fraction above a second is carried over, not wrapped",
    "timestamp_invalid_nano.pcap": "a fraction above a second is carried over, not wrapped",
}


def described(weir, corpus, paths):
    """What weir tells, by path. A capture that it refuses is not in it."""
    found = {}
    for start in range(0, len(paths), AT_ONCE):
        part = paths[start:start + AT_ONCE]
        done = subprocess.run([weir, "info", "--no-digest", "-o", "json", *part], cwd=corpus, capture_output=True, check=False)
        if done.returncode not in (0, 1, 2):
            sys.exit(f"weir info ended with {done.returncode} on one of {part[0]} … {part[-1]}:\n{done.stderr.decode()}")
        for line in done.stdout.decode().splitlines():
            record = json.loads(line)
            found[record["file"]] = record
    return found


def number(text):
    """None for what capinfos prints when there is no number, or an overflown one: n/a, -3116215213.-00058."""
    try:
        return float(text)
    except ValueError:
        return None


def difference(row, got):
    """What is wrong, or why a difference is right after "(", or None."""
    note = row["capinfos_note"]
    if got is None:
        return f"refused, capinfos has {row['packets'] or 'no'} packets"
    if row["packets"] == "":
        if "damage" in got:
            return None
        reason = next((why for key, why in READ_ALL_THE_SAME.items() if key in note), None)
        return f"({reason})" if reason else f"{got['packets']} packets and no damage; capinfos: {note}"
    if got["packets"] != int(row["packets"]):
        return f"{got['packets']} packets, capinfos has {row['packets']}"
    if row["data_bytes"] and got["bytes"] != int(row["data_bytes"]):
        return f"{got['bytes']} bytes, capinfos has {row['data_bytes']}"
    duration = number(row["duration_s"])
    if duration is not None and abs(got.get("duration", 0) - duration) > 1e-6 * max(1, duration):
        return f"{got.get('duration', 0)} s, capinfos has {row['duration_s']}"
    if "damage" in got and not note:
        return f"damaged, not for capinfos: {got['damage']}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=pathlib.Path, help="the folder that holds PCAPINFO.tsv")
    parser.add_argument("--weir", default="weir", help="the program under test")
    parser.add_argument("-v", action="store_true", help="print the justified differences as well")
    options = parser.parse_args()
    table = options.corpus / "PCAPINFO.tsv"
    if not table.is_file():
        print(f"skipped: there is no {table}")
        return 77
    with table.open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines, delimiter="\t") if (options.corpus / row["path"]).is_file()]
    weir = str(pathlib.Path(options.weir).resolve()) if "/" in options.weir else options.weir
    found = described(weir, options.corpus, [row["path"] for row in rows])
    wrong = justified = 0
    for row in rows:
        what = difference(row, found.get(row["path"]))
        if what is None:
            continue
        reason = JUSTIFIED.get(pathlib.PurePath(row["path"]).name)
        what = f"({reason}) {what}" if reason else what
        justified += what.startswith("(")
        wrong += not what.startswith("(")
        if options.v or not what.startswith("("):
            print(f"{row['path']}: {what}")
    print(f"{len(rows)} captures: {len(rows) - wrong - justified} alike, {justified} justified, {wrong} wrong")
    return 1 if wrong or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
