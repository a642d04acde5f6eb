"""The ledger: a line for each fault, with what was promised and what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos.scenario import Scenario, Seen


@dataclass(frozen=True)
class Entry:
    """A line of it."""

    scenario: Scenario
    seen: Seen
    seconds: float


def ledger(entries: Sequence[Entry], seed: int) -> str:
    """All lines, as a table in Markdown."""
    lines = [
        "",
        "| | fault or attack | promised | seen | s |",
        "|---|---|---|---|---|",
        *(_line(entry) for entry in entries),
        "",
        f"{sum(entry.seen.held for entry in entries)} of {len(entries)} held; seed {seed}",
        "",
    ]
    return "\n".join(lines)


def _line(entry: Entry) -> str:
    mark = "held" if entry.seen.held else "NOT HELD"
    cells = (entry.scenario.name, entry.scenario.promised, entry.seen.what)
    escaped = " | ".join(cell.replace("|", "\\|") for cell in cells)
    return f"| {mark} | {escaped} | {entry.seconds:.0f} |"
