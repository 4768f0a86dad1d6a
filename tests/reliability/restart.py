#!/usr/bin/env python3
"""What exporters taught a weir collect outlives it: templates and sampling rates come, weir ends or is killed, and the next
one understands data that comes without them. usage: restart.py WEIR"""
import contextlib
import pathlib
import signal
import socket
import sqlite3
import struct
import sys
import tempfile
import time

from sender import Weir, query, wait_until

DOMAIN = 7
SOURCE, BYTES, PACKETS, RATE = "10.1.2.3", 1234, 5, 10


def halves(*values):
    return struct.pack(f">{len(values)}H", *values)


def section(number, body):
    return halves(number, 4 + len(body)) + body


def netflow9(sequence, *sets):
    return struct.pack(">HHIIII", 9, len(sets), 1000, int(time.time()), sequence, DOMAIN) + b"".join(sets)


def ipfix(sequence, *sets):
    body = b"".join(sets)
    return struct.pack(">HHIII", 10, 16 + len(body), int(time.time()), sequence, DOMAIN) + body


# Addresses, bytes, packets, and in options the rate of the whole device.
FIELDS = halves(8, 4, 12, 4, 1, 4, 2, 4)
DATA = section(256, socket.inet_aton(SOURCE) + bytes([10, 0, 0, 2]) + struct.pack(">II", BYTES, PACKETS))
PROTOCOLS = {
    "netflow9": (netflow9, section(0, halves(256, 4) + FIELDS), section(1, halves(257, 4, 4, 1, 4, 34, 4)), section(257, struct.pack(">II", DOMAIN, RATE))),
    "ipfix": (ipfix, section(2, halves(256, 4) + FIELDS), section(3, halves(257, 2, 1, 149, 4, 34, 4)), section(257, struct.pack(">II", DOMAIN, RATE))),
}


def send(port, datagram, source="127.0.0.1"):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as exporter:
        exporter.bind((source, 0))
        exporter.sendto(datagram, ("127.0.0.1", port))


def saved(data, protocol):
    """Whether the exporter's state is on the disk."""
    path = pathlib.Path(data, "state.sqlite")
    if not path.exists():
        return False
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return database.execute("SELECT count(*) FROM state WHERE space = ?", (protocol,)).fetchone()[0] > 0
    except sqlite3.OperationalError:  # it is being made
        return False


def taught(weir, data, protocol, end):
    message, template, options, rate = PROTOCOLS[protocol]
    process = Weir(weir, data).wait_listening()
    send(process.port, message(0, template, options, rate))
    if end == signal.SIGKILL:
        wait_until(lambda: saved(data, protocol), "the exporter's state is saved")
    process.end(end)


def told(weir, data, protocol, source):
    """Flows, bytes and packets of data without a template; sets that had none."""
    message = PROTOCOLS[protocol][0]
    process = Weir(weir, data).wait_listening()
    send(process.port, message(1, DATA), source)
    if process.end(signal.SIGTERM) != 0:
        raise SystemExit("weir collect failed:\n" + "\n".join(process.lines))
    [flows] = query(weir, data, f"SELECT count(*), sum(bytes), sum(packets) FROM flow WHERE src_ip = '{SOURCE}' AND exporter = '{source}' AND sampling = {RATE}")
    [[unknown]] = query(weir, data, f"SELECT sum(value) FROM stat WHERE name = 'export_unknown_templates' AND exporter = '{source}'")
    return flows, unknown


def main():
    weir, failed = sys.argv[1], 0
    scaled = [1, BYTES * RATE, PACKETS * RATE]
    for protocol in PROTOCOLS:
        for end in (None, signal.SIGTERM, signal.SIGKILL):
            with tempfile.TemporaryDirectory() as data:
                if end is not None:
                    taught(weir, data, protocol, end)
                wanted = ([0, 0, 0], 1) if end is None else (scaled, 0)
                got = told(weir, data, protocol, "127.0.0.1")
                # What one exporter says is nothing to the next.
                other = told(weir, data, protocol, "127.0.0.2")
            good = got == wanted and other == ([0, 0, 0], 1)
            failed += not good
            print(f"{'ok  ' if good else 'FAIL'} {protocol:<8} {'never taught' if end is None else 'taught, ' + end.name}" + ("" if good else f": {got}, another exporter {other}"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
