"""Tables for a notebook. Every cell is escaped: labels and errors are other people's text."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def facts_table(title: str, facts: Iterable[tuple[str, str]], warning: str | None = None) -> str:
    """A title, a row for each (name, value), and a warning if there is one."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th>"
        f"<td style='text-align:left'>{escape(value)}</td></tr>"
        for name, value in facts
    )
    flag = f"<p style='color:#b00'><b>{escape(warning)}</b></p>" if warning else ""
    return f"<div><b>{escape(title)}</b><table>{rows}</table>{flag}</div>"


def grid(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A title and a table with a header."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return (
        f"<div><b>{escape(title)}</b><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )
