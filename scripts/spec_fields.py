"""Write down what follows from the fields of a spec: keywords of the client, the table of the docs.

Run it after a field is added or changed; a test fails until then:

    .venv/bin/python scripts/spec_fields.py
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

from pydantic import BaseModel

from rgclient._body import place
from rgclient._errors import AmbiguousField
from rgcontract import ExperimentSpec, Submission
from rgcontract.fields import FieldRow, children, rows
from rgcontract.files import write_text
from rgcontract.study import LISTS, STUDY_FIELDS
from scripts.marked import filled

ROOT = Path(__file__).parents[1]
KEYWORDS = ROOT / "client" / "rgclient" / "_keywords.py"
PAGE = ROOT / "docs" / "fields.md"
BEGIN, END = "<!-- fields: begin -->\n", "<!-- fields: end -->\n"
TYPES = {"integer": "int", "number": "float", "string": "str", "array": "Iterable[Any]"}
HEAD = '''"""Keywords of `submit`, `forecast` and `study`. Made by scripts/spec_fields.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypedDict
'''


def keywords() -> str:
    """The module of the client that names every flat keyword, with its type and default."""
    submit = _typed("SubmitFields", "An experiment, by its fields.", Submission, grid=False)
    study = _typed(
        "StudyFields", "A study, by its fields; lists make a grid.", STUDY_FIELDS, grid=True
    )
    return _formatted("\n\n".join([HEAD, submit, study]))


def _typed(name: str, docstring: str, model: type[BaseModel], *, grid: bool) -> str:
    flat = [row for row in rows(model) if _is_flat(row, model) and row.name != "preset"]
    flat.sort(key=lambda row: not row.section)  # those at the top last
    sections = [top for top in children(model, "") if children(model, top)]
    lines = [f"class {name}(TypedDict, total=False):", f'    """{docstring}"""', ""]
    for row in flat:
        lines += [f"    {row.name}: {_type(row, grid=grid)}", _said(row)]
    for section in sections:
        lines += [f"    {section}: Mapping[str, Any]", '    """Fields of this section."""']
    defaults = [
        f"    {row.name!r}: {'...' if row.required else repr(row.default)}," for row in flat
    ]
    defaults += [f"    {section!r}: ...," for section in sections]
    table = [
        f"{_constant(name)}: dict[str, Any] = {{",
        *defaults,
        "}",
        '"""What is left out is."""',
    ]
    return "\n".join([*lines, "", "", *table, ""])


def _constant(name: str) -> str:
    return f"{name.removesuffix('Fields').upper()}_DEFAULTS"


def _is_flat(row: FieldRow, model: type[BaseModel]) -> bool:
    try:
        return place(row.name, model) == row.path
    except AmbiguousField:
        return False


def _type(row: FieldRow, *, grid: bool) -> str:
    kind = TYPES[row.type]
    if row.choices and row.type == "string":
        kind = f"Literal[{', '.join(map(repr, row.choices))}]"
    if row.name == "seeds":
        kind = f"int | {kind}"
    if grid and row.section and row.name not in LISTS:
        kind = f"{kind} | Iterable[{kind}]"
    return f"{kind} | None" if row.optional else kind


def _said(row: FieldRow) -> str:
    unit = f", {row.unit}" if row.unit else ""
    text = f'"""{row.meaning} `{row.path}`: {row.allowed}{unit}."""'
    return textwrap.fill(text, 100, initial_indent="    ", subsequent_indent="    ")


def table() -> str:
    """The fields of a spec as a table of Markdown."""
    lines = [
        "| field | symbol | default | allowed | unit | what it is |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows(ExperimentSpec):
        default = "" if row.required else f"`{_plain(row.default)}`"
        allowed = row.allowed.replace("|", "\\|")
        if row.families and len(row.families) < len(_families()):
            allowed += f" ({', '.join(row.families)})"
        cells = (
            f"`{row.path}`",
            row.symbol,
            default,
            allowed,
            row.unit,
            row.meaning.replace("|", "\\|"),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _families() -> tuple[str, ...]:
    return next(row.choices for row in rows(ExperimentSpec) if row.path == "chain.family")


def _plain(value: object) -> str:
    return "null" if value is None else str(value)


def page() -> str:
    """The page of the docs with the table as it is now."""
    return filled(PAGE.read_text(), BEGIN, END, f"\n{table()}\n")


def _formatted(source: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(KEYWORDS), "-"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=True)  # noqa: S603
    return done.stdout


def _main() -> None:
    write_text(KEYWORDS, keywords())
    write_text(PAGE, page())


if __name__ == "__main__":
    _main()
