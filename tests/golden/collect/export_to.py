#!/usr/bin/env python3
"""Starts a weir collect that listens on port 0, sends it the UDP payloads of captures (of FILE.ipfix, its bytes by TCP),
and ends it by SIGTERM: what had arrived by then is collected. On [::], all of it by IPv4 and by IPv6. Prints its output, then its stderr, in which the port chosen
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


def places(host, port):
    return [(address, port) for address in (("127.0.0.1", "::1") if host == "::" else (host,))]


def send(path, address, port):
    if path.endswith(".ipfix"):
        with socket.create_connection((address, port)) as connection, open(path, "rb") as file:
            connection.sendall(file.read())
            # Weir closes its side when it has read everything.
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)
        return
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for payload in payloads(path):
            sender.sendto(payload, (address, port))


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
            for address, port in places(*ports["tcp" if path.endswith(".ipfix") else "udp"]):
                send(path, address, port)
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
