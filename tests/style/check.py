#!/usr/bin/env python3
"""The rules about the source tree that no compiler knows. Prints every breach; exits 1 if there is one."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# A folder includes itself and lower levels only.
LEVELS = {
    "core": 0, "records": 1, "plugin": 2,
    "os": 3, "packet": 3, "flow": 3, "filter": 3, "probe": 3, "tls": 3, "store": 3, "devices": 3,
    "parsers": 4, "sources": 4, "probes": 4, "sinks": 4,
    "engine": 5, "cli": 8,
}
# The pairs of a level that may: a flow is made of packets, a store and an inventory are made of files.
ACROSS = {("flow", "packet"), ("store", "os"), ("devices", "os")}
PLUGINS = {"parsers", "sources", "probes", "sinks", "cli"}

MOST_LINES = 600
MOST_README_LINES = 15
FORBIDDEN_NAME = re.compile(r"(^|_)(utils?|commons?|misc|helpers?|managers?)(_|$)|_(new|legacy|old|2)$")
MACHINE_PATH = re.compile(r"(?<![\w.$}])/(work|tmp/wt|home/\w+|root)/")

breaches = []


def breach(path, line, text):
    place = str(path.relative_to(ROOT)) + (f":{line}" if line else "")
    breaches.append(f"{place}: {text}")


def tracked():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


def check_includes(path, lines):
    folder = path.relative_to(ROOT / "src").parts[0]
    if folder not in LEVELS:
        breach(path, 0, f"src/{folder} has no level: give it one in tests/style/check.py")
        return
    for number, line in enumerate(lines, 1):
        found = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not found:
            continue
        target = found[1]
        other = target.split("/")[0]
        if not (ROOT / "src" / target).is_file():
            breach(path, number, f"{target}: includes are relative to src/")
        elif target.endswith(".cpp"):
            breach(path, number, f"includes {target}")
        elif other != folder and (folder, other) not in ACROSS and LEVELS.get(other, 99) >= LEVELS[folder]:
            breach(path, number, f"{folder} (level {LEVELS[folder]}) must not include {other} (level {LEVELS.get(other)})")


def check_source(path, lines):
    if path.suffix == ".hpp" and "#pragma once" not in lines:
        breach(path, 0, "has no #pragma once")
    for number, line in enumerate(lines, 1):
        if re.match(r"\s*using\s+namespace\b", line):
            breach(path, number, "using namespace")
        if re.match(r"#include <CLI/", line) and path.name != "command_line.cpp":
            breach(path, number, "CLI11 belongs into cli/front/command_line.cpp alone")
    folder = path.relative_to(ROOT / "src").parent.as_posix()
    if path.suffix == ".cpp" and folder in PLUGINS and path.name != "main.cpp":
        if not any(line.startswith("WEIR_REGISTER(") for line in lines[-3:]):
            breach(path, len(lines), "a plugin's last line is WEIR_REGISTER(...)")


def check_file(path):
    if FORBIDDEN_NAME.search(path.stem.lower()):
        breach(path, 0, "say in the name what it is for")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return  # captures, corpora
    if path.suffix in {".cpp", ".hpp", ".py", ".sh", ".cmake"} and len(lines) > MOST_LINES:
        breach(path, 0, f"{len(lines)} lines, more than {MOST_LINES}")
    if path != pathlib.Path(__file__).resolve() and "corpus" not in path.parts:
        for number, line in enumerate(lines, 1):
            if MACHINE_PATH.search(line):
                breach(path, number, "names a path of one machine")
    if path.relative_to(ROOT).parts[0] == "src" and path.suffix in {".cpp", ".hpp"}:
        check_includes(path, lines)
        check_source(path, lines)


def check_folders():
    for folder in sorted((ROOT / "src").iterdir()):
        if not folder.is_dir() or not any(folder.iterdir()):
            continue
        readme = folder / "README.md"
        if not readme.is_file():
            breach(folder, 0, "has no README.md")
        elif len(readme.read_text(encoding="utf-8").splitlines()) > MOST_README_LINES:
            breach(readme, 0, f"is longer than {MOST_README_LINES} lines")


def main():
    for path in tracked():
        check_file(path)
    check_folders()
    for line in breaches:
        print(line)
    print(f"style: {len(breaches)} breaches" if breaches else "style: fine")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
