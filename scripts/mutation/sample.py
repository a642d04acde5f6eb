"""A fixed sample: as many mutants of each package, one a line at most.

Which ones follows from the seed and from the text of each line and its function, not from where
they stand: a file that is moved or a line that is added elsewhere leaves the sample as it was.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from scripts.mutation.mutant import Mutant
from scripts.mutation.sites import sites


def sample(root: Path, packages: Sequence[str], n: int, seed: int) -> list[Mutant]:
    """`n` mutants, shared evenly among the packages."""
    chosen: list[Mutant] = []
    for index, package in enumerate(packages):
        share = n * (index + 1) // len(packages) - n * index // len(packages)
        chosen += _first(root, sites(root, package), share, seed)
    return chosen


def _first(root: Path, mutants: Iterable[Mutant], n: int, seed: int) -> list[Mutant]:
    """Lines in the order of their hash; of each, the mutant whose hash comes first."""
    lines: dict[tuple[str, int], list[Mutant]] = {}
    for mutant in mutants:
        lines.setdefault((mutant.file, mutant.line), []).append(mutant)
    seen: Counter[str] = Counter()  # the same line may stand in a function twice
    ranked: list[tuple[str, list[Mutant]]] = []
    for on_line in lines.values():
        first = on_line[0]
        text = f"{first.package}|{first.scope}|{first.source}"
        seen[text] += 1
        ranked.append((_hash(f"{seed}|{text}|{seen[text]}"), on_line))
    found: list[Mutant] = []
    for rank, on_line in sorted(ranked, key=lambda item: item[0]):
        if len(found) == n:
            break
        order = sorted(on_line, key=lambda one: _hash(f"{rank}|{one.column}|{one.operator}"))
        found += [one for one in order if _parses(one.applied(root))][:1]
    return found


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _parses(source: bytes) -> bool:
    """Not every change leaves Python behind: `not in` after a removed `not`, for one."""
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True
