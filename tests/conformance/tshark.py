#!/usr/bin/env python3
"""Compares what weir finds in captures with what tshark finds.

  tshark.py [--weir PATH] [--corpus DIR] [--report FILE] [--only TEXT] [--jobs N]

For every capture below the corpus: packets, IP packets by transport, DNS names, HTTP hosts and URIs, TLS server
names and JA3. Each is compared as a set of values (packets as counts). A difference is an error unless
tshark_known.tsv names its cause: capture, field, reason. tshark's answers are kept under
build/tshark/ by the capture's hash, since it takes minutes.

Exit code: 0 no unexplained difference, 1 some, 77 (skipped) when the corpus or tshark is missing.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENDINGS = (".pcap", ".pcapng", ".cap", ".trace", ".dmp", ".ntar", ".snoop")
FIELDS = {
    "dns_name": ["dns.qry.name"],
    "http_host": ["http.host"],
    "http_uri": ["http.request.uri"],
    "tls_sni": ["tls.handshake.extensions_server_name", "dtls.handshake.extensions_server_name", "gquic.tag.sni"],
    "tls_ja3": ["tls.handshake.ja3", "dtls.handshake.ja3"],
}
COUNTS = ("packets", "ip", "tcp", "udp")
SEPARATOR = "\x1f"


def captures(corpus):
    for path in sorted(corpus.rglob("*")):
        name = path.name.lower()
        stem = re.sub(r"\.(gz|zst|lz4|xz)$", "", name)
        if path.is_file() and stem.endswith(ENDINGS):
            yield path


def run(command, **kwargs):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=600, check=False, **kwargs)


# Behind these tshark goes on with packets that are only quoted: in an ICMP error, an sFlow sample, an OpenFlow message.
QUOTING = {"icmp", "icmpv6", "sflow", "openflow_v4", "openflow", "openflow_v1", "ldp", "cflow"}


def outermost(protocols):
    end = next((i for i, p in enumerate(protocols) if p in QUOTING), len(protocols))
    return protocols[:end]


def normal_name(name):
    """weir writes bytes that DNS names rarely have as \\DDD (RFC 4343 §2.1), and the root as a dot; tshark shows UTF-8."""
    name = re.sub(r"((?:\\\d{3})+)", lambda m: bytes(int(d) for d in re.findall(r"\d{3}", m[1])).decode("utf-8", "replace"), name)
    name = name.strip().lower().replace("<root>", ".")
    return name if len(name) <= 1 else name.rstrip(".")


def host_only(host):
    """weir keeps a Host header's port apart, as Zeek does, and takes the brackets off IPv6 addresses."""
    host = host.strip().lower()
    bracketed = re.match(r"\[(.*)\](:\d*)?$", host)
    return bracketed[1] if bracketed else re.sub(r"^([^:]*):\d*$", r"\1", host)


def tshark_facts(path, cache):
    key = hashlib.sha256(path.read_bytes()).hexdigest()
    kept = cache / f"{key}.json"
    if kept.exists():
        return json.loads(kept.read_text())
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", f"aggregator={SEPARATOR}", "-E", "occurrence=a",
               "-o", "tcp.desegment_tcp_streams:TRUE", "-o", "ip.defragment:TRUE", "--enable-heuristic", "teredo_udp"]
    owners = [name for name, fields in FIELDS.items() for _ in fields]
    for field in ["frame.protocols", *(field for fields in FIELDS.values() for field in fields)]:
        command += ["-e", field]
    done = run(command)
    counts = collections.Counter()
    values = {name: set() for name in FIELDS}
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        columns = line.split("\t")
        counts["packets"] += 1
        protocols = set(outermost(columns[0].split(":")))
        counts["ip"] += bool(protocols & {"ip", "ipv6"})
        counts["tcp"] += "tcp" in protocols
        counts["udp"] += "udp" in protocols
        for name, text in zip(owners, columns[1:]):
            values[name].update(v for v in text.split(SEPARATOR) if v)
    facts = {"counts": counts, "values": {k: sorted(v) for k, v in values.items()}, "failed": done.returncode != 0}
    kept.write_text(json.dumps(facts))
    return facts


def weir_facts(weir, path):
    done = run([weir, "read", str(path), "--records", "packet,dns,http,tls,quic", "-o", "json", "-q"])
    facts = {"counts": collections.Counter(), "values": {name: set() for name in FIELDS}, "exit": done.returncode,
             "error": done.stderr.decode("utf-8", "replace").strip()}
    packets, transports = set(), collections.defaultdict(set)
    for line in done.stdout.splitlines():
        record = json.loads(line)
        kind = record["type"]
        if kind == "packet":
            number = record["number"]
            packets.add(number)
            if record.get("ip_length") is not None:
                transports["ip"].add(number)
                # A fragment has no payload_length: tshark, too, decodes the transport once the datagram is whole.
                if record["proto"] in ("tcp", "udp") and record.get("payload_length") is not None:
                    transports[record["proto"]].add(number)
        elif kind == "dns" and record.get("variant") != "netbios":  # tshark has other fields for these
            facts["values"]["dns_name"].add(record.get("query"))
        elif kind == "http":
            facts["values"]["http_host"].add(record.get("host"))
            facts["values"]["http_uri"].add(record.get("uri"))
        elif kind in ("tls", "quic"):
            facts["values"]["tls_sni"].add(record.get("server_name"))
            facts["values"]["tls_ja3"].add(record.get("ja3"))
    facts["counts"]["packets"] = len(packets)
    for name, numbers in transports.items():
        facts["counts"][name] = len(numbers)
    return facts


def differences(theirs, ours):
    for name in COUNTS:
        want, have = theirs["counts"].get(name, 0), ours["counts"].get(name, 0)
        if want != have:
            yield name, [str(want)], [str(have)]
    for name in FIELDS:
        clean = {"dns_name": normal_name, "tls_sni": normal_name, "http_host": host_only}.get(name, str.strip)
        want = {clean(v) for v in theirs["values"][name]} - {""}
        have = {clean(v) for v in ours["values"][name] if v} - {""}
        if want != have:
            yield name, sorted(want - have), sorted(have - want)


def known_causes(path):
    known = {}
    if path.exists():
        for line in path.read_text().splitlines():
            if line and not line.startswith("#"):
                capture, field, reason = line.split("\t")
                known[capture, field] = reason
    return known


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", default=os.environ.get("WEIR", str(ROOT / "build/release/weir")))
    parser.add_argument("--corpus", type=pathlib.Path, default=ROOT / "../shared/data")
    parser.add_argument("--report", type=pathlib.Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    if not options.corpus.is_dir() or shutil.which("tshark") is None:
        print("skipped: needs tshark and a corpus")
        return 77
    cache = ROOT / "build/tshark"
    cache.mkdir(parents=True, exist_ok=True)
    known = known_causes(pathlib.Path(__file__).with_name("tshark_known.tsv"))
    corpus = options.corpus.resolve()
    paths = [p for p in captures(corpus) if options.only in str(p)]

    def compare(path):
        return path, tshark_facts(path, cache), weir_facts(options.weir, path)

    same, explained, unexplained, unread = collections.Counter(), [], [], 0
    total = collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for path, theirs, ours in pool.map(compare, paths):
            name = str(path.relative_to(corpus))
            if ours["exit"] not in (0, 1):
                # A file that neither reads as a capture is no difference.
                unread += 1
                if theirs["counts"].get("packets", 0) > 0 and (name, "file") not in known:
                    unexplained.append((name, "file", [f"{theirs['counts']['packets']} packets"], [ours["error"]]))
                continue
            found = {field: (want, have) for field, want, have in differences(theirs, ours)}
            for field in (*COUNTS, *FIELDS):
                total[field] += 1
                if field not in found:
                    same[field] += 1
                elif (name, field) in known:
                    explained.append((name, field, known[name, field]))
                else:
                    unexplained.append((name, field, *found[field]))
    lines = [f"{len(paths)} captures, {unread} that are no captures to either.", "",
             "| compared | captures | equal | explained | unexplained |", "|---|---|---|---|---|"]
    for field in (*COUNTS, *FIELDS):
        causes = sum(1 for e in explained if e[1] == field)
        lines.append(f"| {field} | {total[field]} | {same[field]} | {causes} | {total[field] - same[field] - causes} |")
    print("\n".join(lines))
    used = {(name, field) for name, field, _ in explained}
    read = {str(path.relative_to(corpus)) for path in paths}
    for name, field in sorted(key for key in known if key not in used and key[0] in read):
        print(f"{name}\t{field}\tno difference any more: take it out of tshark_known.tsv")
    for name, field, want, have in unexplained:
        print(f"{name}\t{field}\ttshark only: {want[:5]}\tweir only: {have[:5]}")
    if options.report:
        reasons = collections.Counter(reason for _, _, reason in explained)
        text = ["# weir and tshark on the same captures", "",
                "Made by `tests/conformance/tshark.py --report docs/conformance-tshark.md`.", "", *lines, "",
                "## Why the explained ones differ", "", "| differences | reason |", "|---|---|"]
        text += [f"| {count} | {reason} |" for reason, count in reasons.most_common()]
        options.report.write_text("\n".join(text) + "\n")
    print(f"{sum(same.values())} passed, {len(unexplained)} failed")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
