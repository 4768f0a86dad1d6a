#!/usr/bin/env python3
"""Compares the flows weir decodes from captures of NetFlow, IPFIX and sFlow with what other collectors made of them.

  flows.py CORPUS [--weir PATH] [--command 'PROGRAM {capture}'] [--show N]

CORPUS holds captures and the answers of tshark (tshark-golden/), Logstash (logstash-golden/), Telegraf (expected.out)
and pmacct (output-flow-00.json). Every flow of an answer must be among weir's with the same values in all fields that
the answer has, and weir must have as many. Counts are compared as the exporter sent them, times the sampling rate weir
found; pmacct's that it scaled itself are compared as they are. What differs for a reason is in flows_known.tsv: source,
capture, field (or "count"), reason; `-` for the field takes the whole capture out.

Captures wrapped around bare payloads have times of no meaning: they are read from a copy whose clock is right.

Exit code: 0 no unexplained difference, 1 some, 77 (skipped) when the corpus is missing.
"""
import argparse
import calendar
import collections
import datetime
import json
import pathlib
import re
import shlex
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PROTOCOLS = {"hopopt": 0, "icmp": 1, "igmp": 2, "ipip": 4, "tcp": 6, "udp": 17, "ipv6": 41, "gre": 47, "ipv6-icmp": 58, "icmpv6": 58, "sctp": 132, "vrrp": 112}
PORTS = {"src_port", "dst_port"}
SCALED = {"bytes", "packets", "src_bytes", "src_packets", "dst_bytes", "dst_packets"}

# Their names for fields of `flow`. Where several fill one field, the first that is there counts.
TSHARK = {
    "src_ip": ["srcaddr", "srcaddrv6"], "dst_ip": ["dstaddr", "dstaddrv6"], "src_port": ["srcport"], "dst_port": ["dstport"],
    "proto": ["protocol"], "src_bytes": ["initiator_octets", "octets", "permanent_octets"], "dst_bytes": ["responder_octets"],
    "src_packets": ["packets", "permanent_packets"], "in_interface": ["inputint"], "out_interface": ["outputint"],
    "src_as": ["srcas"], "dst_as": ["dstas"], "src_mask": ["srcmask", "srcmaskv6"], "dst_mask": ["dstmask", "dstmaskv6"],
    "src_tos": ["tos"], "next_hop": ["nexthop", "nexthopv6"], "bgp_next_hop": ["bgpnexthop", "bgpnexthopv6"],
    "src_mac": ["srcmac", "post_srcmac"], "dst_mac": ["dstmac", "post_dstmac"], "src_tcp_flags": ["tcpflags"],
    "direction": ["direction"], "forwarding": ["forwarding_status"], "end_reason": ["flow_end_reason"],
    "nat_src_ip": ["post_natsource_ipv4_address"], "nat_dst_ip": ["post_natdestination_ipv4_address"],
    "nat_src_port": ["post_naptsource_transport_port"], "nat_dst_port": ["post_naptdestination_transport_port"],
    "vlan": ["dot1q_customer_vlan_id", "dot1q_vlan_id", "vlanid"], "event": ["firewall_event"],
}
LOGSTASH = {
    "src_ip": ["ipv4_src_addr", "ipv6_src_addr", "sourceIPv4Address", "sourceIPv6Address"],
    "dst_ip": ["ipv4_dst_addr", "ipv6_dst_addr", "destinationIPv4Address", "destinationIPv6Address"],
    "src_port": ["l4_src_port", "sourceTransportPort"], "dst_port": ["l4_dst_port", "destinationTransportPort"],
    "proto": ["protocol", "protocolIdentifier"], "src_bytes": ["fwd_flow_delta_bytes", "in_bytes", "octetDeltaCount", "octetTotalCount",
                                                               "in_permanent_bytes", "out_bytes"],
    "dst_bytes": ["rev_flow_delta_bytes"], "src_packets": ["in_pkts", "packetDeltaCount", "packetTotalCount", "out_pkts"],
    "in_interface": ["input_snmp", "ingressInterface"], "out_interface": ["output_snmp", "egressInterface"],
    "src_as": ["src_as", "bgpSourceAsNumber"], "dst_as": ["dst_as", "bgpDestinationAsNumber"], "src_mask": ["src_mask"],
    "dst_mask": ["dst_mask"], "src_tos": ["src_tos", "ipClassOfService"], "next_hop": ["ipv4_next_hop"],
    "bgp_next_hop": ["bgp_ipv4_next_hop"], "src_mac": ["in_src_mac", "sourceMacAddress"], "dst_mac": ["in_dst_mac"],
    "src_tcp_flags": ["tcp_flags", "tcpControlBits"], "direction": ["direction", "flowDirection"],
    "forwarding": ["forwarding_status"], "end_reason": ["flowEndReason"], "nat_src_ip": ["xlate_src_addr_ipv4", "BindIPv4Address"],
    "nat_dst_ip": ["xlate_dst_addr_ipv4", "ConnIPv4Address"], "nat_src_port": ["xlate_src_port", "BindTransportPort"],
    "nat_dst_port": ["xlate_dst_port", "ConnTransportPort"], "vlan": ["src_vlan", "vlanId"],
    "application": ["app_id", "application_name", "nprobe_proto_name", "ixiaL7AppName", "ServiceName"],
    "event": ["fw_event", "firewallEvent"], "start": ["flowStartMilliseconds", "flow_start_msec", "first_switched"],
}
TELEGRAF = {
    "src_ip": ["src"], "dst_ip": ["dst"], "src_port": ["src_port"], "dst_port": ["dst_port"], "proto": ["protocol"],
    "src_bytes": ["in_bytes", "in_total_bytes"], "src_packets": ["in_packets", "in_total_packets"], "in_interface": ["in_snmp"],
    "out_interface": ["out_snmp"], "src_as": ["bgp_src_as"], "dst_as": ["bgp_dst_as"], "src_mask": ["src_mask"],
    "dst_mask": ["dst_mask"], "next_hop": ["next_hop"], "src_tos": ["src_tos"], "direction": ["direction"],
    "end_reason": ["flow_end_reason"], "start": ["flow_start_ms"], "src_mac": ["in_src_mac"], "dst_mac": ["out_dst_mac"],
}
PMACCT = {
    "src_ip": ["ip_src"], "dst_ip": ["ip_dst"], "src_port": ["port_src"], "dst_port": ["port_dst"], "proto": ["ip_proto"],
    "src_bytes": ["bytes"], "src_packets": ["packets"], "in_interface": ["iface_in"], "out_interface": ["iface_out"],
    "src_tos": ["tos"], "start": ["timestamp_start"],
    "src_mac": ["mac_src"], "dst_mac": ["mac_dst"], "vlan": ["vlan_in", "vlan"],
}
END_REASONS = {1: "idle", 2: "active", 3: "closed", 4: "end", 5: "evicted",
               "idle timeout": "idle", "active timeout": "active", "end of flow": "closed", "forced end": "end", "lack of resources": "evicted"}
EVENTS = {1: "created", 2: "deleted", 3: "denied", 4: "alert", 5: "updated"}
# Where zero, none or "unknown" is the same as nothing for weir.
EMPTY_IS_ZERO = {"next_hop", "bgp_next_hop", "vlan", "nat_src_ip", "nat_dst_ip", "in_interface", "out_interface", "src_mac", "dst_mac"}
ZEROS = (0, "0.0.0.0", "::", "00:00:00:00:00:00")


PAGE = """# How right collected flows are

Made by `tests/conformance/flows.py CORPUS > docs/conformance-flows.md`: captures of NetFlow v5 and v9, IPFIX and sFlow v5
from routers, firewalls and probes of many makers, read by `weir collect`, and what four other programs made of the same
bytes. Every value that both have is compared. The corpus is not part of weir; the reasons are in
`tests/conformance/flows_known.tsv`.
"""


def number(value):
    text = str(value)
    try:
        return int(text, 16) if re.fullmatch(r"0x[0-9a-fA-F]+", text) else int(float(text)) if re.fullmatch(r"\d+\.\d+", text) else int(text)
    except ValueError:
        return text


def flags(value):
    bits = number(value)
    return "".join(letter for letter, bit in zip("CEUAPRSF", (128, 64, 32, 16, 8, 4, 2, 1)) if bits & bit) if isinstance(bits, int) else value


def moment(value):
    """Milliseconds since the epoch."""
    if isinstance(value, int):
        return value
    if re.fullmatch(r"\d+", value):
        return int(value)
    if re.fullmatch(r"\d+\.\d+", value):
        return int(float(value) * 1000)
    found = re.match(r"(\w{3})\s+(\d+), (\d{4}) (\d\d):(\d\d):(\d\d)\.(\d{3})\d* UTC", value)
    if found:
        months = list(calendar.month_abbr)
        parts = [int(found[3]), months.index(found[1]), *(int(found[i]) for i in (2, 4, 5, 6))]
        return int(datetime.datetime(*parts, tzinfo=datetime.timezone.utc).timestamp()) * 1000 + int(found[7])
    found = re.match(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,3}))?", value)
    seconds = datetime.datetime.fromisoformat(f"{found[1]}T{found[2]}+00:00").timestamp()
    return int(seconds) * 1000 + int((found[3] or "0").ljust(3, "0"))


def normal(field, value):
    if isinstance(value, dict):  # Logstash's forwarding status
        return value["status"] << 6 | value["reason"]
    if field == "proto":
        return PROTOCOLS.get(str(value).lower(), number(value))
    if field == "src_tcp_flags":
        return flags(value)
    if field == "direction":
        return {0: "ingress", 1: "egress"}.get(number(value), value)
    if field == "end_reason":
        return END_REASONS.get(number(value), value)
    if field == "event":
        return EVENTS.get(number(value))
    if field == "start":
        return moment(value)
    if field.endswith("_mac"):
        return str(value).lower()
    if field.endswith("_ip") or field.endswith("next_hop") or field == "exporter" or field == "application":
        return str(value).removeprefix("::ffff:") if "." in str(value) else str(value)
    return number(value)


def translate(row, names):
    """A row of theirs in weir's fields."""
    out = {}
    for field, theirs in names.items():
        values = [row[n] for n in theirs if row.get(n) not in (None, "")]
        if field.endswith(("_ip", "next_hop")):  # a template may have both families
            values.sort(key=lambda v: v in ZEROS)
        found = values[0] if values else None
        if found is not None:
            out[field] = normal(field, found)
    if out.get("proto") in (1, 58):  # weir has type and answer there
        for port in PORTS:
            out.pop(port, None)
    if out.get("proto", 6) != 6:
        out.pop("src_tcp_flags", None)
    if out.get("end_reason") == 0 or out.get("event") is None:
        out.pop("end_reason" if out.get("end_reason") == 0 else "event", None)
    application = out.get("application", "x").strip("\0 ")
    if not application or "\0" in application or out.get("application") in ("unknown", "-"):
        out.pop("application")
    if out.get("direction") == "255":  # neither
        out.pop("direction")
    return out


def leaves(pairs, out):
    for key, value in pairs:
        if isinstance(value, list) and value and isinstance(value[0], tuple):
            leaves(value, out)
        elif isinstance(value, str):
            out.setdefault(key, value)
        elif isinstance(value, list) and value and isinstance(value[0], str):
            out.setdefault(key, value[0])


def tshark_rows(path):
    """Every flow record of a capture as tshark decodes it, in its own names."""
    rows = []

    def walk(pairs, header):
        for key, value in pairs:
            if not (isinstance(value, list) and value and isinstance(value[0], tuple)):
                continue
            if re.match(r"(pdu \d|Flow \d)", key):
                row = {}
                leaves(value, row)
                rows.append({k.removeprefix("cflow."): v for k, v in row.items()} | {"header": header})
            elif re.match(r"(Expanded f|F)low sample", key):
                rows.append(sflow_row(value))
            else:
                walk(value, header)

    for packet in json.loads(path.read_text(), object_pairs_hook=list):
        layers = dict(dict(packet)["_source"])["layers"]
        for name, value in layers:
            if name in ("cflow", "sflow") and isinstance(value, list):
                header = {}
                leaves(value, header)
                walk(value, header)
    return rows


def sflow_row(pairs):
    row = {}
    leaves(pairs, row)
    return {"sflow": row}


def tshark_flows(path):
    flows = []
    for row in tshark_rows(path):
        if "sflow" in row:
            flows.append(sflow_flow(row["sflow"]))
            continue
        if any("scope" in k for k in row) or not any(
                k in row for k in ("srcaddr", "srcaddrv6", "dstaddr", "octets", "srcmac", "data_link_frame_section", "initiator_octets")):
            continue
        flow = translate(row, TSHARK)
        if "forwarding" in flow:  # tshark splits it
            codes = [int(v) for k, v in row.items() if re.match("forwarding_status_.*_code", k)]
            flow["forwarding"] = flow["forwarding"] << 6 | (codes[0] if codes else 0)
        if "data_link_frame_section" in row:
            flow |= outermost(row)
        header = row["header"]
        if "abstimestart" in row:
            flow["start"] = moment(row["abstimestart"])
        elif "timestart" in row and "cflow.sysuptime" in header and "cflow.unix_secs" in header:
            ago = float(header["cflow.sysuptime"]) - float(row["timestart"])
            whole = int(header["cflow.unix_secs"]) * 1000 + int(header.get("cflow.unix_nsecs", "0")) // 1_000_000
            flow["start"] = round(whole - ago * 1000)
        flows.append(flow)
    return flows


def outermost(row):
    """The first IP header of a sampled packet: the one that is named first."""
    first = next((k for k in row if k in ("ip.src", "ipv6.src")), None)
    names = {
        "ip.src": {"src_ip": ["ip.src"], "dst_ip": ["ip.dst"], "proto": ["ip.proto"], "src_ttl": ["ip.ttl"], "src_bytes": ["ip.len"]},
        "ipv6.src": {"src_ip": ["ipv6.src"], "dst_ip": ["ipv6.dst"], "proto": ["ipv6.nxt"], "src_ttl": ["ipv6.hlim"]},
    }.get(first, {})
    return translate(row, names)


def sflow_flow(row):
    names = {"src_ip": ["sflow_245.ipv4_src"], "dst_ip": ["sflow_245.ipv4_dst"], "proto": ["sflow.ip_protocol"],
             "src_port": ["tcp.srcport", "udp.srcport", "sflow_245.ip.source_port"],
             "dst_port": ["tcp.dstport", "udp.dstport", "sflow.ip.destination_port"], "src_mac": ["eth.src"], "dst_mac": ["eth.dst"],
             "in_interface": ["sflow.flow_sample.input_interface", "sflow.flow_sample.input_interface_value"],
             "src_as": ["sflow_245.srcAS"], "src_mask": ["sflow_245.nexthop.src_mask"], "dst_mask": ["sflow_245.nexthop.dst_mask"],
             "next_hop": ["sflow_245.nexthop"], "sampling": ["sflow.flow_sample.sampling_rate"]}
    flow = translate(row, names) | outermost(row) | {"src_packets": 1}
    if flow["in_interface"] == 0x3FFFFFFF:  # the device itself
        flow.pop("in_interface")
    return flow


def logstash_flows(path):
    """Whole events, values of single events, and how many events are flows; None: it does not say."""
    golden = json.loads(path.read_text())
    events = [e["netflow"] for e in golden.get("expected_events", []) if "netflow" in e]
    values = collections.defaultdict(dict)
    for index, name, value in golden.get("expected_fields", []):
        found = re.fullmatch(r"\[netflow\]\[(\w+)\]", name)
        if found:
            values[index][found[1]] = value

    def is_flow(row):
        return not any("scope" in k or k in ("meteringProcessId", "if_desc", "samplingPacketInterval", "systemInitTimeMilliseconds") for k in row)

    whole = [translate(e, LOGSTASH) for e in events if is_flow(e)]
    parts = [f for v in values.values() if is_flow(v) and (f := translate(v, LOGSTASH))]
    count = golden.get("expected_event_count")
    return whole, parts, None if count is None else count - sum(not is_flow(e) for e in events)


def telegraf_rows(path):
    for line in path.read_text().splitlines():
        if not line.startswith("netflow,"):
            continue
        body = re.sub(r"^\S+ ", "", line)
        row = {}
        for found in re.finditer(r'(\w+)=("(?:[^"\\]|\\.)*"|[^,\s]+)', body):
            value = found[2]
            row[found[1]] = value.strip('"') if value.startswith('"') else value.rstrip("ui")
        yield row


def telegraf_flows(path):
    return [translate(r, TELEGRAF) for r in telegraf_rows(path)
            if "src" in r or ("in_bytes" in r and "dst" in r and "speed" not in r)]


def pmacct_flows(path):
    return [translate(json.loads(line), PMACCT) for line in path.read_text().splitlines() if line.startswith("{")]


def right_clock(capture, folder):
    """A copy whose packets were received today, so that no exported time is ahead of them."""
    data = bytearray(capture.read_bytes())
    if data[:4] not in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4"):
        return capture
    order = "<" if data[:4] == b"\xd4\xc3\xb2\xa1" else ">"
    at, now = 24, int(datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc).timestamp())
    while at + 16 <= len(data):
        size = struct.unpack_from(order + "I", data, at + 8)[0]
        struct.pack_into(order + "I", data, at, now)
        at += 16 + size
    copy = pathlib.Path(folder) / capture.name
    copy.write_bytes(data)
    return copy


def weir_flows(command, capture):
    with tempfile.TemporaryDirectory() as folder:
        copy = right_clock(capture, folder)
        words = [w.replace("{capture}", str(copy)) for w in shlex.split(command)]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{capture.name}: exit code {done.returncode}: {done.stderr.decode()[:200]}")
    flows = []
    for line in done.stdout.decode().splitlines():
        row = json.loads(line)
        if row["type"] != "flow":
            continue
        row["proto"] = normal("proto", row["proto"])
        row["start"] = moment(row["time"])
        flows.append(row)
    return flows


def difference(golden, flow, scaled):
    """Fields that differ."""
    rate = flow.get("sampling") or 1
    fields = []
    for field, want in golden.items():
        got = flow.get(field)
        if field in SCALED and not scaled and isinstance(want, int):
            want *= rate
        if field in EMPTY_IS_ZERO and want in ZEROS and got in (None, 0):
            continue
        # pmacct computes whole seconds of NetFlow v9's times.
        if field == "start" and got is not None and abs(got - want) <= (999 if scaled and want % 1000 == 0 else 1):
            continue
        if got != want:
            fields.append(field)
    return fields


def compare(golden, flows, scaled=False, once=True):
    """What of `golden` has no equal in `flows`: the best match and what differs in it."""
    left = list(flows)
    for want in golden:
        if not left:
            yield want, None, ["missing"]
            continue
        best = min(left, key=lambda f: (len(d := difference(want, f, scaled)), "src_ip" in d))
        fields = difference(want, best, scaled)
        if once:
            left.remove(best)
        if fields:
            yield want, best, fields


class Report:
    def __init__(self, known):
        self.known, self.used = known, collections.Counter()
        self.counts = collections.defaultdict(collections.Counter)
        self.unexplained = collections.defaultdict(list)

    def reason(self, source, capture, field):
        for key in ((source, capture, field), (source, capture, "-")):
            if key in self.known:
                self.used[key] += 1
                return self.known[key]
        return None

    def check(self, source, capture, golden, flows, total, scaled=False, first=True):
        """`total`: how many flows weir must have. `first`: not another part of the same answer."""
        counts = self.counts[source]
        counts["captures"] += first
        counts["flows"] += len(golden)
        counts["values"] += sum(len(g) for g in golden)
        if total is not None and total != len(flows):
            self.differ(source, capture, "count", f"{total} flows, weir has {len(flows)}")
        for want, best, fields in compare(golden, flows, scaled, once=first):
            for field in fields:
                got = best.get(field) if best else None
                self.differ(source, capture, field, f"{want.get(field)!r}, weir has {got!r} in {want.get('src_ip')} > {want.get('dst_ip')}")

    def differ(self, source, capture, field, text):
        if self.reason(source, capture, field):
            self.counts[source]["explained"] += 1
        else:
            self.counts[source]["unexplained"] += 1
            self.unexplained[f"{source} {capture} {field}"].append(text)


def read_known(path):
    known = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        if line and not line.startswith("#"):
            source, capture, field, reason = line.split("\t")
            known[source, capture, field] = reason
    return known


def captures_of(corpus):
    """tshark's answers name the capture by its path."""
    return {str(p.relative_to(corpus)).replace("/", "_"): p for p in corpus.rglob("*.pcap")}


def run(corpus, command, report):
    captures = captures_of(corpus)
    flows = {}

    def decoded(capture):
        if capture not in flows:
            flows[capture] = weir_flows(command, capture)
        return flows[capture]

    for path in sorted((corpus / "tshark-golden").glob("*.json")):
        capture = captures.get(path.name.removesuffix(".json"))
        if capture:
            golden = tshark_flows(path)
            report.check("tshark", path.name.removesuffix(".pcap.json"), golden, decoded(capture), len(golden))
    for path in sorted((corpus / "logstash-golden").glob("*.json")):
        capture = corpus / "wrapped" / f"logstash-{path.stem}.pcap"
        whole, parts, count = logstash_flows(path)
        report.check("logstash", path.stem, whole, decoded(capture), count)
        report.check("logstash", path.stem, parts, decoded(capture), None, first=False)
    for path in sorted(corpus.rglob("expected.out")):
        capture = corpus / "wrapped" / f"telegraf-{path.parent.name}.pcap"
        golden = telegraf_flows(path)
        report.check("telegraf", path.parent.name, golden, decoded(capture), len(golden))
    for path in sorted(corpus.rglob("output-flow-00.json")):
        if path.parent.name.startswith("scenario"):
            continue
        here = [f for p in sorted(path.parent.glob("traffic-*.pcap")) for f in decoded(p)]
        golden = pmacct_flows(path)
        report.check("pmacct", path.parent.name, golden, here, len(golden), scaled=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("--weir", default="build/release/weir")
    parser.add_argument("--command", help="another program that prints flows as JSON lines")
    parser.add_argument("--show", type=int, default=20)
    args = parser.parse_args()
    if not (args.corpus / "tshark-golden").is_dir():
        print(f"skipped: no answers in {args.corpus}")
        return 77
    report = Report(read_known(HERE / "flows_known.tsv"))
    run(args.corpus, args.command or f"{shlex.quote(args.weir)} collect {{capture}} -o json -q", report)
    print(PAGE)
    print("| compared with | captures | flows | values | differ for a reason | differ without |\n|---|---|---|---|---|---|")
    for source, c in report.counts.items():
        print(f"| {source} | {c['captures']} | {c['flows']} | {c['values']} | {c['explained']} | {c['unexplained']} |")
    print("\n| compared with | capture | field | times | reason |\n|---|---|---|---|---|")
    for (source, capture, field), times in sorted(report.used.items()):
        print(f"| {source} | {capture} | {'all' if field == '-' else field} | {times} | {report.known[source, capture, field]} |")
    for what, texts in list(report.unexplained.items())[: args.show]:
        print(f"differs: {what} {len(texts)} times: {texts[0]}", file=sys.stderr)
    print(f"\n{sum(c['unexplained'] for c in report.counts.values())} unexplained differences")
    return 1 if report.unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
