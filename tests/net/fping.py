#!/usr/bin/env python3
"""weir's fping profile against Debian's fping: the same bytes on the same streams, and the same exit codes.

Both run in a network namespace of their own, with loopback, a host that is silent (10.9.0.7), and a router to networks
that it calls unreachable (10.9.1.0/24), prohibited (10.9.2.0/24), or further away than the TTL; there is no way anywhere
else. Round trips, times of day and how long it took are masked; nothing else is. Usage: fping.py PATH/TO/weir
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SETUP = """
ip link set lo up
ip link add here type veth peer name there
ip addr add 10.9.0.1/24 dev here
ip neigh add 10.9.0.7 lladdr 02:00:00:00:00:07 dev here
ip link set there netns $ROUTER
ip link set here up
nsenter -t $ROUTER -n sh -ec "
  ip addr add 10.9.0.254/24 dev there
  ip link set there up
  sysctl -qw net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0 net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.there.send_redirects=0
  nft add table ip t
  nft 'add chain ip t c { type filter hook forward priority 0; }'
  nft add rule ip t c ip daddr 10.9.1.0/24 ip ttl gt 1 reject with icmp type host-unreachable
  nft add rule ip t c ip daddr 10.9.2.0/24 reject with icmp type admin-prohibited
  ip route add 10.9.0.0/16 via 10.9.0.1"
ip route add 10.9.0.0/16 via 10.9.0.254
"""

# Options and targets; with what is on stdin, if anything.
CASES = [
    "127.0.0.1",
    "127.0.0.1 127.0.0.2 ::1",
    "-e 127.0.0.1",
    "-r1 10.9.0.7 203.0.113.9 127.0.0.1",
    "-r0 -B1 -t100 10.9.0.7 127.0.0.1",
    "-a -r0 -t100 10.9.0.7 127.0.0.1",
    "-u -r0 -t100 10.9.0.7 127.0.0.1",
    "-q -r0 -t100 10.9.0.7 127.0.0.1",
    "-s 127.0.0.1 127.0.0.2",
    "-s -r0 -t100 10.9.0.7",
    "-c2 -p100 127.0.0.1",
    "-c2 -p100 10.9.0.7 203.0.113.9 127.0.0.1",
    "-c 3 -p 50 -D 127.0.0.1",
    "-c 2 -p 50 -q 127.0.0.1 10.9.0.7",
    "-c 2 -p 50 -q -s -o 127.0.0.1 10.9.0.7",
    "-C 3 -p 50 127.0.0.1 10.9.0.7",
    "-C 3 -p 50 -q 127.0.0.1 10.9.0.7 203.0.113.9",
    "-C 2 -p 50 -b 1200 127.0.0.1",
    "-c 1 -b 0 127.0.0.1",
    "-c 1 -b 7 -R 127.0.0.1",
    "-6 -c 1 ::1",
    "-4 -c 1 ::1",
    "-4 -c 1 localhost",
    "-A -c 1 localhost",
    "-A -n -c 1 127.0.0.1",
    "-n -c 1 127.0.0.1",
    "-d localhost",
    "127.1",
    "-g 127.0.0.1 127.0.0.4",
    "-g 127.0.0.0/29",
    "-g 127.0.0.8/32",
    "-g -c1 -q 127.0.0.0/30",
    "-f - -c1 -q < 127.0.0.1\n# none\n\n  127.0.0.2 behind\n",
    "-c1 -q < 127.0.0.3\n127.0.0.4\n",
    "nosuch.invalid",
    "-q nosuch.invalid",
    "-c1 nosuch.invalid 127.0.0.1",
    "-x 1 127.0.0.1 nosuch.invalid",
    "-x 2 -r0 -t100 127.0.0.1 10.9.0.7",
    "-c1 -q -Q 10 127.0.0.1",
    "-c 3 -p 400 -Q 1 127.0.0.1",
    "-S 127.0.0.1 -c1 127.0.0.2",
    "-O 16 -H 5 -M -T 7 -c1 127.0.0.1",
    "-I lo -c1 127.0.0.1",
    "-t 5000 -c 1 10.9.0.7",
    "-a -c 1 -p 50 127.0.0.1 10.9.0.7",
    "-u -c 1 -p 50 127.0.0.1 10.9.0.7",
    "-r0 -t100 10.9.1.1 10.9.2.1",
    "-c2 -p100 10.9.1.1 127.0.0.1",
    "-c2 -p100 -q -s 10.9.1.1 127.0.0.1",
    "-C1 -H1 -p100 10.9.3.1",
    "-s -r1 -t100 10.9.1.1",
    "-c1 10.9.0.254",
    "-n -d 127.0.0.1",
    "-Z",
    "-c",
    "--foo",
    "--count",
    "--count=2 --period=20 --quiet 127.0.0.1",
    "-qac1 127.0.0.1",
    "-c1 127.0.0.1 -q",
    "-4 -6 ::1",
    "-a -u 127.0.0.1",
    "-c1 -l 127.0.0.1",
    "-B 9 127.0.0.1",
    "-H 300 127.0.0.1",
    "-S foo 127.0.0.1",
    "-S 9.9.9.9 127.0.0.1",
    "-I nodev 127.0.0.1",
    "-b 70000 127.0.0.1",
    "-g 127.0.0.1/33",
    "-g ::1/120",
    "-g a/24",
    "-f /nonexistent",
    # What calls fping most: SmokePing's FPing probe, LibreNMS, Zabbix.
    "-C 5 -q -B1 -r1 -i10 -p 100 127.0.0.1 127.0.0.2 10.9.0.7",
    "-e -q -c 3 -p 100 -t 100 127.0.0.1",
    "-e -q -c 3 -p 100 -t 100 10.9.0.7",
    "-C3 -i0 -p100 -t60 127.0.0.1 127.0.0.2 10.9.0.7",
]

MASKS = [
    (re.compile(rb"^\[\d+\.\d{5}\]", re.M), b"[TIME]"),
    (re.compile(rb"^\[\d\d:\d\d:\d\d\]", re.M), b"[CLOCK]"),
    (re.compile(rb"\d+(\.\d+)? ms"), b"T ms"),
    (re.compile(rb"\(\d+(\.\d+)? avg"), b"(T avg"),
    (re.compile(rb"(= )[\d.]+/[\d.]+/[\d.]+$", re.M), rb"\1T/T/T"),
    (re.compile(rb"(?<= )\d+\.\d+(?=( |$))", re.M), b"T"),
    (re.compile(rb"^ +\d+\.\d+ sec", re.M), b"S sec"),
]


def mask(text):
    for pattern, to in MASKS:
        text = pattern.sub(to, text)
    return text


def run(folder, case):
    words, _, given = case.partition(" < ")
    done = subprocess.run(["./fping", *words.split()], cwd=folder, input=given.encode(), capture_output=True, timeout=60, check=False,
                          env={**os.environ, "LC_ALL": "C"})
    usage = b"Usage: " if done.stderr.startswith(b"Usage: ") else done.stderr  # the words there are weir's own
    return done.returncode, mask(done.stdout), mask(usage)


def compare(folder):
    """Both are called as ./fping, each from a folder of its own: messages begin with that."""
    wrong = 0
    for case in CASES:
        theirs, ours = run(f"{folder}/theirs", case), run(f"{folder}/ours", case)
        if theirs == ours:
            continue
        wrong += 1
        print(f"fping {case!r}")
        for what, a, b in zip(("exit code", "stdout", "stderr"), theirs, ours):
            if a != b:
                print(f"  {what}: fping {a!r}\n  {' ' * len(what)}   weir {b!r}")
    print(f"{len(CASES) - wrong} of {len(CASES)} cases are the same")
    return 1 if wrong else 0


def main():
    weir = str(pathlib.Path(sys.argv[1]).resolve())
    fping = shutil.which("fping")
    if fping is None:
        sys.exit("fping is not installed: ./dev setup")
    if "inside" not in sys.argv:
        if subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode != 0:
            print("SKIPPED: this kernel gives no network namespace; NOTHING of weir's fping profile was compared")
            return 77
        return subprocess.run(["unshare", "-n", sys.executable, __file__, weir, "inside"], check=False).returncode
    router = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep 600"], stdout=subprocess.PIPE)
    router.stdout.readline()
    try:
        subprocess.run(["sh", "-ec", SETUP], env={**os.environ, "ROUTER": str(router.pid)}, check=True)
        return both(fping, weir)
    finally:
        router.kill()


def both(fping, weir):
    with tempfile.TemporaryDirectory() as folder:
        for name, program in (("theirs", fping), ("ours", weir)):
            (pathlib.Path(folder) / name).mkdir()
            (pathlib.Path(folder) / name / "fping").symlink_to(program)
        return compare(folder)


if __name__ == "__main__":
    sys.exit(main())
