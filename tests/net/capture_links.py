#!/usr/bin/env python3
"""weir capture where interfaces come, go and are renamed, and what it counts.

As capture.py, in namespaces of its own. 77: this kernel gives none. Usage: capture_links.py PATH/TO/weir
"""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from capture import LIMIT, Capture, Checks, Network, frame, sh


def comes_back(weir, net, check, rings):
    what = f"with {rings} ring(s)"
    capture = Capture(weir, "here", "--rings", str(rings), "-r", "packet,stat", "-o", "json", "udp")
    number = 0

    def arrives(times=20):
        """Of several flows, so that all rings have some."""
        nonlocal number
        first = number
        for number in range(first + 1, first + 1 + times):
            net.send([frame(number)])
        for one in range(first + 1, number + 1):
            capture.wait_for(f'"10.1.0.{one}"', capture.out)

    arrives()
    for turn in (1, 2, 3):
        net.disconnect()
        wait_for_nth(capture, "here is gone", turn)
        net.connect()
        wait_for_nth(capture, "here is back", turn)
        arrives()
    sh("ip link set here down; ip link set here name there2; ip link set there2 up")
    capture.wait_for("here is called there2 now")
    arrives()
    net.socket.close()
    sh("ip link del there2")
    capture.wait_for("there2 is gone")
    net.connect()
    wait_for_nth(capture, "here is back", 4)
    arrives()
    sh("ip link set here down; ip link set here name other; ip link set other up")
    capture.wait_for("here is called other now")
    net.socket.close()
    sh("ip link del other")
    capture.wait_for("other is gone")
    net.connect("other")
    capture.wait_for("other is back")
    arrives()
    net.socket.close()
    sh("ip link del other")
    net.connect()
    wait_for_nth(capture, "here is back", 5)
    arrives()
    code, records, err = capture.end()
    packets = [r for r in records if r["type"] == "packet"]
    sums = {r["name"]: r["value"] for r in records if r["type"] == "stat" and "interface_name" not in r}
    check.that(f"{what}: gone and back, renamed and made anew", code == 0 and len(packets) == number, f"{len(packets)} of {number} {err}")
    check.that(f"{what}: and all is counted", sums["packets"] == sums["kernel_received"] == number and sums["kernel_drops"] == 0, str(sums))


def wait_for_nth(capture, line, count, file=None):
    end = time.monotonic() + LIMIT
    while capture.text(file or capture.err).count(line) < count:
        if time.monotonic() > end or capture.process.poll() is not None:
            raise AssertionError(f"{line!r} did not come: {capture.text(capture.err)}")
        os.sched_yield()


def counts(weir, net, check, folder):
    capture = Capture(weir, "here", "lo", "udp", "-r", "stat", "--stats", "100ms", "-o", "json")
    net.send(frame(i) for i in range(50))
    wait_for_nth(capture, '"name":"kernel_drops","value":0,"interface_name":"lo"', 3, capture.out)
    net.send(frame(i) for i in range(10))
    code, records, err = capture.end()
    series = [r["value"] for r in records if r["name"] == "packets" and "interface_name" not in r]
    check.that("--stats: again and again, rising", code == 0 and len(series) > 3 and series == sorted(series) and series[-1] == 60 and
               50 in series, str(series))
    last = {(r.get("interface_name"), r["name"]): r["value"] for r in records}
    check.that("by interface", (last["here", "packets"], last["here", "bytes"], last["lo", "packets"], last["here", "kernel_received"],
                                last["here", "kernel_drops"], last["here", "interface_drops"]) == (60, 60 * 64, 0, 60, 0, 0), str(last))
    data = f"{folder}/data"
    capture = Capture(weir, "here", "udp", "-B", "2Mi", "--data", data)
    capture.process.send_signal(signal.SIGSTOP)
    net.send(frame(i, 200) for i in range(50_000))
    capture.process.send_signal(signal.SIGCONT)
    capture.process.send_signal(signal.SIGINT)
    capture.process.wait(LIMIT)
    question = """SELECT name, max(value) FROM stat WHERE interface_name = 'here' GROUP BY name
                  UNION ALL SELECT name, max(value) FROM stat WHERE interface_name IS NULL AND name = 'records_refused' GROUP BY name"""
    done = subprocess.run([weir, "query", "-d", data, question, "-o", "csv"], capture_output=True, text=True, timeout=LIMIT)
    answer = dict(line.split(",") for line in done.stdout.split()[1:])
    check.that("--data: the store can be asked what was lost", int(answer.get("kernel_drops", 0)) > 0 and answer.get("interface_drops") == "0" and
               answer.get("records_refused") == "0" and
               int(answer["packets"]) + int(answer["kernel_drops"]) == int(answer["kernel_received"]) == 50_000, done.stdout + done.stderr)


def inside(weir):
    net, check = Network(), Checks()
    try:
        with tempfile.TemporaryDirectory() as folder:
            counts(weir, net, check, folder)
            for rings in (1, 3):
                comes_back(weir, net, check, rings)
    finally:
        net.peer.kill()
    return check.failed != 0


def main():
    if sys.argv[1] == "--inside":
        return inside(sys.argv[2])
    weir = str(pathlib.Path(sys.argv[1]).resolve())
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode != 0:
        print("SKIPPED: no network namespaces", file=sys.stderr)
        return 77
    return subprocess.run(["unshare", "-n", sys.executable, __file__, "--inside", weir]).returncode


if __name__ == "__main__":
    sys.exit(main())
