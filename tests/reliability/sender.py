"""Numbered NetFlow v5 flows to a weir that collects, and what there is to know about that weir."""
import atexit
import csv
import io
import pathlib
import re
import signal as signals
import socket
import struct
import subprocess
import threading
import time

PER_DATAGRAM = 20
TIMEOUT_S = 60

# A shell that starts this in the background has it ignored, and so would each weir, which then could not be ended by it.
signals.signal(signals.SIGINT, signals.default_int_handler)


def datagram(first, count, when):
    """Flows whose bytes are their numbers, of the second `when`; addresses and ports that do not compress."""
    header = struct.pack("!HHIIIIBBH", 5, count, 10_000, when, 0, first, 0, 0, 0)
    return header + b"".join(
        struct.pack("!IIIHHIIIIHHBBBBHHBBH", n * 2654435761 & 0xFFFFFFFF, n * 40503 * 65537 & 0xFFFFFFFF, 0, 1, 2, 1, n, 9_000, 9_500, n * 40503 & 0xFFFF, 443, 0, 16, 6, 0, 0, 0, 0, 0, 0)
        for n in range(first, first + count))


class Weir:
    """A `weir collect` that stores into a folder."""

    def __init__(self, program, data, *options):
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            [program, "collect", "-l", "127.0.0.1:0", "--data", str(data), "--threads", "1", *options], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self.lines, self.port, self.listening = [], None, threading.Event()
        atexit.register(self.process.kill)  # should a test fail half way
        self.reading = threading.Thread(target=self._read, daemon=True)
        self.reading.start()

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))
            found = re.search(r"listening on 127\.0\.0\.1:(\d+)", line)
            if found:
                self.port = int(found[1])
                self.listening.set()
        self.listening.set()  # it ended

    def wait_listening(self):
        self.listening.wait(TIMEOUT_S)
        if self.port is None:
            raise SystemExit("weir collect does not listen:\n" + "\n".join(self.lines))
        return self

    def said(self, text):
        return [line for line in self.lines if text in line]

    def alive(self):
        return self.process.poll() is None

    def end(self, signal):
        self.process.send_signal(signal)
        code = self.process.wait(TIMEOUT_S)
        self.reading.join(TIMEOUT_S)
        return code


class Sender(threading.Thread):
    """Sends from number `first` on until stop(), at a pace that loopback takes. `sent`: (number behind, monotonic time)."""

    def __init__(self, port, first, flows_per_s, when):
        super().__init__(daemon=True)
        self.next, self.pause, self.when, self.sent = first, PER_DATAGRAM / flows_per_s, when, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.stopping = threading.Event()

    def run(self):
        due = time.monotonic()
        while not self.stopping.is_set():
            try:
                self.socket.send(datagram(self.next, PER_DATAGRAM, self.when(self.next)))
            except ConnectionRefusedError:  # an answer to the one before: nobody listens any more
                continue
            self.next += PER_DATAGRAM
            self.sent.append((self.next, time.monotonic()))
            due = max(due + self.pause, time.monotonic() - 0.05)
            self.stopping.wait(max(0.0, due - time.monotonic()))

    def stop(self):
        self.stopping.set()
        self.join(TIMEOUT_S)
        self.socket.close()
        return self.next

    def sent_before(self, instant):
        """The number behind the last flow that was sent before an instant."""
        return max((n for n, at in self.sent if at < instant), default=self.sent[0][0] - PER_DATAGRAM if self.sent else self.next)


def query(weir, data, sql):
    """Rows of the answer, or an exception with what weir said."""
    done = subprocess.run([weir, "query", "-q", "-d", str(data), sql, "-o", "csv"], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"weir query: exit code {done.returncode}: {done.stderr}")
    return [[int(v or 0) for v in row] for row in list(csv.reader(io.StringIO(done.stdout)))[1:]]


class Reader(threading.Thread):
    """Asks again and again; nothing may ever fail, be there twice or vanish (unless records are dropped)."""

    def __init__(self, weir, data, drops=False):
        super().__init__(daemon=True)
        self.weir, self.data, self.drops = weir, data, drops
        self.answers, self.errors, self.stopping = 0, [], threading.Event()

    def run(self):
        before = 0
        while not self.stopping.is_set():
            try:
                [[count, different]] = query(self.weir, self.data, "SELECT count(*), count(DISTINCT bytes) FROM flow")
                self.answers += 1
                if count != different:
                    self.errors.append(f"{count} flows, {different} different ones")
                if count < before and not self.drops:
                    self.errors.append(f"{before} flows, then {count}")
                before = count
            except (RuntimeError, ValueError) as error:
                self.errors.append(str(error))
            self.stopping.wait(0.05)

    def stop(self):
        self.stopping.set()
        self.join(TIMEOUT_S)
        return self.errors


def wait_until(condition, what, seconds=TIMEOUT_S):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"{what}: not within {seconds} s")
        time.sleep(0.005)


def segments(data):
    return {path.name for path in pathlib.Path(data, "wal").glob("*.wal")}
