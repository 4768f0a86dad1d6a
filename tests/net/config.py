#!/usr/bin/env python3
"""weir config against OpenSSH's server: a switch (a forced command that answers as one does), this Linux, a password, a
host key that nobody knew and one that has changed, and what cannot be fetched.

In a network and mount namespace of its own. 77: this kernel gives none. Usage: config.py PATH/TO/weir
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

PASSWORD = "tr0ub4dor & 3"
SWITCH = r"""#!/bin/sh
case "$SSH_ORIGINAL_COMMAND" in
  "show version") printf 'Cisco IOS Software, C2960 Software\r\n' ;;
  "show running-config") cat %(folder)s/running ;;
  *) printf '%% Invalid input detected\r\n'; exit 1 ;;
esac
"""
RUNNING = """Building configuration...

Current configuration : %(size)d bytes
!
hostname sw1
!
interface Gi0/1
 description %(description)s
!
snmp-server community %(community)s RO
end
"""


def inside(weir, folder):
    sh = lambda command: subprocess.run(["sh", "-ec", command], check=True, capture_output=True, text=True).stdout
    sh("ip link set lo up")
    sh(f"ssh-keygen -q -t ed25519 -N '' -f {folder}/host; ssh-keygen -q -t ed25519 -N '' -f {folder}/other")
    sh(f"ssh-keygen -q -t ed25519 -N '' -f {folder}/user; cp {folder}/user.pub {folder}/authorized; mkdir -p /run/sshd")
    # A password of root's that only this mount namespace has.
    hashed = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=PASSWORD + "\n", check=True, capture_output=True, text=True).stdout.strip()
    pathlib.Path(f"{folder}/shadow").write_text(f"root:{hashed}:19000:0:99999:7:::\n")
    sh(f"mount --make-rprivate /; mount --bind {folder}/shadow /etc/shadow")
    pathlib.Path(f"{folder}/password").write_text(PASSWORD + "\n")
    pathlib.Path(f"{folder}/switch").write_text(SWITCH % {"folder": folder})
    os.chmod(f"{folder}/switch", 0o755)
    servers = []

    def serve(port, host_key, *more):
        config = pathlib.Path(f"{folder}/sshd_{port}_{host_key}")
        config.write_text("\n".join([f"Port {port}", "ListenAddress 127.0.0.1", f"HostKey {folder}/{host_key}", "PidFile none", "UsePAM no",
                                     "StrictModes no", "PermitRootLogin yes", f"AuthorizedKeysFile {folder}/authorized", *more]) + "\n")
        server = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", str(config)], stderr=subprocess.PIPE, text=True)
        for line in server.stderr:
            if "listening" in line:
                break
        servers.append(server)
        return server

    def running(description, community):
        text = RUNNING % {"description": description, "community": community, "size": len(description)}
        pathlib.Path(f"{folder}/running").write_text(text.replace("\n", "\r\n"))

    checks = []

    def that(what, truth, detail=""):
        checks.append(bool(truth))
        print(("ok      " if truth else "FAILED  ") + what + (f": {detail}" if detail and not truth else ""), flush=True)

    ssh = f"ssh -F /dev/null -i {folder}/user -o UserKnownHostsFile={folder}/known"

    def config(*words, use=ssh):
        done = subprocess.run([weir, "config", *words, "--data", f"{folder}/data", *(["--ssh", use] if words[0] == "fetch" else [])],
                              capture_output=True, text=True, check=False, timeout=120)
        return done.returncode, done.stdout, done.stderr

    records = lambda out: [json.loads(line) for line in out.splitlines()]
    try:
        serve(2201, "host", f"ForceCommand {folder}/switch")
        serve(2202, "host")
        password_only = serve(2203, "host", f"ForceCommand {folder}/switch", "PubkeyAuthentication no")
        running("uplink", "n3twork")
        switch, linux, by_password = (f"root@127.0.0.1:{port}" for port in (2201, 2202, 2203))

        code, out, err = config("fetch", switch)
        that("a host key that nobody knew is not trusted", code == 3 and "verification failed" in err and "--accept-new" in err, err)
        code, out, err = config("fetch", switch, linux, "--accept-new")
        found = {r["device"]: r for r in records(out)}
        that("the systems are told", code == 0 and {d: r["os"] for d, r in found.items()} == {switch: "ios", linux: "linux"}, out + err)
        that("both are new", all(r["state"] == "new" and r["version"] == 1 for r in found.values()), out)
        code, out, _ = config("show", linux)
        that("this machine's configuration is there", "ID=debian" in out, out)
        code, out, _ = config("fetch", switch)
        that("the same again is no version", code == 0 and [(r["state"], r["version"]) for r in records(out)] == [("same", 1)], out)

        # The inventory knows the switch, under its address.
        pathlib.Path(f"{folder}/arp.dat").write_text("2:0:0:0:0:1\t127.0.0.1\t1700000000\tsw1\n")
        subprocess.run([weir, "devices", "import", f"{folder}/arp.dat", "--data", f"{folder}/data"], check=True, capture_output=True)
        before = time.time()
        running("core", "s3cret")
        code, out, _ = config("fetch")
        changed = [(r["device"], r["version"], r["added"], r["removed"]) for r in records(out) if r["state"] == "changed"]
        that("what has changed is told, and exit code 1", code == 1 and changed == [(switch, 2, 2, 2)], out)
        code, out, _ = config("diff", switch)
        that("the difference", code == 1 and "- description uplink\n+ description core\n" in out and "@@ interface Gi0/1" in out, out)
        that("secrets are masked, and differ", out.count("community ***") == 2 and "s3cret" not in out and len(set(l[1:] for l in out.splitlines() if "***" in l)) == 2, out)
        code, out, _ = config("diff", switch, "--secrets", "-o", "json")
        that("records of it", [(r["change"], r["line"], r.get("section")) for r in records(out)]
             == [("removed", 5, "interface Gi0/1"), ("added", 5, "interface Gi0/1"), ("removed", 7, None), ("added", 7, None)], out)
        that("secrets as they are when asked", "s3cret" in out, out)
        that("nobody else may read what is kept", os.stat(f"{folder}/data/configurations.sqlite").st_mode & 0o077 == 0)

        events = subprocess.run([weir, "devices", "diff", "--data", f"{folder}/data", "-o", "json"], capture_output=True, text=True, check=False).stdout
        told = [(r["ip"], r["before"], r["after"], r["evidence"]) for r in records(events) if r["event"] == "configuration"]
        that("an event of the device", told == [("127.0.0.1", "version 1", "version 2", "2 lines added, 2 removed")], events)
        code, out, _ = config("diff", switch, "--since", str(before))
        that("the difference since a time", code == 1 and "+ description core" in out, out)
        code, out, _ = config("diff", switch, "--since", "1h")
        that("since before the first version", code == 1 and "+ description core" in out, out)
        code, out, _ = config("diff", switch, "--since", str(time.time()))
        that("none since now", code == 0 and out == "", out)
        code, out, _ = config("list", switch)
        that("the versions", code == 0 and [(r["version"], r["added"], r["removed"]) for r in records(out)] == [(1, 0, 0), (2, 2, 2)], out)
        code, out, err = config("add", "sw9", f"{folder}/running")
        that("a file has to be some system's", code == 2 and "--os" in err, err)
        code, out, err = config("add", "sw9", f"{folder}/running", "--os", "ios")
        that("a file is a version as well", code == 0 and [(r["state"], r["lines"]) for r in records(out)] == [("new", 8)], out + err)
        code, out, err = config("show", "sw8")
        that("who is unknown is told, and who is meant", code == 2 and "sw9" in err, err)

        code, out, err = config("fetch", by_password, "--accept-new")
        that("without the password", code == 3 and "Permission denied" in err and "--password-file" in err, err)
        code, out, err = config("fetch", by_password, "--password-file", f"{folder}/password")
        that("with the password", code == 0 and [r["lines"] for r in records(out)] == [8], out + err)
        password_only.terminate()
        password_only.wait()

        code, out, err = config("fetch", switch, by_password)
        that("one that is away is told, the other is fetched", code == 1 and "refused" in err
             and {r["device"]: r["state"] for r in records(out)} == {switch: "same", by_password: "failed"}, out + err)
        pathlib.Path(f"{folder}/running").write_text("hostname sw1\ninterf")
        code, out, err = config("fetch", switch)
        that("half a configuration is none", code == 3 and "has no end" in err, out + err)
        serve(2204, "other", f"ForceCommand {folder}/switch")
        sh(f"sed 's/2201/2204/' {folder}/known > {folder}/more; cat {folder}/more >> {folder}/known")
        code, out, err = config("fetch", "root@127.0.0.1:2204", "--accept-new")
        that("a host key that has changed is refused", code == 3 and "verification failed" in err, err)
        slow = pathlib.Path(f"{folder}/switch")
        slow.write_text("#!/bin/sh\nexec sleep 100\n")
        code, out, err = config("fetch", switch, "--timeout", "1s")
        that("who does not answer is not waited for", code == 3 and "in time" in err, err)
    finally:
        for server in servers:
            server.kill()
            server.wait()
    return 0 if all(checks) else 1


def main():
    weir = str(pathlib.Path(sys.argv[1]).resolve())
    if len(sys.argv) > 2:
        return inside(weir, sys.argv[2])
    if subprocess.run(["unshare", "-nm", "true"], check=False).returncode != 0:
        print("SKIPPED: no network namespace", file=sys.stderr)
        return 77
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        return subprocess.run(["unshare", "-nm", sys.executable, __file__, weir, folder], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
