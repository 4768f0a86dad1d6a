"""nfcapd as a collector for one test: on loopback, on a port of its own, into a folder of its own."""
import pathlib
import re
import signal
import socket
import subprocess
import time

DEADLINE_S = 20


def wait_until(port, condition, what):
    """`condition` of the kernel's line about the UDP port, or None when there is none."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        lines = [line.split() for line in pathlib.Path("/proc/net/udp").read_text(encoding="ascii").splitlines()[1:]]
        if condition(next((line for line in lines if line[1].endswith(f":{port:04X}")), None)):
            return
        time.sleep(0.01)
    raise SystemExit(f"nfcapd {what}")


class Nfcapd:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def __enter__(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            ["nfcapd", "-w", str(self.folder), "-p", str(self.port), "-b", "127.0.0.1", "-t", "3600"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        wait_until(self.port, lambda line: line is not None, "does not listen")
        return self

    def wait_until_read(self):
        wait_until(self.port, lambda line: line is not None and line[4].endswith(":00000000"), "does not read")

    def stop(self):
        """Once everything sent is read: the file that was written, and what nfcapd says it holds."""
        self.wait_until_read()
        self.process.send_signal(signal.SIGTERM)
        log, _ = self.process.communicate(timeout=DEADLINE_S)
        counts = re.search(r"Flows: (\d+), Packets: (\d+), Bytes: (\d+), Sequence Errors: (\d+), Bad Packets: (\d+)", log)
        if counts is None:
            raise SystemExit(f"nfcapd tells no counts:\n{log}")
        keys = ("flows", "packets", "bytes", "sequence errors", "bad packets")
        return next(self.folder.glob("nfcapd.2*")), dict(zip(keys, map(int, counts.groups())))

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
