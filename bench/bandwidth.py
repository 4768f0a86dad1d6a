#!/usr/bin/env python3
"""weir bandwidth and many SNMP agents: simulated ones on loopback addresses, each with 48 interfaces in ifTable and ifXTable, some
of them dead (their sockets are there and never answer). Every healthy agent has to be read in every round, in time.

    agents late     those of which a reading came later than a tenth of a period after its turn, or not at all
    CPU             of weir, of one core

Usage: bandwidth.py [--agents 2000] [--every 60] [--rounds 3] [--dead 5] [PATH/TO/weir]; takes every * rounds seconds.
"""
import argparse
import bisect
import collections
import csv
import os
import pathlib
import resource
import select
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PORT, INTERFACES = 1161, 48
TABLE, EXTENDED, UPTIME = (1, 3, 6, 1, 2, 1, 2, 2, 1), (1, 3, 6, 1, 2, 1, 31, 1, 1, 1), (1, 3, 6, 1, 2, 1, 1, 3, 0)
INTEGER, TEXT, OBJECT, COUNTER, GAUGE, TICKS, WIDE, END = 0x02, 0x04, 0x06, 0x41, 0x42, 0x43, 0x46, 0x82


def tlv(kind, body):
    size = len(body)
    length = bytes([size]) if size < 128 else bytes([0x82, size >> 8, size & 255])
    return bytes([kind]) + length + body


def part(number):
    out = [number & 127]
    while number := number >> 7:
        out.insert(0, number & 127 | 128)
    return bytes(out)


def encoded(name):
    return bytes([name[0] * 40 + name[1]]) + b"".join(part(n) for n in name[2:])


def decoded(body):
    name, number = [body[0] // 40, body[0] % 40], 0
    for byte in body[1:]:
        number = number << 7 | byte & 127
        if byte < 128:
            name.append(number)
            number = 0
    return tuple(name)


def read(data, at):
    """Type, body, and where the next one is."""
    kind, size, at = data[at], data[at + 1], at + 2
    if size >= 128:
        count = size & 127
        size, at = int.from_bytes(data[at:at + count], "big"), at + count
    return kind, data[at:at + size], at + size


def objects():
    """What every agent has: names in order, and the value of each, where a wide counter grows with time."""
    values = {UPTIME: (TICKS, None)}
    for i in range(1, INTERFACES + 1):
        words = {2: (TEXT, f"GigabitEthernet0/{i}".encode()), 3: (INTEGER, b"\6"), 5: (GAUGE, struct.pack(">I", 1_000_000_000)), 8: (INTEGER, b"\1"),
                 **{n: (COUNTER, struct.pack(">I", i)) for n in (10, 13, 14, 16, 19, 20)}}
        values.update({(*TABLE, n, i): v for n, v in words.items()})
        wide = {1: (TEXT, f"Gi0/{i}".encode()), 15: (GAUGE, struct.pack(">H", 1000)), 18: (TEXT, f"port {i}".encode()),
                **{n: (WIDE, None) for n in range(6, 14)}}
        values.update({(*EXTENDED, n, i): v for n, v in wide.items()})
    return values


class Agents:
    """A process that answers for them. What it is asked is the same in each round: an answer is made once, and its counters are set anew."""

    def __init__(self, addresses):
        self.values = objects()
        self.names = sorted(self.values)
        self.following = {}
        self.answers = {}
        self.start = time.monotonic()
        self.sockets = {}
        for address in addresses:
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind((address, PORT))
            s.setblocking(False)
            self.sockets[s.fileno()] = s

    def next(self, name):
        if name not in self.following:
            at = bisect.bisect_right(self.names, name)
            self.following[name] = self.names[at] if at < len(self.names) else None
        return self.following[name]

    def answer_to(self, pdu, bulk):
        """Everything behind the request id, and where its counters are."""
        _, first, at = read(pdu, 0)
        _, second, at = read(pdu, at)
        _, listed, _ = read(pdu, at)
        asked, at = [], 0
        while at < len(listed):
            _, entry, at = read(listed, at)
            asked.append(decoded(read(entry, 0)[1]))
        single, times = (int.from_bytes(first, "big"), int.from_bytes(second, "big")) if bulk else (len(asked), 0)
        found = [(n, self.next(n)) for n in asked[:single]]
        rest = asked[single:]
        for _ in range(times):
            found += [(n, self.next(n)) for n in rest]
            rest = [self.next(n) or n for n in rest]
        body, growing = b"", []
        for name, following in found:
            kind, value = (END, b"") if following is None else self.values[following]
            if value is None:
                value = bytes(4 if kind == TICKS else 8)
                head = tlv(OBJECT, encoded(following))
                entry = tlv(0x30, head + tlv(kind, value))
                growing.append((kind, len(body) + len(entry) - len(value)))
            else:
                entry = tlv(0x30, tlv(OBJECT, encoded(following or name)) + tlv(kind, value))
            body += entry
        listed = tlv(0x30, body)
        shift = 6 + len(listed) - len(body)  # no error, twice, and the list's own header
        return bytearray(b"\2\1\0\2\1\0" + listed), [(k, at + shift) for k, at in growing]

    def answer(self, data):
        _, message, _ = read(data, 0)
        _, version, at = read(message, 0)
        _, community, at = read(message, at)
        kind, pdu, _ = read(message, at)
        _, request, at = read(pdu, 0)
        key = kind, pdu[at:]
        if key not in self.answers:
            self.answers[key] = self.answer_to(pdu[at:], kind == 0xa5)
        body, growing = self.answers[key]
        passed = time.monotonic() - self.start
        for what, place in growing:
            if what == TICKS:
                struct.pack_into(">I", body, place, int(passed * 100) + 1)
            else:
                struct.pack_into(">Q", body, place, int(passed * 1_000_000))
        return tlv(0x30, tlv(INTEGER, version) + tlv(TEXT, community) + tlv(0xa2, tlv(INTEGER, request) + bytes(body)))

    def serve(self):
        poll = select.epoll()
        for fd in self.sockets:
            poll.register(fd, select.EPOLLIN)
        while True:
            for fd, _ in poll.poll():
                try:
                    data, peer = self.sockets[fd].recvfrom(65_536)
                    self.sockets[fd].sendto(self.answer(data), peer)
                except OSError:
                    pass


def more_files():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def start_agents(addresses):
    """The process, once it listens."""
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        try:
            agents = Agents(addresses)
            theirs.send(b"ready")
            agents.serve()
        finally:
            os._exit(0)
    theirs.close()
    if not ours.recv(5):
        sys.exit("the simulated agents cannot listen")
    return child


def measure(weir, addresses, options, folder):
    out = folder / "out.csv"
    listed = folder / "agents"
    listed.write_text("".join(f"snmp://public@{a}:{PORT}\n" for a in addresses))
    command = [weir, "bandwidth", f"@{listed}", "--every", f"{options.every}s", "-c", str(options.rounds),
               "-o", "csv", "--time", "epoch", "-f", "time,device,interval,in_bits_per_second", "-w", str(out)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    _, errors = process.communicate()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    with out.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines)), used, errors


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weir", nargs="?", default=str(ROOT / "build/release/weir"))
    parser.add_argument("--agents", type=int, default=2000)
    parser.add_argument("--every", type=int, default=60, help="seconds from one round to the next")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dead", type=int, default=5, help="%% of the agents that never answer")
    options = parser.parse_args()
    more_files()
    addresses = [f"127.{1 + i // 60_000}.{i // 240 % 250}.{1 + i % 240}" for i in range(options.agents)]
    dead = addresses[:: 100 // options.dead] if options.dead else []
    healthy = [a for a in addresses if a not in set(dead)]
    silent = []
    for address in dead:
        silent.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        silent[-1].bind((address, PORT))
    agents = start_agents(healthy)
    try:
        with tempfile.TemporaryDirectory() as folder:
            started = time.monotonic()
            rows, used, errors = measure(options.weir, addresses, options, pathlib.Path(folder))
            elapsed = time.monotonic() - started
    finally:
        os.kill(agents, signal.SIGKILL)
    readings = collections.defaultdict(set)
    intervals, records = [], collections.Counter()
    for row in rows:
        records[row["device"]] += 1
        readings[row["device"]].add(row["time"])
        if row["interval"]:
            intervals.append(float(row["interval"]))
    # A reading that is late is followed by a short interval, or is missing.
    most = options.every / 10
    late = {a for a in healthy if records[a] != INTERFACES * options.rounds}
    late |= {r["device"] for r in rows if r["interval"] and abs(float(r["interval"]) - options.every) > most}
    wrong = sum(1 for r in rows if r["in_bits_per_second"] and abs(float(r["in_bits_per_second"]) / 8e6 - 1) > 0.01)
    cpu = used.ru_utime + used.ru_stime
    print(f"{options.agents:,} agents, {len(dead)} of them dead, {INTERFACES} interfaces each, every {options.every} s, {options.rounds + 1} readings: "
          f"{elapsed:.0f} s")
    print(f"  agents late                     {len(late)} of {len(healthy):,}")
    print(f"  records                         {len(rows):,} of {len(healthy) * INTERFACES * options.rounds:,}")
    print(f"  rates off by more than 1 %      {wrong}")
    off = sorted(abs(i - options.every) for i in intervals)
    print(f"  intervals off by (median, most) {statistics.median(off) * 1000:.0f} ms, {off[-1] * 1000:.0f} ms")
    print(f"  CPU of weir                     {cpu:.1f} s, {cpu / elapsed * 100:.1f} % of a core; {cpu / (options.rounds + 1) / options.agents * 1e3:.2f} ms an agent and reading")
    print(f"  memory                          {used.ru_maxrss / 1024:.0f} MiB")
    told = [line for line in errors.splitlines() if "no answer" not in line]
    if told:
        print("\n".join("  " + line for line in told[:5]))


if __name__ == "__main__":
    main()
