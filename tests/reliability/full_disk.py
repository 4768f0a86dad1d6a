#!/usr/bin/env python3
"""A disk that is full, in four ways, on a small tmpfs in a mount namespace: weir says so, refuses and counts, or drops the
oldest hours where that is asked for, goes on by itself, and has each accepted flow once. usage: full_disk.py WEIR"""
import errno
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

from sender import Reader, Sender, Weir, query, segments, wait_until

DISK, BALLAST = 24 << 20, 14 << 20
FLOWS_PER_S = 12_000
PER_HOUR = 20_000  # where flows come from hour after hour
OPTIONS = ("--sync", "100ms", "--flush", "500ms", "--stats", "1h", "--rcvbuf", "4M")
FULL, ROOM, DROPPED = "nothing is accepted any more", "there is room again", "the oldest records were dropped"


def enter_namespace():
    """Runs this program again where it may mount; 77 when the system does not allow that."""
    unshare = ("unshare", "-m") if os.geteuid() == 0 else ("unshare", "-rm")
    with tempfile.TemporaryDirectory() as folder:
        may = subprocess.run((*unshare, "mount", "-t", "tmpfs", "none", folder), capture_output=True, text=True, check=False)
    if may.returncode != 0:
        print(f"skipped: no file system can be mounted in a namespace here: {may.stderr.strip()}")
        sys.exit(77)
    os.execvp(unshare[0], (*unshare, sys.executable, *sys.argv, "--inside"))


def fill(path, most):
    """Bytes into a file, until the disk is full or it has so many."""
    with open(path, "wb", buffering=0) as file:
        for step in (1 << 16, 1 << 12):
            try:
                while file.tell() < most:
                    file.write(bytes(step))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


class Disk:
    """A weir that stores on a small disk, flows on their way to it, and somebody who reads."""

    def __init__(self, weir, folder, *options, when=None, drops=False):
        self.weir, self.data = weir, pathlib.Path(folder)
        self.ballast = self.data / "ballast"
        self.process = Weir(weir, self.data, *OPTIONS, *options).wait_listening()
        start = int(time.time())
        self.sender = Sender(self.process.port, 1, FLOWS_PER_S, when or (lambda _: start))
        self.reader = Reader(weir, self.data, drops)
        self.sender.start()
        self.reader.start()

    def wait_said(self, text, times=1):
        wait_until(lambda: len(self.process.said(text)) >= times or not self.process.alive(), text)
        if not self.process.alive():
            raise SystemExit("weir ended:\n" + "\n".join(self.process.lines))

    def end(self):
        """What must hold however it went; returns the numbers that are stored, how many were sent, and refused."""
        sent = self.sender.stop() - 1
        code = self.process.end(signal.SIGINT)
        errors = self.reader.stop()
        rows = [n for [n] in query(self.weir, self.data, "SELECT bytes FROM flow")]
        said = "\n".join(self.process.lines)
        refused = re.search(r"weir: ([\d,. ]+) records refused while", said)
        refused = int(re.sub(r"\D", "", refused[1])) if refused else 0
        wrong = errors[:5]
        if code != 0 or segments(self.data):
            wrong.append(f"exit code {code}, left {segments(self.data)}")
        if "dropped by the kernel" in said:
            wrong.append("the sender was too fast for this machine")
        if len(rows) != len(set(rows)):
            wrong.append(f"{len(rows) - len(set(rows))} flows are there twice")
        left = [str(p) for p in self.data.glob("lake/.staging/*")]
        if left:
            wrong.append(f"left in the staging folder: {left}")
        return set(rows), sent, refused, wrong, said


def every_flow_stored_or_refused(disk):
    stored, sent, refused, wrong, said = disk.end()
    # What is refused counts weir's own stat and oddity records, too.
    if sent > len(stored) + refused:
        wrong.append(f"sent {sent}, stored {len(stored)}, refused {refused}: {sent - len(stored) - refused} lost")
    return wrong, said, f"sent {sent}, stored {len(stored)}, refused {refused}"


def stops(weir, folder):
    """It fills the disk itself, until somebody makes room."""
    fill(pathlib.Path(folder, "ballast"), BALLAST)
    disk = Disk(weir, folder)
    disk.wait_said(FULL)
    time.sleep(1)  # more comes, and is refused
    disk.ballast.unlink()
    disk.wait_said(ROOM)
    time.sleep(1)
    wrong, said, summary = every_flow_stored_or_refused(disk)
    if "refused 0" in summary:
        wrong.append("nothing was refused")
    return wrong, said, summary


def filled_by_others(weir, folder):
    """The disk is full to the last byte while segments are published and hours merged, again and again."""
    start = int(time.time())
    disk = Disk(weir, folder, when=lambda n: start - (2 * 3600 if n // 20 % 2 else 0))
    for times in range(1, 5):
        time.sleep(1.3)
        fill(disk.ballast, DISK)
        disk.wait_said(FULL, times)
        time.sleep(0.7)
        disk.ballast.unlink()
        disk.wait_said(ROOM, times)
    return every_flow_stored_or_refused(disk)


def hour_after_hour():
    start = int(time.time())
    return lambda n: start - 3600 * (100 - n // PER_HOUR)


def drops_oldest(weir, folder):
    fill(pathlib.Path(folder, "ballast"), BALLAST)
    disk = Disk(weir, folder, "--when-full", "drop-oldest", when=hour_after_hour(), drops=True)
    disk.wait_said(DROPPED, 3)
    time.sleep(2)
    stored, sent, refused, wrong, said = disk.end()
    kept = range(min(stored), sent + 1)  # the oldest hours are gone as a whole
    lost = len(kept) - len(stored)
    if min(stored) <= PER_HOUR or max(stored) != sent:
        wrong.append(f"flows {min(stored)} to {max(stored)} of {sent} are there")
    if lost > refused:
        wrong.append(f"{lost} of those that are newer than the dropped are missing, only {refused} were refused")
    return wrong, said, f"sent {sent}, dropped the oldest {min(stored) - 1}, refused {refused}, of the newer ones missing {lost}"


def parquet_bytes(folder):
    """Of all files; hours that are exchanged or dropped meanwhile are looked at again."""
    while True:
        try:
            return sum(p.stat().st_size for p in folder.glob("lake/*/*/*/*.parquet"))
        except FileNotFoundError:
            pass


def keeps_size(weir, folder):
    most = 2 << 20
    disk = Disk(weir, folder, "--keep-size", str(most), when=hour_after_hour(), drops=True)
    first = lambda: min(disk.data.glob("lake/flow/*/*"), default=None)  # noqa: E731
    wait_until(first, "files")
    oldest = first()
    wait_until(lambda: not oldest.exists(), "the oldest hour goes")
    size = parquet_bytes(disk.data)
    stored, sent, refused, wrong, said = disk.end()
    kept = range(min(stored), sent + 1)
    if refused or len(kept) != len(stored) or min(stored) == 1 or size > 2 * most:
        wrong.append(f"{refused} refused, {len(kept)} are newer than the dropped, {len(stored)} there, {size} bytes")
    return wrong, said, f"sent {sent}, dropped the oldest {min(stored) - 1}, refused {refused}, missing {len(kept) - len(stored)}"


def main():
    if sys.argv[-1] != "--inside":
        enter_namespace()
    good = True
    for scenario in (stops, filled_by_others, drops_oldest, keeps_size):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(("mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", folder), check=True)
            try:
                wrong, said, summary = scenario(sys.argv[1], folder)
            finally:
                subprocess.run(("umount", "--lazy", folder), check=True)
        print(f"{'FAIL' if wrong else 'ok  '} {scenario.__name__}: {summary}")
        if wrong:
            good = False
            print("     " + "\n     ".join(wrong) + "\n" + said[-3000:])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
