#!/usr/bin/env python3
"""Sends DHCPDISCOVER until so many servers have offered, 20 s at most, and prints who did. Usage: dhcp_discover.py INTERFACE N"""
import fcntl
import os
import select
import socket
import struct
import sys
import time

interface, wanted = sys.argv[1], int(sys.argv[2])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
mac = fcntl.ioctl(s, 0x8927, struct.pack("256s", interface.encode()))[18:24]  # SIOCGIFHWADDR
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
s.bind(("0.0.0.0", 68))
offers, end = set(), time.monotonic() + 20
while len(offers) < wanted and time.monotonic() < end:
    xid = os.urandom(4)
    options = b"\x35\x01\x01" + b"\x37\x03\x01\x03\x06" + b"\x0c\x07tester1" + b"\xff"
    message = struct.pack("!4B4sHH16s16s192x", 1, 1, 6, 0, xid, 0, 0x8000, b"", mac) + b"\x63\x82\x53\x63" + options
    try:
        s.sendto(message.ljust(300, b"\0"), ("255.255.255.255", 67))
    except OSError:  # no route before the link is up
        pass
    until = time.monotonic() + 1
    while len(offers) < wanted and select.select([s], [], [], max(0, until - time.monotonic()))[0]:
        data, peer = s.recvfrom(2048)
        if data[4:8] == xid:
            offers.add(peer[0])
print(*sorted(offers))
