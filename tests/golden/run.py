#!/usr/bin/env python3
"""Golden tests: commands and the output they must print.

A NAME.test file holds comment lines ("# ..."), and commands: a line "$ command" (continued by lines "> ..."),
then the lines it prints, then "[N]" when its exit code N is not 0. Blank lines before the next command
or comment do not count. A file has one fresh folder; each of its commands runs in a bash of its own, with weir on
PATH, $DATA for tests/data, $ROOT for the repository, TZ=UTC and no colours; stderr is part of the output.
--update writes what is printed now into the files.

README.md is one as well: its blocks of commands run in the repository's own folder, and each ends with its fence.
"""
import argparse
import concurrent.futures
import difflib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TIMEOUT_S = 120


def environment(weir, folder):
    env = {key: os.environ[key] for key in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LD_LIBRARY_PATH") if key in os.environ}
    env.update(
        PATH=f"{folder}/bin:{env.get('PATH', '/usr/bin:/bin')}", TZ="UTC", LC_ALL="C.UTF-8", NO_COLOR="1", TERM="dumb", COLUMNS="80",
        HOME=str(folder), DATA=str(HERE.parent / "data"), ROOT=str(HERE.parent.parent),
    )
    return env


def execute(command, cwd, env):
    """The lines printed, with [N] as the last one when the exit code is not 0."""
    try:
        done = subprocess.run(
            ["bash", "-c", command], cwd=cwd, env=env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_S, check=False,
        )
    except subprocess.TimeoutExpired:
        return [f"[no end after {TIMEOUT_S} s]"]
    text = done.stdout.decode("utf-8", "backslashreplace")
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    else:
        lines[-1] += "\\ no newline"
    # What would read as a command or a comment of the test file is told apart by a leading backslash.
    lines = ["\\" + line if line.startswith(("$ ", "> ", "#", "\\")) else line for line in lines]
    while lines and lines[-1] == "":
        lines.pop()
    if done.returncode != 0:
        lines.append(f"[{done.returncode}]")
    return lines


def run_file(path, weir):
    """The file's text as it would be with what the commands print now."""
    source = path.read_text(encoding="utf-8").split("\n")
    out = []
    folder = pathlib.Path(tempfile.mkdtemp(prefix="weir-golden-"))
    try:
        (folder / "work").mkdir()
        (folder / "bin").mkdir()
        (folder / "bin" / "weir").symlink_to(weir)
        env = environment(weir, folder)
        markdown = path.suffix == ".md"
        cwd = path.resolve().parent if markdown else folder / "work"
        ends = ("$ ", "```") if markdown else ("$ ", "#")
        at = 0
        while at < len(source):
            line = source[at]
            at += 1
            if not line.startswith("$ "):
                out.append(line)
                continue
            out.append(line)
            command = line[2:]
            while at < len(source) and source[at].startswith("> "):
                out.append(source[at])
                command += "\n" + source[at][2:]
                at += 1
            blank = 0
            while at < len(source) and not source[at].startswith(ends):
                blank = 0 if source[at] else blank + 1
                at += 1
            out.extend(execute(command, cwd, env) + [""] * blank)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return "\n".join(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--weir", default=os.environ.get("WEIR"), help="the program under test")
    parser.add_argument("--update", action="store_true", help="write what is printed now into the files")
    parser.add_argument("-j", type=int, default=2, help="files run at once")
    parser.add_argument("files", nargs="*", type=pathlib.Path, help="tests or folders; without, all of them")
    options = parser.parse_args()
    if not options.weir or not os.access(options.weir, os.X_OK):
        sys.exit("run.py: name the program with --weir PATH or $WEIR")
    weir = pathlib.Path(options.weir).resolve()

    paths = []
    for given in options.files or [HERE, HERE.parent.parent / "README.md"]:
        paths += sorted(given.rglob("*.test")) if given.is_dir() else [given]
    if not paths:
        sys.exit("run.py: no tests there")

    failed = changed = 0
    with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        for path, now in zip(paths, pool.map(lambda p: run_file(p, weir), paths)):
            before = path.read_text(encoding="utf-8")
            if now == before:
                continue
            name = os.path.relpath(path, HERE)
            if options.update:
                path.write_text(now, encoding="utf-8")
                print(f"updated {name}")
                changed += 1
                continue
            failed += 1
            sys.stdout.writelines(
                line if line.endswith("\n") else line + "\n"
                for line in difflib.unified_diff(before.splitlines(True), now.splitlines(True), f"{name} (expected)", f"{name} (now)")
            )
    if options.update:
        print(f"golden: {len(paths)} tests, {changed} updated")
        return 0
    print(f"golden: {len(paths) - failed} of {len(paths)} tests passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
