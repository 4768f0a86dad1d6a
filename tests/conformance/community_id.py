#!/usr/bin/env python3
"""Compares weir's Community IDs with the specification's baseline.

usage: community_id.py WEIR SPEC

SPEC is a copy of corelight/community-id-spec. Every tuple of its baseline must be a flow of weir's with that identifier, and
weir may give no identifier that the baseline lacks. Exits 1 otherwise.
"""
import ipaddress
import json
import pathlib
import subprocess
import sys

NUMBERS = {"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "rsvp": 46, "icmpv6": 58, "sctp": 132}


def ends(proto, a, a_port, b, b_port):
    """The unordered pair of ends; ports only where they are ports."""
    ports = proto in (6, 17, 132)
    one = (ipaddress.ip_address(a), a_port if ports else None)
    other = (ipaddress.ip_address(b), b_port if ports else None)
    return proto, frozenset({one, other})


def main():
    weir, spec = sys.argv[1], pathlib.Path(sys.argv[2])
    wanted = {(ends(r["proto"], r["saddr"], r["sport"], r["daddr"], r["dport"]), r["communityid"])
              for r in json.loads((spec / "baseline/baseline_deflt.json").read_text())}
    run = subprocess.run([weir, "read", spec / "pcaps/combined.pcap.gz", "-o", "json", "--records", "flow"],
                         capture_output=True, text=True, check=True, timeout=60)
    found = set()
    for line in run.stdout.splitlines():
        r = json.loads(line)
        proto = NUMBERS[r["proto"]]
        found.add((ends(proto, r["src_ip"], r["src_port"], r["dst_ip"], r["dst_port"]), r["community_id"]))
    for row in sorted(wanted - found, key=str):
        print("lacks", row)
    for row in sorted(found - wanted, key=str):
        print("has not in the baseline", row)
    print(f"{len(wanted & found)} of {len(wanted)} identifiers agree, {len(found - wanted)} others")
    return 0 if wanted == found else 1


if __name__ == "__main__":
    sys.exit(main())
