#!/usr/bin/env python3
"""Starts a weir collect that listens on port 0, sends it the UDP payloads of captures (of FILE.ipfix, its bytes by TCP),
and ends it by SIGTERM: what had arrived by then is collected. Prints its output, then its stderr, in which the port chosen
is PORT and times are TIME.

  export_to.py FILE... -- weir collect -l 127.0.0.1:0 ...
"""
import re
import signal
import socket
import struct
import subprocess
import sys


def payloads(path):
    """The UDP payloads of a little-endian pcap of Ethernet and IPv4."""
    with open(path, "rb") as file:
        data = file.read()
    at = 24
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at + 8)
        packet = data[at + 16 : at + 16 + size]
        at += 16 + size
        if packet[12:14] == b"\x08\x00" and packet[23] == 17:
            yield packet[14 + 4 * (packet[14] & 15) + 8 :]


def main():
    split = sys.argv.index("--")
    files, command = sys.argv[1:split], sys.argv[split + 1 :]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as weir:
        errors, ports = "", {}
        wanted = sum(command.count(option) for option in ("-l", "--listen", "--tcp"))
        while len(ports) < wanted:
            line = weir.stderr.readline()
            if not line:
                break
            errors += line
            if found := re.match(r"weir: listening on (\S+):(\d+) \((udp|tcp)\)", line):
                ports[found[3]] = (found[1].strip("[]"), int(found[2]))
        for path in files if ports else []:
            family = socket.AF_INET6 if ":" in next(iter(ports.values()))[0] else socket.AF_INET
            if path.endswith(".ipfix"):
                with socket.create_connection(ports["tcp"]) as connection, open(path, "rb") as file:
                    connection.sendall(file.read())
                    # Weir closes its side when it has read everything.
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(1)
                continue
            with socket.socket(family, socket.SOCK_DGRAM) as sender:
                for payload in payloads(path):
                    sender.sendto(payload, ports["udp"])
        weir.send_signal(signal.SIGTERM)
        out, rest = weir.communicate()
    print(out, end="")
    errors += rest
    for _, port in ports.values():
        errors = errors.replace(f":{port} ", ":PORT ")
    print(re.sub(r"(?m) in \d\S*( \S*s)?$", " in TIME", errors), end="")
    return weir.returncode


if __name__ == "__main__":
    sys.exit(main())
