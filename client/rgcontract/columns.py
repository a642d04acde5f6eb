"""The columns of a list: one row for each field of `ExperimentSummary`, which is where they stand.

A column that shows a field of the spec is described there, and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

from rgcontract.fields import rows
from rgcontract.spec import Submission
from rgcontract.status import SHOWN, ExperimentSummary


@dataclass(frozen=True)
class Column:
    """What a list shows of each experiment."""

    name: str
    meaning: str
    unit: str = ""
    symbol: str = ""


_FIELDS = {row.path: row for row in rows(Submission)}


def _column(name: str, meaning: str | None) -> Column:
    if name not in SHOWN:
        return Column(name, " ".join((meaning or "").split()))
    row = _FIELDS[SHOWN[name]]
    return Column(name, row.meaning, row.unit, row.symbol)


COLUMNS: dict[str, Column] = {
    name: _column(name, field.description) for name, field in ExperimentSummary.model_fields.items()
}
"""Every column by name, in the order in which they are shown."""
