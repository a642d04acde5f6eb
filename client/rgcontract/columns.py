"""The columns of a list: one row for each field of `ExperimentSummary`, which is where they stand.

A column that the spec has is described there, and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

from rgcontract.fields import rows
from rgcontract.spec import Submission
from rgcontract.status import ExperimentSummary


@dataclass(frozen=True)
class Column:
    """What a list shows of each experiment."""

    name: str
    meaning: str
    unit: str = ""
    symbol: str = ""


_OF_SPECS = {
    row.name: Column(row.name, row.meaning, row.unit, row.symbol)
    for row in rows(Submission)
    if row.column
}
COLUMNS: dict[str, Column] = {
    name: _OF_SPECS.get(name) or Column(name, " ".join((field.description or "").split()))
    for name, field in ExperimentSummary.model_fields.items()
}
"""Every column by name, in the order in which they are shown."""
