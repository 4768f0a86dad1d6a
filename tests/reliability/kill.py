#!/usr/bin/env python3
"""Nothing accepted is lost: weir collect is killed again and again at a random instant while numbered flows come in, and
afterwards every flow is there once. usage: kill.py WEIR [--rounds 5] [--seed 1] [--data DIR]"""
import argparse
import collections
import pathlib
import random
import signal
import sys
import tempfile
import time

from sender import Reader, Sender, Weir, query, segments, wait_until

SYNC_S = 0.1
# Beyond the sync interval: from the sender's clock through the socket's queue, which is not accepted yet, into the
# store, on a busy machine.
MARGIN_S = 0.2
FLOWS_PER_S = 4000
OPTIONS = ("--sync", "100ms", "--flush", "200ms")


def hour_of_round(start):
    """Every other datagram belongs to an hour that is over: its files are merged, and summed up, at once."""
    return lambda number: start - (2 * 3600 if number // 20 % 2 else 0)


def phase_of(data):
    """What a stopped weir was at, by what lies in its staging folder and its log."""
    for folder in (data / "lake/.staging").glob("*"):
        try:
            names = {path.name.removeprefix("tmp_") for path in folder.iterdir()}
        except FileNotFoundError:  # a stopped weir's, which the next one has just removed
            continue
        if (folder / "hour").exists() or any(n.startswith("m") and n.endswith(".parquet") for n in names):
            return "merging"
        if any(n.startswith("r") and n.endswith(".parquet") for n in names):
            return "summing up"
        if any(n.endswith(".parquet") for n in names):
            return "publishing"
    return "receiving"


class Run:
    def __init__(self, weir, data, seed):
        self.weir, self.data, self.dice = weir, data, random.Random(seed)
        self.next, self.must, self.kills, self.left = 1, [], collections.Counter(), set()
        self.start = int(time.time())
        self.missing = self.beyond = 0

    def wait_for(self, phase, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and phase_of(self.data) != phase:
            time.sleep(0.0002)
        time.sleep(self.dice.uniform(0, 0.003))

    def round(self):
        aim = self.dice.choice(("starting", "merging", "receiving", "publishing"))
        process = Weir(self.weir, self.data, *OPTIONS)
        if aim in ("starting", "merging"):  # there is most to be merged at the start
            if aim == "starting":
                time.sleep(self.dice.uniform(0, 0.3))
            else:
                self.wait_for(aim, 2)
            self.kill(process, None)
            return
        process.wait_listening()
        sender = Sender(process.port, self.next, FLOWS_PER_S, hour_of_round(self.start))
        sender.start()
        if aim == "receiving":
            time.sleep(self.dice.uniform(0.2, 2))
        else:
            time.sleep(self.dice.uniform(0.2, 0.8))
            self.wait_for(aim, 2)
        self.kill(process, sender)

    def kill(self, process, sender):
        process.process.send_signal(signal.SIGSTOP)  # so that what it was at can be told
        at = time.monotonic()
        phase = phase_of(self.data)
        if self.left & segments(self.data):
            phase = "recovering" if phase == "receiving" else f"{phase} in recovery"
        elif sender is None and phase == "receiving":
            phase = "starting"
        process.process.kill()
        process.end(signal.SIGKILL)
        self.kills[phase] += 1
        self.left = segments(self.data)
        if sender is not None:
            first, behind = self.next, sender.stop()
            self.must.append((first, max(first, sender.sent_before(at - SYNC_S - MARGIN_S)), behind))
            self.next = behind

    def check(self):
        """With a weir that takes over what is left, and ends in peace."""
        last = Weir(self.weir, self.data, *OPTIONS).wait_listening()
        wait_until(lambda: not self.left & segments(self.data), "what a killed weir left is published")
        code = last.end(signal.SIGINT)
        if code != 0 or segments(self.data):
            raise SystemExit(f"weir collect: exit code {code}, left {segments(self.data)}\n" + "\n".join(last.lines))

    def verdict(self):
        [[count, different]] = query(self.weir, self.data, "SELECT count(*), count(DISTINCT bytes) FROM flow")
        there = {n for [n] in query(self.weir, self.data, "SELECT bytes FROM flow")}
        for first, must, behind in self.must:
            self.missing += sum(n not in there for n in range(first, must))
            self.beyond += sum(n not in there for n in range(must, behind))
        known = {n for first, _, behind in self.must for n in range(first, behind)}
        return count, count - different, len(there - known)


def sums_agree(run):
    """The sums of the hour that is over say what its flows say. weir makes them when it has time."""
    hour = f"time < make_timestamp({(run.start - 3600) * 1_000_000})"
    sql = f"SELECT count(*), sum(bytes) FROM flow WHERE {hour} UNION ALL SELECT sum(flows), sum(bytes) FROM flow_1m UNION ALL SELECT sum(flows), sum(bytes) FROM flow_1h"
    process = Weir(run.weir, run.data, *OPTIONS).wait_listening()
    wait_until(lambda: list(pathlib.Path(run.data).glob("lake/flow_1h/*/*/*.parquet")), "sums of the hour that is over")
    process.end(signal.SIGINT)
    answers = sorted({tuple(row) for row in query(run.weir, run.data, sql)})
    return len(answers) == 1, answers


def main():
    options = argparse.ArgumentParser()
    options.add_argument("weir")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--data", type=pathlib.Path)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = given.data or pathlib.Path(folder)
        run, reader, began = Run(given.weir, data, given.seed), Reader(given.weir, data), time.monotonic()
        reader.start()
        for _ in range(given.rounds):
            run.round()
        run.check()
        errors = reader.stop()
        count, twice, unknown = run.verdict()
        agree, sums = sums_agree(run)
    print(f"rounds {given.rounds} seed {given.seed}, {time.monotonic() - began:.0f} s; killed while " + ", ".join(f"{k} {v}" for k, v in sorted(run.kills.items())))
    print(f"flows sent {run.next - 1}, stored {count}, twice {twice}, never sent {unknown}")
    print(f"missing: sent more than {SYNC_S} s + {MARGIN_S} s before a kill {run.missing}, later {run.beyond}")
    print(f"questions asked meanwhile {reader.answers}, wrong answers {len(errors)}; sums of flow_1m and flow_1h {'agree' if agree else f'differ: {sums}'}")
    for error in errors[:10]:
        print("  " + error)
    return 1 if twice or unknown or run.missing or errors or not agree or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
