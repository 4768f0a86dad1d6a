#!/usr/bin/env python3
"""The parser that docs/adding.md walks through compiles without a warning: adding.py COMPILER"""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
text = (ROOT / "docs/adding.md").read_text()
code = text.split("```cpp\n", 1)[1].split("```", 1)[0]
warnings = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wno-missing-field-initializers", "-Werror"]
sys.exit(subprocess.run([sys.argv[1], "-std=c++20", "-fsyntax-only", *warnings, f"-I{ROOT}/src", "-x", "c++", "-"],
                        input=code, text=True, check=False).returncode)
