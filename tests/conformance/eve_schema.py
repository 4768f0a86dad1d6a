#!/usr/bin/env python3
"""Every line of `weir read CAPTURE --profile eve` against Suricata's own etc/schema.json.

eve_schema.py --weir PROGRAM --schema schema.json CAPTURE...
"""
import argparse
import collections
import json
import subprocess
import sys

import jsonschema


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--weir", required=True)
    parser.add_argument("--schema", required=True)
    parser.add_argument("captures", nargs="+")
    options = parser.parse_args()
    with open(options.schema, encoding="utf-8") as file:
        schema = json.load(file)
    validator = jsonschema.validators.validator_for(schema)(schema)

    events, breaches = collections.Counter(), collections.Counter()
    for capture in options.captures:
        done = subprocess.run(
            [options.weir, "read", capture, "--profile", "eve"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=300, check=False
        )
        for line in done.stdout.splitlines():
            event = json.loads(line)
            events[event["event_type"]] += 1
            for error in validator.iter_errors(event):
                where = ".".join(str(part) for part in error.absolute_path if not isinstance(part, int))
                breaches[f"{event['event_type']} {where}: {error.message[:160]}"] += 1
    for text, count in breaches.most_common(40):
        print(f"{count:7} {text}")
    print(f"eve: {sum(events.values())} events, {sum(breaches.values())} breaches;", dict(events))
    return 1 if breaches or not events else 0


if __name__ == "__main__":
    sys.exit(main())
