#!/usr/bin/env python3
"""Writes a large capture of made-up traffic, the same bytes every time.

  make_capture.py OUT.pcap MEGABYTES

A mix of DNS, HTTP, opaque TCP, UDP streams and unanswered SYNs between 10/8 clients and many servers, interleaved in
time. For speed only: it says nothing about what weir recognises. Standard library only.
"""
import heapq
import random
import struct
import sys

ETHERNET = bytes.fromhex("020000000002020000000001" "0800")
WORDS = ["mail", "www", "cdn", "api", "news", "shop", "img", "static", "login", "update"]


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def ip(src, dst, proto, body, ident):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), ident & 0xFFFF, 0x4000, 64, proto, 0, src, dst)
    return ETHERNET + head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


def tcp(sport, dport, seq, ack, flags, data=b""):
    return struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, 64240, 0, 0) + data


def udp(sport, dport, data):
    return struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data


def tcp_session(rng, client, server, port, exchanges):
    sport, cs, ss = rng.randrange(32768, 61000), rng.randrange(2**32), rng.randrange(2**32)
    yield client, server, tcp(sport, port, cs, 0, 2)
    yield server, client, tcp(port, sport, ss, cs + 1, 18)
    cs, ss = cs + 1, ss + 1
    yield client, server, tcp(sport, port, cs, ss, 16)
    for request, response in exchanges:
        yield client, server, tcp(sport, port, cs, ss, 24, request)
        cs += len(request)
        for at in range(0, len(response), 1448):
            part = response[at:at + 1448]
            yield server, client, tcp(port, sport, ss, cs, 24, part)
            ss += len(part)
            yield client, server, tcp(sport, port, cs, ss, 16)
    yield client, server, tcp(sport, port, cs, ss, 17)
    yield server, client, tcp(port, sport, ss, cs + 1, 17)
    yield client, server, tcp(sport, port, cs + 1, ss + 1, 16)


def http(rng, client, server):
    host = f"{rng.choice(WORDS)}{rng.randrange(200)}.example.com"
    exchanges = []
    for _ in range(rng.randrange(1, 5)):
        request = f"GET /{rng.randrange(10**6)} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: mix/1.0\r\nAccept: */*\r\n\r\n"
        body = rng.randbytes(rng.randrange(200, 30000))
        head = f"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: {len(body)}\r\n\r\n"
        exchanges.append((request.encode(), head.encode() + body))
    yield from tcp_session(rng, client, server, 80, exchanges)


def opaque(rng, client, server):
    exchanges = [(rng.randbytes(rng.randrange(20, 900)), rng.randbytes(rng.randrange(40, 40000)))
                 for _ in range(rng.randrange(1, 6))]
    yield from tcp_session(rng, client, server, rng.choice([443, 993, 8443]), exchanges)


def dns(rng, client, server):
    sport, number = rng.randrange(32768, 61000), rng.randbytes(2)
    labels = (rng.choice(WORDS), f"d{rng.randrange(5000)}", "example")
    question = b"".join(bytes([len(x)]) + x.encode() for x in labels) + b"\0\0\1\0\1"
    yield client, server, udp(sport, 53, number + b"\1\0\0\1\0\0\0\0\0\0" + question)
    answer = b"\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4" + rng.randbytes(4)
    yield server, client, udp(53, sport, number + b"\x81\x80\0\1\0\1\0\0\0\0" + question + answer)


def stream(rng, client, server):
    sport = rng.randrange(32768, 61000)
    for _ in range(rng.randrange(5, 80)):
        yield server, client, udp(4500, sport, rng.randbytes(rng.randrange(100, 1200)))


def unanswered(rng, client, server):
    yield client, server, tcp(rng.randrange(32768, 61000), rng.randrange(1, 65536), rng.randrange(2**32), 0, 2)


def main():
    out, limit = sys.argv[1], int(sys.argv[2]) * 1_000_000
    rng = random.Random(1)
    kinds = [http, opaque, dns, dns, dns, stream, unanswered, unanswered]
    waiting, now, born, written = [], 1_700_000_000.0, 0, 0
    with open(out, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        while written < limit:
            while len(waiting) < 2000:
                client = bytes([10, rng.randrange(4), rng.randrange(256), rng.randrange(1, 255)])
                server = bytes([rng.randrange(20, 200), rng.randrange(256), rng.randrange(256), rng.randrange(1, 255)])
                born += 1
                heapq.heappush(waiting, (now + rng.random() * 2, born, rng.choice(kinds)(rng, client, server)))
            when, number, packets = heapq.heappop(waiting)
            now = max(now, when)
            packet = next(packets, None)
            if packet is None:
                continue
            src, dst, body = packet
            data = ip(src, dst, 17 if len(body) > 8 and body[4:6] == struct.pack("!H", len(body)) else 6, body, number)
            file.write(struct.pack("<IIII", int(now), int(now % 1 * 1e9), len(data), len(data)) + data)
            written += 16 + len(data)
            heapq.heappush(waiting, (now + rng.random() * 0.1, number, packets))


main()
