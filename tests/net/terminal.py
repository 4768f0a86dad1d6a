#!/usr/bin/env python3
"""What is drawn in place on a terminal: typed keys are not shown meanwhile, and are again however it ends. Usage:
terminal.py PATH/TO/weir"""
import fcntl
import os
import pathlib
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

LIMIT = 20
BOARDS = {
    "ping": ["ping", "127.0.0.1", "--every", "100ms"],
    "bandwidth": ["bandwidth", "lo", "--every", "100ms"],
    "bandwidth --by": ["bandwidth", "lo", "--by", "flow", "--every", "200ms"],
    "capture": ["capture", "here", "--data", "d"],
    "devices --watch": ["devices", "here", "--watch", "--data", "d"],
}
failures = []


def check(what, holds, seen=""):
    if not holds:
        failures.append(what)
        print(f"FAILED: {what}: {seen}")


class Terminal:
    """A program in the foreground of a terminal of its own."""

    def __init__(self, words):
        self.pid, self.main = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            os.execvp(words[0], words)
        fcntl.ioctl(self.main, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.seen = b""

    def read(self):
        """False when nothing more will come."""
        if not select.select([self.main], [], [], LIMIT)[0]:
            raise TimeoutError(self.seen.decode(errors="replace"))
        try:
            part = os.read(self.main, 65536)
        except OSError:
            return False
        self.seen += part
        return bool(part)

    def echo(self):
        return bool(termios.tcgetattr(self.main)[3] & termios.ECHO)

    def until(self, holds):
        """Reads until it does, or nothing more comes. The screen changes all the time, so that no sleep is needed."""
        end = time.monotonic() + LIMIT / 4
        while not holds():
            if time.monotonic() > end or not self.read():
                return False
        return True

    def end(self):
        while self.read():
            pass
        os.close(self.main)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def ends(program):
    """Each board, ended by each signal. The terminal outlives it: a shell that reads on has it."""
    for name, words in BOARDS.items():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
            shell = Terminal(["sh", "-c", 'ulimit -c 0; trap : INT QUIT TERM HUP; "$@"; stty; echo over', "sh", program, *words])
            hidden = shell.until(lambda: not shell.echo())
            check(f"{name}: keys are hidden", hidden, shell.seen)
            os.kill(child_of(shell.pid), number)
            shell.end()
            text = shell.seen.decode(errors="replace")
            check(f"{name}: shown again after {number.name}", "over" in text and "-echo" not in text, text[-300:])


def child_of(pid):
    return int(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def stops(program):
    """Ctrl-Z gives the keys back, fg takes them again. Typed, as a user would."""
    shell = Terminal(["bash", "--norc", "--noediting", "-i"])
    os.write(shell.main, f"PS1='ready$ '; {program} ping 127.0.0.1 --every 100ms\n".encode())
    check("hidden", shell.until(lambda: not shell.echo()), shell.seen)
    os.write(shell.main, b"\x1a")
    check("Ctrl-Z: shown", shell.until(lambda: b"Stopped" in shell.seen) and shell.echo(), shell.seen)
    os.write(shell.main, b"fg\n")
    check("fg: hidden", shell.until(lambda: not shell.echo()), shell.seen)
    os.write(shell.main, b"\x03exit\n")
    shell.until(lambda: b"exit" in shell.seen)
    check("Ctrl-C: shown", b"^C" not in shell.seen, shell.seen)
    shell.end()


def others(program):
    """Whoever else talks with the terminal keeps it as it is: less saves its state and puts it back."""
    shell = Terminal(["sh", "-c", '"$@" | { read line; stty </dev/tty; }', "sh", program, "ping", "127.0.0.1", "--every", "100ms"])
    shell.end()
    check("a pipe: left alone", b"-echo" not in shell.seen, shell.seen)


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    if "inside" not in sys.argv:
        if subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode != 0:
            print("SKIPPED: this kernel gives no network namespace; NOTHING of terminals was tested")
            return 77
        return subprocess.run(["unshare", "-n", sys.executable, __file__, program, "inside"], check=False).returncode
    subprocess.run(["sh", "-ec", "ip link set lo up; ip link add here type veth peer name there; ip addr add 10.9.0.1/24 dev here; "
                                 "ip link set here up; ip link set there up"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        ends(program)
        stops(program)
        others(program)
        os.chdir("/")
    print(f"{len(failures)} checks failed" if failures else "terminal: fine")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
