"""What a list of experiments can be narrowed to: one row for each filter.

The query parameters of the route, their bounds and refusals, `/openapi.json`, the keywords of the
client and the table of docs/api.md are made of these rows; `rgstore.filtering` makes SQL of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from rgcontract.chains import Family
from rgcontract.fields import FieldRow, rows
from rgcontract.networks import DECIDING_LEVELS, Mixing
from rgcontract.observables import NETWORK, OBSERVABLES
from rgcontract.spec import Depth, Submission, Tag, Width
from rgcontract.status import SHOWN, State


class How(StrEnum):
    """How an experiment is compared with what is asked for."""

    EQUALS = "equals"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    HAS = "has"
    """One of several is that."""


@dataclass(frozen=True)
class Measured:
    """A number of an experiment, read off one of its stored summaries, after training."""

    quantity: str
    """An observable."""
    levels: tuple[str, ...]
    """Those that it is read at: of these an experiment has one."""
    last_over_first: bool = False
    """Whether it is the mean of the last layer over that of the first, or of one number."""


@dataclass(frozen=True)
class Filter:
    """One way to narrow a list."""

    name: str
    on: str | Measured
    """A column of an experiment, or what it measured."""
    how: How
    type: Any
    """Of its value, with its bounds."""
    meaning: str
    unit: str = ""
    symbol: str = ""
    range: str = ""
    """Of an end of a range, the name of what it bounds."""
    range_of: str = ""
    """And what that is."""

    @property
    def schema(self) -> dict[str, Any]:
        """The same as JSON Schema."""
        return TypeAdapter(self.type).json_schema()


Length = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A bound of a range may lie beyond what a chain can have."""
Number = Annotated[float, Field(allow_inf_nan=False)]
Ratio = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Person = Annotated[str, Field(min_length=1, max_length=200)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]

_ROWS = {row.path: row for row in rows(Submission)}
_FIELDS = {name: _ROWS[path] for name, path in SHOWN.items()}


def _field(name: str, kind: Any) -> Filter:
    """Experiments with this value of a field of the spec that a list shows."""
    row = _FIELDS[name]
    return Filter(name, name, How.EQUALS, kind, _of(row), row.unit, row.symbol)


def _of(row: FieldRow) -> str:
    return f"`{row.path}` of its spec"


def _range(name: str, on: str | Measured, kind: Any, meaning: str, **said: str) -> list[Filter]:
    """Experiments within a range, ends included: `name_min` and `name_max`."""
    return [
        Filter(
            f"{name}_{end}", on, how, kind, f"{meaning}, at {words} this",
            range=name, range_of=meaning, **said,
        )
        for end, how, words in (
            ("min", How.AT_LEAST, "least"),
            ("max", How.AT_MOST, "most"),
        )
    ]  # fmt: skip


_XI = _FIELDS["corr_len"]
_RANK = Measured("effective_rank", DECIDING_LEVELS, last_over_first=True)
_EXCESS = Measured("excess_loss", (NETWORK,))
_UNDER_TRAINED = Measured("under_trained", (NETWORK,))

FILTERS: dict[str, Filter] = {
    row.name: row
    for row in (
        Filter("state", "state", How.EQUALS, State, "how far it is, as its runs together say"),
        _field("family", Family),
        _field("mixing", Mixing),
        *_range("corr_len", "corr_len", Length, _of(_XI), unit=_XI.unit, symbol=_XI.symbol),
        _field("depth", Depth),
        _field("width", Width),
        Filter("tag", "tags", How.HAS, Tag, "a tag that any request has given it"),
        Filter("owner", "owner", How.EQUALS, Person, "who asked for it first"),
        Filter(
            "chain_hash", "chain_hash", How.EQUALS, Digest,
            "the very same chain, or the same draws of it, as lists show its hash",
        ),
        *_range(
            "collapse_ratio", _RANK, Ratio,
            "mean effective rank of the last layer over that of the first, by position, "
            "after training",
            symbol="rank_L / rank_0",
        ),
        *_range(
            "excess_loss", _EXCESS, Number, "mean loss above the least, after training",
            unit=OBSERVABLES["excess_loss"].unit,
        ),
        *_range(
            "under_trained", _UNDER_TRAINED, Share,
            "share of its runs that are flagged as under-trained",
        ),
    )
}  # fmt: skip
"""Every filter by name, in the order in which they are told."""
RANGES: dict[str, str] = {
    row.name: f"{row.range}_max" for row in FILTERS.values() if row.how is How.AT_LEAST
}
"""The lower end of each range -> the upper one."""


def described() -> str:
    """The rows as a table of docs/api.md."""
    lines = ["| filter | takes | what it compares |", "|---|---|---|"]
    lines += [f"| `{row.name}` | {_takes(row)} | {row.meaning} |" for row in FILTERS.values()]
    return "\n".join(lines)


def _takes(row: Filter) -> str:
    found = row.schema
    if "enum" in found:
        return ", ".join(f"`{value}`" for value in found["enum"])
    if row.type is Digest:
        return "64 hexadecimal digits"
    words = {"integer": "an integer", "number": "a number", "string": "a text"}[found["type"]]
    signs = {"minimum": ">=", "maximum": "<="}
    bounds = [f"{sign} {found[key]:g}" for key, sign in signs.items() if key in found]
    return " ".join(filter(None, (words, ", ".join(bounds), row.unit)))
