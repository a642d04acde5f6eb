"""The page shows what the tool prints."""

from __future__ import annotations

from itertools import pairwise

import pytest

from benchmarks import page, report, table
from benchmarks.serving import report as serving

HEADS = [
    table.RACES,
    table.CEILINGS,
    report.SWEEP,
    report.COMPARED,
    report.GROWTH,
    table.SHARES,
    serving.LATENCIES,
    serving.BOUNDS,
    serving.LIFE,
]


def shown() -> list[tuple[str, ...]]:
    """Heads of the tables between the marks."""
    tables = page.PAGE.read_text().partition(page.BEGIN)[2].partition(page.END)[0].splitlines()
    heads = [line for line, below in pairwise(tables) if "| --- |" in below]
    return [tuple(head.strip("| ").split(" | ")) for head in heads]


def test_the_tables_of_the_page_are_those_that_the_tool_prints() -> None:
    assert shown() == HEADS


def test_a_run_replaces_the_tables_and_nothing_else() -> None:
    text = f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n"
    assert page.filled(text, "new\n") == f"before\n{page.BEGIN}\n\nnew\n\n{page.END}\nafter\n"


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="tables: begin"):
        page.filled("text", "new")
