"""Write the filters that there are into docs/api.md: run it after a change of a row."""

from __future__ import annotations

import re
from pathlib import Path

from rgcontract.files import write_text
from rgcontract.filters import FILTERS, described
from scripts.marked import filled

PAGE = Path(__file__).parent.parent / "docs" / "api.md"
START, END = "<!-- filters: made by scripts/filters_table.py -->", "<!-- end of filters -->"


def current(text: str) -> str:
    """The page with the table, and the names in its refusal, as the rows say them."""
    names = ", ".join(FILTERS)
    page = filled(text, START, END, f"\n\n{described()}\n\n")
    return re.sub(r"limit, cursor, state(, [a-z_]+)*", f"limit, cursor, {names}", page)


if __name__ == "__main__":
    write_text(PAGE, current(PAGE.read_text()))
