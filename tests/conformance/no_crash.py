#!/usr/bin/env python3
"""Reads every capture of a corpus, whole and damaged ones, and looks at nothing but how weir ends.

  no_crash.py [--weir PATH] [--corpus DIR] [--jobs N]

Each must end within a minute with exit code 0 (read whole), 1 (damaged), or 2 (not a capture), write nothing but JSON, and
one line on stderr if the code is not 0. With a sanitizer build as --weir it also finds what does not crash.

Exit code: 0 all ended well, 1 some did not, 77 (skipped) without the corpus.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

from tshark import ROOT, captures


# A sanitizer's report is no damaged capture.
REPORTS = {name: "exitcode=99" for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS")}


def ending(weir, path):
    """(exit code, what is wrong or None)"""
    try:
        done = subprocess.run([weir, "read", str(path), "-r", "all", "-o", "json", "-q"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60, check=False, env={**os.environ, **REPORTS})
    except subprocess.TimeoutExpired:
        return None, "took more than a minute"
    complaint = done.stderr.decode("utf-8", "replace").strip()
    if done.returncode not in (0, 1, 2):
        return done.returncode, f"exit code {done.returncode}: {complaint[-2000:]}"
    if (done.returncode != 0) != bool(complaint):
        return done.returncode, f"exit code {done.returncode} with stderr {complaint!r}"
    try:
        for line in done.stdout.decode("utf-8").splitlines():
            json.loads(line)
    except ValueError as error:
        return done.returncode, f"no JSON: {error}"
    return done.returncode, None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", default=os.environ.get("WEIR", str(ROOT / "build/release/weir")))
    parser.add_argument("--corpus", type=pathlib.Path, default=ROOT / "../shared/data")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    if not options.corpus.is_dir():
        print("skipped: needs a corpus")
        return 77
    paths = list(captures(options.corpus.resolve()))
    codes, bad = collections.Counter(), 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for path, (code, wrong) in zip(paths, pool.map(lambda p: ending(options.weir, p), paths)):
            codes[code] += 1
            if wrong is not None:
                bad += 1
                print(f"{path}: {wrong}")
    print(f"{len(paths)} captures: {codes[0]} read whole, {codes[1]} damaged, {codes[2]} refused; {bad} ended badly")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
