"""A network behind a TUN device that behaves as its addresses say, always the same way: what netem would do by chance.

10.8.1.0/24 answers, 10.8.2.0/24 is silent, 10.8.3.0/24 does not answer every fourth echo, 10.8.4.0/24 answers twice,
10.8.5.0/24 answers echoes in pairs, the second first, 10.8.6.0/24 answers after 30 ms, 10.8.7.0/24 is said to be
unreachable by its router, 10.8.8.0/24 answers ten echoes, ignores ten, and so on, 10.8.9.0/24 is behind three routers,
the second of which is silent.
"""
import fcntl
import os
import socket
import struct
import subprocess
import threading
import time

ROUTER = socket.inet_aton("10.8.0.254")


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def icmp(kind, code, rest):
    head = struct.pack("!BBH", kind, code, 0)
    return struct.pack("!BBH", kind, code, checksum(head + rest)) + rest


def ipv4(source, target, payload, ttl=64):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, ttl, 1, 0, source, target)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


class TunNetwork:
    def __init__(self):
        self.fd = os.open("/dev/net/tun", os.O_RDWR)
        iff_tun, iff_no_pi, tunsetiff = 0x0001, 0x1000, 0x400454CA
        fcntl.ioctl(self.fd, tunsetiff, struct.pack("16sH22x", b"tun0", iff_tun | iff_no_pi))
        subprocess.run(["sh", "-ec", "ip addr add 10.8.0.1/24 dev tun0; ip link set tun0 up; ip route add 10.8.0.0/16 dev tun0"], check=True)
        self.seen = {}
        self.held = {}
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            packet = os.read(self.fd, 65536)
            if packet[0] >> 4 == 4 and packet[9] == 1 and packet[20] == 8:
                self.take(packet)

    def take(self, packet):
        source, target = packet[12:16], packet[16:20]
        reply = ipv4(target, source, icmp(0, 0, packet[24:]))
        count = self.seen[target] = self.seen.get(target, -1) + 1
        kind = target[2]
        if kind == 1 or (kind == 3 and count % 4 != 3) or (kind == 8 and count // 10 % 2 == 0):
            os.write(self.fd, reply)
        elif kind == 4:
            os.write(self.fd, reply)
            os.write(self.fd, reply)
        elif kind == 5 and target in self.held:
            os.write(self.fd, reply)
            os.write(self.fd, self.held.pop(target))
        elif kind == 5:
            self.held[target] = reply
        elif kind == 6:
            threading.Thread(target=lambda: (time.sleep(0.03), os.write(self.fd, reply)), daemon=True).start()
        elif kind == 7:
            os.write(self.fd, ipv4(ROUTER, source, icmp(3, 1, bytes(4) + packet[:28])))
        elif kind == 9:
            ttl = packet[8]
            if ttl > 3:
                os.write(self.fd, reply)
            elif ttl != 2:
                os.write(self.fd, ipv4(bytes([10, 8, 0, 100 + ttl]), source, icmp(11, 0, bytes(4) + packet[:28])))
