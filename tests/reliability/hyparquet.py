#!/usr/bin/env python3
"""The lake is plain Parquet: hyparquet, which shares nothing with DuckDB, reads every file of a lake of all captures in
tests/data and agrees with weir query in every value of every row. usage: hyparquet.py WEIR"""
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
NPM = HERE.parent.parent / "build/npm"
TIMEOUT_S = 120


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command[:6]))}: exit code {done.returncode}\n{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def canonical(rows):
    """Without nulls and in an order of their own: a column that no file has is null to weir, and absent in the files."""
    return sorted(json.dumps({k: v for k, v in row.items() if v is not None}, sort_keys=True) for row in rows)


def asked(weir, data, table, types):
    times = [name for name, kind in types.items() if kind == "TIMESTAMP"]
    replaced = ", ".join(f'epoch_us("{name}") AS "{name}"' for name in times)
    rows = run(weir, "query", "-q", "-d", data, f"SELECT *{f' REPLACE ({replaced})' if times else ''} FROM {table}", "-o", "json")
    for row in rows:
        if "type" not in types:
            row.pop("type", None)  # JSON's name of the record type, here "row"
    return rows


def main():
    if shutil.which("node") is None or not (NPM / "hyparquet/node.js").exists():
        print("skipped: needs node, and what ./dev setup fetches of hyparquet")
        return 77
    weir, good, total = sys.argv[1], True, 0
    with tempfile.TemporaryDirectory() as data:
        captures = sorted((HERE.parent / "data").glob("*.pcap"))
        run(weir, "read", *captures, "--data", data, "-r", "all")
        for pcap in captures:
            if pcap.name.startswith("export_"):
                run(weir, "collect", pcap, "--data", data, "-q")
        tables = sorted(path for path in pathlib.Path(data, "lake").iterdir() if not path.name.startswith("."))
        for table in tables:
            files = sorted(table.rglob("*.parquet"))  # a rollup's day that is over is a file above the hours
            described = run(weir, "query", "-q", "-d", data, f"DESCRIBE {table.name}", "-o", "json")
            types = {row["column_name"]: row["column_type"] for row in described}
            theirs, ours = canonical(run("node", HERE / "hyparquet.mjs", NPM, *files)), canonical(asked(weir, data, table.name, types))
            same = theirs == ours and len(ours) > 0
            good, total = good and same, total + len(ours)
            checksum = hashlib.sha256("\n".join(theirs).encode()).hexdigest()[:12]
            print(f"{'ok  ' if same else 'FAIL'} {table.name:<12} {len(files):>3} files {len(theirs):>6} rows  {checksum}")
            if not same:
                print(f"     weir query: {len(ours)} rows")
                for who, here, there in (("hyparquet", theirs, ours), ("weir", ours, theirs)):
                    print("".join(f"     only {who}: {row}\n" for row in sorted(set(here) - set(there))[:2]), end="")
        print(f"{len(tables)} tables, {total} rows")
    return 0 if good and len(tables) > 15 else 1


if __name__ == "__main__":
    sys.exit(main())
