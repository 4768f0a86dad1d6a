#!/usr/bin/env python3
"""weir devices beside arp-scan, both with their default settings: a /16 behind a veth and a bridge in which 1,000 hosts
answer, without loss and with 5 % of the frames lost each way. Seconds, and who was missed.

The hosts are one process that answers ARP for each with a hardware address of its own; nftables drops by a random number in
the bridge: this stands in for netem. Usage: devices.py [--rounds N] [--losses 0,5] [--hosts N] [PATH/TO/weir]
arp-scan takes four and a half minutes for a round.
"""
import argparse
import ipaddress
import json
import os
import pathlib
import random
import shutil
import socket
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
NETWORK = ipaddress.ip_network("10.9.0.0/16")

SETUP = """
ip link set lo up
ip link add here type veth peer name near netns $MIDDLE
nsenter -t $MIDDLE -n ip link add out type veth peer name far netns $FAR
ip addr add 10.9.0.1/16 dev here; ip link set here up
nsenter -t $MIDDLE -n sh -ec "ip link add lan type bridge; ip link set lan up
  for port in near out; do ip link set \\$port master lan up; done"
nsenter -t $FAR -n ip link set far up
"""
LOSS = "table bridge loss\ndelete table bridge loss\ntable bridge loss {\n chain c { type filter hook forward priority 0; %s\n }\n}\n"


def hosts(count):
    """Their addresses, spread over the network the same way each time."""
    numbers = random.Random(1).sample(range(2, NETWORK.num_addresses - 1), count)
    return {int(NETWORK[n]).to_bytes(4, "big"): b"\x02\x00" + n.to_bytes(4, "big") for n in numbers}


def answer(count):
    """In a namespace of its own: the hosts."""
    known = hosts(count)
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
    s.setsockopt(socket.SOL_SOCKET, 33, 1 << 27)  # SO_RCVBUFFORCE
    print("started", flush=True)
    sys.stdin.readline()
    s.bind(("far", 0x0806))
    print("ready", flush=True)
    while True:
        frame = s.recv(2048)
        mac = known.get(frame[38:42])
        if mac is not None and frame[20:22] == b"\0\1":
            s.send(frame[6:12] + mac + frame[12:20] + b"\0\2" + mac + frame[38:42] + frame[22:32] + bytes(18))


def namespace(*command):
    child = subprocess.Popen(["unshare", "-n", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if child.stdout.readline() != "started\n":
        sys.exit("devices.py: no network namespace")
    return child


def until_answered(address):
    """A bridge takes a second before it forwards."""
    while "lladdr" not in subprocess.run(["ip", "neigh", "show", address], capture_output=True, text=True, check=True).stdout:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"", (address, 9))
        time.sleep(0.1)


def weir_found(weir):
    out = subprocess.run([weir, "devices", str(NETWORK), "-o", "json", "-f", "ip,addresses", "-q"], capture_output=True, text=True, check=False)
    return {address for line in out.stdout.splitlines() for address in json.loads(line)["addresses"]}, out.stderr


def arp_scan_found(_):
    out = subprocess.run(["arp-scan", "-I", "here", "--plain", str(NETWORK)], capture_output=True, text=True, check=False)
    return {line.split()[0] for line in out.stdout.splitlines()}, ""


def frames_sent():
    line = next(line for line in pathlib.Path("/proc/net/dev").read_text().splitlines() if line.strip().startswith("here:"))
    return int(line.split(":")[1].split()[9])


PROGRAMS = {"weir": weir_found, "arp-scan": arp_scan_found}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--losses", default="0,5")
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--programs", default="weir,arp-scan")
    parser.add_argument("weir", nargs="?", default=str(ROOT / "build/release/weir"))
    arguments = parser.parse_args()
    missing = [name for name in ("arp-scan", "nft", "ip") if shutil.which(name) is None]
    if missing:
        sys.exit(f"devices.py: {', '.join(missing)} missing: ./dev bench installs them")
    if "WEIR_INSIDE" not in os.environ:
        os.execvpe("unshare", ["unshare", "-n", sys.executable, __file__, *sys.argv[1:]], {**os.environ, "WEIR_INSIDE": "1"})
    middle = namespace("sh", "-c", "echo started; exec cat")
    far = namespace(sys.executable, __file__, "--answer", str(arguments.hosts))
    subprocess.run(["sh", "-ec", SETUP], env={**os.environ, "MIDDLE": str(middle.pid), "FAR": str(far.pid)}, check=True)
    far.stdin.write("go\n")
    far.stdin.flush()
    far.stdout.readline()
    live = {str(ipaddress.ip_address(int.from_bytes(a, "big"))) for a in hosts(arguments.hosts)}
    until_answered(min(live))
    print(f"{NETWORK}, {len(live)} live hosts, default settings, median of {arguments.rounds}\n")
    print("| loss each way | program | seconds | frames sent | found | missed | weir is faster |")
    print("|---|---|---|---|---|---|---|")
    for loss in (int(n) for n in arguments.losses.split(",")):
        rule = f"numgen random mod 100 < {loss} drop" if loss else ""
        subprocess.run(["nsenter", "-t", str(middle.pid), "-n", "nft", "-f", "-"], input=LOSS % rule, text=True, check=True)
        programs = arguments.programs.split(",")
        seconds, missed, frames = ({p: [] for p in programs} for _ in range(3))
        for _ in range(arguments.rounds):
            for name in programs:
                began, before = time.monotonic(), frames_sent()
                found, told = PROGRAMS[name](arguments.weir)
                seconds[name].append(time.monotonic() - began)
                frames[name].append(frames_sent() - before)
                missed[name].append(len(live - found))
                if told:
                    print(told, file=sys.stderr)
        for name in programs:
            factor = statistics.median(seconds[name]) / statistics.median(seconds[programs[0]])
            print(f"| {loss} % | {name} | {statistics.median(seconds[name]):.1f} | {statistics.median(frames[name]):,.0f} | {len(live) - max(missed[name]):,} | "
                  f"{', '.join(map(str, missed[name]))} | {f'{factor:.1f}×' if name != programs[0] else ''} |", flush=True)
    for child in (middle, far):
        child.kill()
        child.wait()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--answer"]:
        answer(int(sys.argv[2]))
    else:
        main()
