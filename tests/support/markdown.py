"""The fenced blocks of a page of documentation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """Code as it stands on a page, and the heading it stands under."""

    heading: str
    language: str
    code: str


def blocks(page: str) -> list[Block]:
    """Every fenced block of a page, top to bottom."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = []
    for match in FENCED.finditer(text):
        headings = re.findall(r"^#+ (.+)$", text[: match.start()], re.MULTILINE)
        found.append(Block(headings[-1], match[1], match[2]))
    return found


def commands(block: Block) -> list[str]:
    """The lines of a shell block without their comments."""
    lines = (line.partition(" #")[0].strip() for line in block.code.splitlines())
    return [line for line in lines if line]


def links(page: str) -> list[str]:
    """What a page links to or shows."""
    return re.findall(r"\]\(([^)]+)\)", (ROOT / page).read_text(encoding="utf-8"))
