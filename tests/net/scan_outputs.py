#!/usr/bin/env python3
"""What a scan writes beside its output, and what it says of an earlier one: on the loopback of a network namespace of its
own. 77: this kernel gives no namespaces. Usage: scan_outputs.py PATH/TO/weir
"""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from xml.etree import ElementTree

DTD = pathlib.Path("/usr/share/nmap/nmap.dtd")
OPEN = {22, 80, 443}


class Checks:
    def __init__(self):
        self.failed = 0

    def that(self, what, truth, detail=""):
        if not truth:
            self.failed += 1
        print(("ok      " if truth else "FAILED  ") + what + (f": {detail}" if detail and not truth else ""), flush=True)


def listen(ports):
    return [socket.create_server(("127.0.0.1", port)) for port in sorted(ports)]


def scan(weir, *words):
    return subprocess.run([weir, "scan", "127.0.0.1", "-p", "1-1000", *words], capture_output=True, text=True, timeout=60)


def open_in_xml(text):
    return {int(p.get("portid")) for p in ElementTree.fromstring(text).iter("port") if p.find("state").get("state") == "open"}


def reports(weir, check):
    done = scan(weir, "-q", "-o", "csv", "-f", "port", "-oA", "all", "-oX", "one.xml", "-oL", "list", "-oJ", "list.json")
    check.that("the output beside six reports", {int(p) for p in done.stdout.split()[1:]} == OPEN, done.stdout + done.stderr)
    check.that("six files", sorted(os.listdir(".")) == ["all.gnmap", "all.nmap", "all.xml", "list", "list.json", "one.xml"], os.listdir("."))
    read = lambda name: pathlib.Path(name).read_text()
    check.that("nmap's XML", open_in_xml(read("all.xml")) == OPEN and open_in_xml(read("one.xml")) == OPEN)
    for name in ("all.xml", "one.xml"):
        if DTD.exists() and shutil.which("xmllint"):
            valid = subprocess.run(["xmllint", "--noout", "--dtdvalid", str(DTD), name], capture_output=True, text=True)
            check.that(f"{name} by nmap's DTD", valid.returncode == 0, valid.stderr)
        else:
            check.that("xmllint and nmap's DTD are here", False, "install libxml2-utils and nmap-common")
    check.that("nmap's greppable lines", "Ports: 22/open/tcp//ssh///, 80/open/tcp//http///, 443/open/tcp//https///\tIgnored State: closed (997)\tOS: " in read("all.gnmap"), read("all.gnmap"))
    check.that("nmap's report", "22/tcp  open  ssh\n80/tcp  open  http\n443/tcp open  https\n" in read("all.nmap"), read("all.nmap"))
    check.that("masscan's list", {int(line.split()[2]) for line in read("list").splitlines() if line.startswith("open")} == OPEN)
    check.that("masscan's JSON", {p["ports"][0]["port"] for p in json.loads(read("list.json"))} == OPEN)
    done = scan(weir, "-q", "-oX", "-")
    check.that("a report on stdout takes its place", open_in_xml(done.stdout) == OPEN, done.stdout + done.stderr)


def differences(weir, check):
    def changes(*words):
        done = scan(weir, "-o", "json", *words)
        try:
            return done.returncode, [(r["port"], r["change"], r.get("before"), r.get("after")) for r in map(json.loads, done.stdout.splitlines())]
        except (ValueError, KeyError):
            return done.returncode, done.stdout + done.stderr

    scan(weir, "-q", "-o", "json", "-w", "old.json")
    check.that("nothing has changed: 0", changes("--diff", "old.json") == (0, []), changes("--diff", "old.json"))
    check.that("nor since the XML", changes("--diff", "one.xml") == (0, []), changes("--diff", "one.xml"))
    LISTENERS[1].close()
    LISTENERS.extend(listen({99}))
    found = changes("--diff", "old.json", "-oX", "new.xml")
    expected = (1, [(80, "port_closed", "open", "closed"), (99, "port_opened", None, "open")])
    check.that("one has opened, one closed: 1", found == expected, found)
    check.that("a report beside it has what is open", open_in_xml(pathlib.Path("new.xml").read_text()) == {22, 99, 443})
    found = changes("--diff", "old.json", "--where", "port == 99")
    check.that("--where is about changes", found == (1, expected[1][1:]), found)
    done = scan(weir, "--diff", "new.xml", "-sT", "-q")
    check.that("by connections", done.returncode == 0 and done.stdout == "", done.stdout + done.stderr)


def asked_by_both(weir, check):
    """Addresses that only one of two scans asked are no change."""
    def run(*words):
        done = subprocess.run([weir, "scan", "-p", "22,99", *words], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    for old, words in (("few.json", ["-o", "json", "-w", "few.json"]), ("few.xml", ["-oX", "few.xml"])):
        run("127.0.0.0/30", "-q", *words)
        code, out, told = run("127.0.0.2-127.0.0.9", "--diff", old, "-o", "csv")
        check.that(f"nothing has changed since {old}", (code, out.count("\n")) == (0, 1), out + told)
        check.that("what only one asked is told", "not asked then: 6 hosts\n" in told and "not asked now: 2 hosts\n" in told, told)
    done = subprocess.run(["nmap", "-n", "-p", "22,99", "127.0.0.0/30", "-oX", "few-nmap.xml"], capture_output=True, timeout=60)
    code, out, told = run("127.0.0.2-127.0.0.9", "--diff", "few-nmap.xml", "-o", "csv")
    check.that("nor since nmap's XML", (done.returncode, code, out.count("\n")) == (0, 0, 1), out + told)
    for _ in range(2):
        run("127.0.0.0/30", "-q", "--data", "kept")
    code, out, told = run("127.0.0.2-127.0.0.9", "--diff", "kept", "-o", "csv")
    check.that("nor since what is kept", (code, out.count("\n")) == (0, 1) and "not asked then: 6 hosts\n" in told, out + told)
    pathlib.Path("empty").mkdir()
    code, out, told = run("127.0.0.2", "--diff", "empty")
    check.that("nothing is kept: 2", code == 2 and "holds no scan" in told, told)
    code, out, told = run("127.0.0.2", "--diff", "nofile")
    check.that("no file: 2", code == 2, told)


def not_shown(weir, check):
    """nmap's own words for what is not listed, beside weir's."""
    for ports in ("1-200", "200-300"):
        subprocess.run(["nmap", "-n", "-sS", "-p", ports, "127.0.0.1", "-oA", "theirs"], capture_output=True, check=True, timeout=60)
        subprocess.run([weir, "scan", "127.0.0.1", "-p", ports, "-q", "-oA", "ours"], capture_output=True, check=True, timeout=60)
        read = lambda name, word: sorted(re.sub(r"\tOS:.*| ports=\"[^\"]*\"|(?<=//)[a-z-]+(?=///)", "", line) for line in pathlib.Path(name).read_text().splitlines() if word in line)
        for end, word in (("xml", "extra"), ("gnmap", "Ports:"), ("nmap", "Not shown:"), ("nmap", "ignored states"), ("gnmap", "Status:")):
            ours, theirs = read(f"ours.{end}", word), read(f"theirs.{end}", word)
            check.that(f"{word} as nmap has it, ports {ports}", ours == theirs, f"{ours} {theirs}")
    text = pathlib.Path("ours.xml").read_text()
    check.that("the command line", f'args="{weir} scan 127.0.0.1 -p 200-300 -q -oA ours"' in text, text[:300])
    subprocess.run([weir, "scan", "127.0.0.1", "-p", "1-200", "-q", "-oX", "part.xml", "--where", "port == 22"], capture_output=True, check=True, timeout=60)
    text = pathlib.Path("part.xml").read_text()
    check.that("--where keeps what is said of the scan", open_in_xml(text) == {22} and 'services="1-200"' in text and '<hosts up="1" down="0" total="1"/>' in text, text)


def after_nmap(weir, check):
    """nmap's own XML: read, and compared with."""
    if not shutil.which("nmap"):
        return check.that("nmap is here", False, "install it")
    subprocess.run(["nmap", "-n", "-sS", "-p", "1-1000", "127.0.0.1", "-oX", "nmap.xml"], capture_output=True, check=True, timeout=60)
    done = subprocess.run([weir, "read", "nmap.xml", "-r", "port", "-o", "csv", "-f", "port,state"], capture_output=True, text=True, timeout=20)
    ports = {line for line in done.stdout.splitlines()[1:]}
    check.that("nmap's XML is read", ports == {"22,open", "99,open", "443,open"}, done.stdout + done.stderr)
    done = scan(weir, "--diff", "nmap.xml")
    check.that("nothing has changed since nmap", done.returncode == 0 and done.stdout == "", done.stdout + done.stderr)


def inside(weir):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    check = Checks()
    with tempfile.TemporaryDirectory(prefix="weir-scan-outputs-") as folder:
        os.chdir(folder)
        LISTENERS.extend(listen(OPEN))
        reports(weir, check)
        differences(weir, check)
        after_nmap(weir, check)
        asked_by_both(weir, check)
        not_shown(weir, check)
        os.chdir("/")
    return 1 if check.failed else 0


LISTENERS = []


def main():
    weir = os.path.abspath(sys.argv[1])
    if os.environ.get("WEIR_IN_NAMESPACE"):
        return inside(weir)
    if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode != 0:
        print("SKIPPED: this kernel or user may not make network namespaces", file=sys.stderr)
        return 77
    return subprocess.run(["unshare", "--net", "--", sys.executable, __file__, weir], env={**os.environ, "WEIR_IN_NAMESPACE": "1"}).returncode


if __name__ == "__main__":
    sys.exit(main())
