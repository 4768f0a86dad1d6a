"""What must be stored: weir's own JSON, with values as ClickHouse 18.16 keeps them."""
import calendar
import json
import struct
import subprocess
import time

ABSENT = (None, [])  # a list that is null is stored as an empty one


def schema(binary):
    types = json.loads(subprocess.run([binary, "schema", "-o", "json"], capture_output=True, check=True).stdout)
    return {r["name"]: {f["name"]: f for f in r["fields"]} for r in types["records"]}


def micros(text):
    """2026-01-31T23:59:59.123456789Z, rounded down."""
    whole, _, decimals = text.rstrip("Z").partition(".")
    seconds = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S"))
    return seconds * 1_000_000 + int(decimals.ljust(9, "0")[:6])


def earlier(capture, days, path):
    """A pcap file's packets, so many days before."""
    data = bytearray(open(capture, "rb").read())
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at = 24
    while at < len(data):
        seconds, _, size = struct.unpack_from(order + "III", data, at)
        struct.pack_into(order + "I", data, at, seconds - days * 86400)
        at += 16 + size
    with open(path, "wb") as out:
        out.write(data)
    return path


def value(field, v):
    if v is None:
        return None
    if isinstance(v, list):
        return [value(field, e) for e in v]
    if field["type"] == "time":
        return micros(v)
    if isinstance(v, bool):
        return int(v)
    return v


def records(binary, captures, sensor):
    """By record type; fields that are null are left out."""
    types = schema(binary)
    out = subprocess.run([binary, "read", *captures, "-r", "all", "-o", "json", "-q"], capture_output=True, check=True).stdout
    found = {}
    for line in out.decode().splitlines():
        row = json.loads(line)
        name = row.pop("type")
        fields = types[name]
        found.setdefault(name, []).append(
            {k: value(fields[k], v) for k, v in row.items() if v not in ABSENT} | {"sensor": sensor}
        )
    return found


def flows(binary, captures, sensor):
    """Of exporters on loopback that send what is in the captures."""
    fields = schema(binary)["flow"]
    out = subprocess.run([binary, "collect", *captures, "-r", "flow", "-o", "json", "-q"], capture_output=True, check=True).stdout
    rows = [json.loads(line) | {"exporter": "127.0.0.1"} for line in out.decode().splitlines()]
    return [{k: value(fields[k], v) for k, v in row.items() if k != "type" and v not in ABSENT} | {"sensor": sensor} for row in rows]


def from_clickhouse(row):
    row.pop("batch")
    return {k: v for k, v in row.items() if v not in ABSENT}


def key(row):
    """Whole numbers and doubles that are equal look alike."""
    return json.dumps({k: float(v) if isinstance(v, (int, float)) and abs(v) < 2**53 else v for k, v in sorted(row.items())})
