#!/usr/bin/env python3
"""Makes the corpus of the fuzz target `fingerprints`: the answers of data/fingerprints' examples, one in each conversation's
place. usage: make_fingerprints.py   (writes beside itself)"""
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parents[2] / "data" / "fingerprints"
ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}


def unescape(text):
    out, at = b"", 0
    text = text.replace("''", "'")
    while at < len(text):
        if text[at] != "\\":
            out += text[at].encode()
            at += 1
        elif text[at + 1] == "x":
            out += bytes([int(text[at + 2 : at + 4], 16)])
            at += 4
        else:
            out += ESCAPES[text[at + 1]]
            at += 2
    return out


def main():
    conversations, seeds = [], {}
    for path in sorted(DATA.glob("*.yaml")):
        text = path.read_text()
        conversations += re.findall(r"^  - (?:\{)?name: ([a-z0-9/-]+)", text, re.M)
        for entry in text.split("  - service: ")[1:]:
            to = re.search(r"answer_to: \[?([a-z0-9/-]+)", entry)[1]
            answer = re.search(r"answer: '((?:[^']|'')*)'", entry)[1]
            seeds.setdefault(to, []).append(unescape(answer))
    folder = HERE / "fingerprints"
    folder.mkdir(exist_ok=True)
    for to, answers in sorted(seeds.items()):
        number = conversations.index(to) if to in conversations else 0
        (folder / to.replace("/", "_")).write_bytes(bytes([number]) + max(answers, key=len)[:512])


if __name__ == "__main__":
    main()
