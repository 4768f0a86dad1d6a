#!/usr/bin/env python3
"""Counts how many published JA3, JA3S and JA4 values weir computes alike.

  fingerprints.py [--weir PATH] [--corpus DIR]

The values come with captures of FoxIO's JA4 (its Python and Rust programs' outputs), Arkime's and Suricata's tests. FoxIO
and Arkime name the connection: the value must be in a record of that client. Suricata names the value: it must be in
the capture. fingerprints_known.tsv, reviewed by hand, names values that weir is right not to give: capture, value,
reason.

Exit code: 0 every value was found, 1 some were not, 77 (skipped) without the corpus.
"""
import argparse
import collections
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
KINDS = ("ja3", "ja3s", "ja4")
ENDINGS = (".pcap", ".pcapng", ".cap")


def found_in(weir, capture):
    """(kind, client or None) -> values; None holds the values of all clients."""
    command = [weir, "read", str(capture), "--records", "tls,quic", "-o", "json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=300, check=False)
    values = collections.defaultdict(set)
    for line in done.stdout.splitlines():
        record = json.loads(line)
        for field in (*KINDS, "retry_ja4"):
            if record.get(field):
                for key in (None, (record["src_ip"], record["src_port"])):
                    values[field.removeprefix("retry_"), key].add(record[field])
    return values


def foxio_python(folder):
    for answers in sorted((folder / "python/test/testdata").glob("*.json")):
        for stream in json.loads(answers.read_text() or "[]"):
            for key, value in stream.items():
                kind = key.split(".")[0].lower()
                if kind in ("ja3", "ja4"):
                    yield folder / "pcap" / answers.stem, (stream["src"], int(stream["srcport"])), kind, value


def foxio_rust(folder):
    for answers in sorted((folder / "rust/ja4/src/snapshots").glob("*.snap")):
        capture = folder / "pcap" / answers.stem.removeprefix("ja4__insta@")
        for stream in re.split(r"^- ", answers.read_text(), flags=re.MULTILINE)[1:]:
            fields = dict(re.findall(r"^(?:  )?(src|src_port|ja4): (\S+)$", stream, flags=re.MULTILINE))
            if "ja4" in fields:
                yield capture, (fields["src"], int(fields["src_port"])), "ja4", fields["ja4"]


def arkime(folder):
    for answers in sorted((folder / "tests/pcap").glob("*.test")):
        capture = next((c for c in (answers.with_suffix(e) for e in ENDINGS) if c.exists()), None)
        if capture is None:
            continue
        for session in json.loads(answers.read_text()).get("sessions3", []):
            body = session["body"]
            client = body["source"].get("ip"), body["source"].get("port")
            for kind in KINDS:
                for value in body.get("tls", {}).get(kind, []) + body.get("quic", {}).get(kind, []):
                    yield capture, client, kind, value


def suricata(folder):
    for case in sorted(folder.glob("tests/**/test.yaml")):
        text = case.read_text()
        named = re.search(r"^pcap: *(\S+)", text, flags=re.MULTILINE)
        captures = [case.parent / named[1]] if named else [c for c in sorted(case.parent.iterdir()) if c.suffix in ENDINGS]
        if len(captures) != 1 or not captures[0].exists():
            continue
        for check in re.split(r"^ *- filter:", text, flags=re.MULTILINE)[1:]:
            if re.search(r"count: *0\b", check):
                continue
            for kind, value in re.findall(r"(ja3s?)\.hash: *[\"']?([0-9a-f]{32})", check):
                yield captures[0].resolve(), None, kind, value
            for value in re.findall(r"\bja4: *[\"']?([tqd][0-9a-z]{9}_[0-9a-f]{12}_[0-9a-f]{12})", check):
                yield captures[0].resolve(), None, "ja4", value


SOURCES = {
    "FoxIO python": (foxio_python, "fingerprints/FoxIO-LLC+ja4"),
    "FoxIO rust": (foxio_rust, "fingerprints/FoxIO-LLC+ja4"),
    "Arkime": (arkime, "corpus/arkime+arkime"),
    "Suricata": (suricata, "ids/OISF+suricata-verify"),
}


def known_differences():
    path = pathlib.Path(__file__).with_name("fingerprints_known.tsv")
    rows = (line.rstrip("\n").split("\t") for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return {(capture, value): reason for capture, value, reason in rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--weir", default=str(ROOT / "build/release/weir"))
    parser.add_argument("--corpus", default=os.environ.get("WEIR_CORPUS", str(ROOT.parent / "shared/data")), type=pathlib.Path)
    options = parser.parse_args()
    if not options.corpus.is_dir():
        print(f"fingerprints: skipped, no corpus at {options.corpus}")
        return 77

    known, used, found, failures = known_differences(), set(), {}, 0
    for source, (expected, folder) in SOURCES.items():
        counts = collections.Counter()
        for capture, client, kind, value in expected(options.corpus / folder):
            if capture not in found:
                found[capture] = found_in(options.weir, capture)
            counts[kind, "all"] += 1
            if value in found[capture][kind, client]:
                counts[kind, "alike"] += 1
            elif (capture.name, value) in known:
                counts[kind, "known"] += 1
                used.add((capture.name, value))
            else:
                failures += 1
                print(f"{source}: {capture.relative_to(options.corpus.resolve())} {client or ''}: no {kind} {value}")
        shown = ", ".join(f"{k} {counts[k, 'alike']} of {counts[k, 'all']} (known {counts[k, 'known']})" for k in KINDS if counts[k, "all"])
        print(f"fingerprints: {source}: {shown}")
    for capture, value in sorted(known.keys() - used):
        failures += 1
        print(f"fingerprints_known.tsv: {capture} {value} is not needed any more")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
