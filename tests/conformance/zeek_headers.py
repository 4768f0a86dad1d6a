#!/usr/bin/env python3
"""The #fields and #types of every log that `weir read CAPTURE --profile zeek` writes against those in Zeek's own test baselines.

zeek_headers.py --weir PROGRAM --baselines testing/btest/Baseline CAPTURE...
"""
import argparse
import collections
import pathlib
import subprocess
import sys
import tempfile


def header(path):
    """(log, (fields, types)), or None for what is not a Zeek log."""
    lines = dict.fromkeys(("#path", "#fields", "#types"))
    try:
        for line in path.read_text(encoding="utf-8").split("\n")[:12]:
            key, _, rest = line.partition("\t")
            if key in lines:
                lines[key] = rest
    except UnicodeDecodeError:
        return None
    return (lines["#path"], (lines["#fields"], lines["#types"])) if all(lines.values()) else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--weir", required=True)
    parser.add_argument("--baselines", required=True, type=pathlib.Path)
    parser.add_argument("captures", nargs="+")
    options = parser.parse_args()

    known = collections.defaultdict(collections.Counter)
    for path in options.baselines.rglob("*.log"):
        found = header(path)
        if found:
            known[found[0]][found[1]] += 1

    seen, wrong = collections.Counter(), set()
    for capture in options.captures:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(
                [options.weir, "read", capture, "--profile", "zeek", "-w", folder + "/"], stderr=subprocess.DEVNULL, timeout=300, check=False
            )
            for path in pathlib.Path(folder).glob("*.log"):
                log, columns = header(path)
                seen[log] += 1
                if columns not in known[log] and log not in wrong:
                    wrong.add(log)
                    print(f"{log}: no baseline has\n  {columns[0]}\n  {columns[1]}")
    print(f"zeek: {len(seen)} logs, {len(wrong)} with a header that no baseline has;", dict(seen))
    return 1 if wrong or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
