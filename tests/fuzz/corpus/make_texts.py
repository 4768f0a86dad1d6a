#!/usr/bin/env python3
"""Seeds, written by hand, of the targets that read texts: arpwatch_file, configuration, data_files; and of probe_answer,
reverse_name and scan_journal, which take few bytes."""
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent
FINGERPRINTS = rb"""source: RFC 959
conversations:
  - name: ftp
    transport: tcp
    ports: [21, 2121]
    greeting: '^220[ -]'
    send: 'FEAT\r\n'
    starttls: {offered: '(?im)^ *AUTH TLS', send: 'AUTH TLS\r\n', expect: '^234'}
fingerprints:
  - service: ftp
    answer_to: [banner, ftp]
    pattern: '^220 \(Example ([0-9.]+)\)'
    product: Example
    version: $1
    cpe: 'a:example:example:$1'
    confidence: 96
    example: {answer: '220 (Example 3.0)\r\n', version: 3.0}
"""
SYSTEMS = b"""source: made up
systems:
  - os: Example 1
    ttl: 64
    options: mss,sok,ts,nop,ws*
    windows: [most*(mss-12), 4*mss, 1024]
    confidence: 85
    example: {ttl: 57, window: 1024, mss: 1460, options: 'mss,sok,ts,nop,ws7'}
"""
DEVICES = b"""systems:
  - name: example
    detect: {command: show version, matches: Example}
    commands: [show running-config, show vlan]
    ignore: ['^! Last change', '^Current configuration']
    secrets: ['password (?:[05] )?(\\S+)']
    complete: '^end$'
    example: {line: 'username a password 0 secret', shown: 'username a password 0 ***'}
"""
RUNNING = (
    b"! Last configuration change at 10:00\r\nhostname r1\r\nenable secret 5 $1$abc\r\ninterface Gi0/1\r\n ip address 192.0.2.1 255.255.255.0\r\n"
    b"snmp-server community private RO\r\n --More-- \b\b\b\b\b\b\b\b\b\b line vty 0 4\r\n password 7 0822455D0A16\r\nend\r\n"
)
PTR = bytes([0xC0, 12]) + struct.pack(">HHIH", 12, 1, 60, 13) + b"\4host\7example\0"
ALIAS = bytes([0xC0, 12]) + struct.pack(">HHIH", 5, 1, 60, 4) + b"\1x\xc0\x0c"
HTTP = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
DNS = b"\x81\x80\0\1\0\1\0\0\0\0\1a\7example\0\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"
ALERT = bytes.fromhex("15030300020228")
SEEDS = {
    "arpwatch_file": {
        "two": b"0:0:5e:0:53:1\t192.0.2.1\t1700000000\trouter\teth0\n0:0:5e:0:53:2 2001:db8::2 1700000100\n\n",
        "late": b"0:0:5e:0:53:1\t192.0.2.1\t99999999999\n",
    },
    "configuration": {
        "ios": b"\0" + RUNNING,
        "changed": b"\1" + RUNNING + b"\0" + RUNNING.replace(b"r1", b"r2").replace(b"255.0", b"0.0") + b"end\n",
        "junos": b"\2## Last commit\nsystem {\n    host-name a;\n    encrypted-password \"$6$x\"; ## SECRET-DATA\n}\n\0",
        "colours": b"\3\x1b[31mset\x1b[0m x \x1b[\n\n\n\0\x1b",
    },
    "data_files": {
        "services": b"\0" + FINGERPRINTS,
        "systems": b"\1" + SYSTEMS,
        "devices": b"\2" + DEVICES,
        "anchor": b"\0a: &a [*a]\nb: {<<: *a}\n",
        "deep": b"\2" + b"[" * 200 + b"{" * 200,
        "unknown": b"\1systems:\n  - oss: x\n    ttl: 300\n",
    },
    "probe_answer": {
        "dns": b"\x80" + DNS,
        "dns_refused": b"\x80\x81\x85\0\0\0\0\0\0\0\0",
        "http": b"\1" + HTTP,
        "http_redirect": b"\1HTTP/1.0 302 Found\r\nLocation: /x\r\n\r\n",
        "http_early": b"\1HTTP/1.1 100 Continue\r\n\r\n" + HTTP,
        "https_alert": b"\2" + ALERT,
        "tls_alert": b"\3" + ALERT,
        "tls_hello": b"\3" + bytes.fromhex("160303002a0200002603035e") + bytes(31) + bytes.fromhex("00c02f000000"),
        "udp": b"\4x",
        "tcp": b"\5",
    },
    "reverse_name": {"pointer": PTR, "alias": ALIAS + PTR, "loop": b"\xc0\x27" * 8, "failed": b"\2" + PTR},
    "scan_journal": {
        "empty": b"\1" + bytes(80),
        "entry": b"\1" + bytes(80) + bytes(4096),
        "plan": b"\2" + struct.pack("<Q", 6) + bytes(72) + b"-p\n22\n",
        "foreign": b"\0" + b"x" * 40,
    },
}


def main():
    for folder, seeds in SEEDS.items():
        (HERE / folder).mkdir(exist_ok=True)
        for name, data in seeds.items():
            (HERE / folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
