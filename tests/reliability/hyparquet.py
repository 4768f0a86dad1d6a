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


def canonical(rows, narrow):
    """Without nulls and in an order of their own: a column that no file has is null to weir, and absent in the files.
    Known: DuckDB 1.5 writes the first value of a delta-encoded UINT_32 page in 64 bits when it is 2^31 or more, and
    readers that take 32 bits lose the highest; it is left out on both sides, and told."""
    kept = [{k: v & 0x7FFFFFFF if k in narrow else v for k, v in row.items() if v is not None} for row in rows]
    return sorted(json.dumps(row, sort_keys=True) for row in kept)


def asked(weir, data, table, types):
    times = [name for name, kind in types.items() if kind == "TIMESTAMP"]
    replaced = ", ".join(f'epoch_us("{name}") AS "{name}"' for name in times)
    rows = run(weir, "query", "-q", "-d", data, f"SELECT *{f' REPLACE ({replaced})' if times else ''} FROM {table}", "-o", "json")
    for row in rows:
        if "type" not in types:
            row.pop("type", None)  # JSON's name of the record type, here "row"
    return rows


def main():
    if shutil.which("node") is None or not (NPM / "hyparquet/node.js").exists() or not (NPM / "fzstd/index.mjs").exists():
        print("skipped: needs node, and what ./dev setup fetches of hyparquet and fzstd")
        return 77
    weir, good, total = sys.argv[1], True, 0
    large = 0
    with tempfile.TemporaryDirectory() as data:
        captures = sorted((HERE.parent / "data").glob("*.pcap"))
        run(weir, "read", *captures, "--data", data, "-r", "all")
        for pcap in captures:
            if pcap.name.startswith("export_"):
                run(weir, "collect", pcap, "--data", data, "-q")
        tables = sorted(path for path in pathlib.Path(data, "lake").iterdir() if not path.name.startswith("."))
        for table in tables:
            files = sorted(table.glob("*/*/*.parquet"))
            described = run(weir, "query", "-q", "-d", data, f"DESCRIBE {table.name}", "-o", "json")
            types = {row["column_name"]: row["column_type"] for row in described}
            narrow = {name for name, kind in types.items() if kind == "UINTEGER"}
            rows = asked(weir, data, table.name, types)
            large += sum(row.get(name, 0) >= 1 << 31 for row in rows for name in narrow if row.get(name) is not None)
            theirs, ours = canonical(run("node", HERE / "hyparquet.mjs", NPM, *files), narrow), canonical(rows, narrow)
            same = theirs == ours and len(ours) > 0
            good, total = good and same, total + len(ours)
            checksum = hashlib.sha256("\n".join(theirs).encode()).hexdigest()[:12]
            print(f"{'ok  ' if same else 'FAIL'} {table.name:<12} {len(files):>3} files {len(theirs):>6} rows  {checksum}")
            if not same:
                print(f"     weir query: {len(ours)} rows")
                for who, here, there in (("hyparquet", theirs, ours), ("weir", ours, theirs)):
                    print("".join(f"     only {who}: {row}\n" for row in sorted(set(here) - set(there))[:2]), end="")
        print(f"{len(tables)} tables, {total} rows; highest bit not compared: of {large} UINT_32 values above 2^31")
    return 0 if good and len(tables) > 15 else 1


if __name__ == "__main__":
    sys.exit(main())
