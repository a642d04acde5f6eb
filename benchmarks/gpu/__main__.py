"""`python -m benchmarks.gpu --out DIR`: whether a GPU agrees with the CPU, and how fast it is.

Under eight minutes. DIR/gpu.json has every number, DIR/table.md what a reader wants to know first;
what has been measured so far is in DIR/parts, whatever happens later.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.gpu import session
from benchmarks.gpu.report import as_markdown, complaints
from benchmarks.gpu.written import write_whole
from benchmarks.progress import say

BUDGET_S, TOY_BUDGET_S = 450.0, 120.0


def main(arguments: list[str]) -> int:
    """Run all stages; 1 if one of them failed, or something disagrees."""
    parser = argparse.ArgumentParser("benchmarks.gpu", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="directory of the results")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--budget", type=float, help="seconds for all of it", metavar="SECONDS")
    parser.add_argument("--toy", action="store_true", help="sizes as small as can be")
    chosen = parser.parse_args(arguments)
    parts = chosen.out / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    budget = chosen.budget or (TOY_BUDGET_S if chosen.toy else BUDGET_S)
    found = session.run(parts, chosen.device, budget, toy=chosen.toy)
    write_whole(chosen.out / "gpu.json", json.dumps(found, indent=1, allow_nan=False))
    text = as_markdown(found)
    write_whole(chosen.out / "table.md", text)
    say(f"wrote {chosen.out}/table.md and gpu.json")
    sys.stdout.write(text)
    return 1 if complaints(found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
