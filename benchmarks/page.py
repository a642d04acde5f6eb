"""`python -m benchmarks.page RESULT`: puts the tables of a run into `docs/performance.md`."""

from __future__ import annotations

import sys
from pathlib import Path

from rgcontract.files import write_text

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"


def filled(page: str, tables: str) -> str:
    """The page with other tables between its marks.

    Raises:
        ValueError: a mark is missing.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN} with {END} after it")
    return f"{before}{BEGIN}\n\n{tables.strip()}\n\n{END}{after}"


def main(result: str) -> None:
    """Replace the tables of the page by those of a Markdown result."""
    write_text(PAGE, filled(PAGE.read_text(), Path(result).read_text()))


if __name__ == "__main__":
    main(*sys.argv[1:])
