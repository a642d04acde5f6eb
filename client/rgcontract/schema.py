"""`GET /v1/schema`: what can be asked of a server and what it tells, made of the registries."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import Field

from rgcontract.chains import CHAIN_OF
from rgcontract.columns import COLUMNS
from rgcontract.fields import rows
from rgcontract.figures import FIGURES
from rgcontract.filters import FILTERS, Filter
from rgcontract.networks import CHOICES
from rgcontract.observables import OBSERVABLES, REASONS
from rgcontract.quotas import Quota
from rgcontract.roles import Role
from rgcontract.sorting import SORTS, Sort
from rgcontract.spec import SCHEMA, Submission
from rgcontract.status import Outcome, State, View
from rgcontract.study import STUDY_FIELDS
from rgcontract.version import CONTRACT

Row = TypeVar("Row", bound=View)


class Named(View):
    """A value that there is, and what it means."""

    name: str
    meaning: str


class SpecField(View):
    """A field of a submission or a study."""

    path: str
    """Dotted: `model.depth`."""
    type: str
    """`integer`, `number`, `string`, `boolean` or `array`."""
    optional: bool
    """Whether null is a value."""
    required: bool
    default: Any
    """As JSON; null if it has none."""
    allowed: str
    """What it accepts, in words."""
    bounds: dict[str, float]
    """The same of a number, by the words of JSON Schema."""
    choices: list[str]
    unit: str
    symbol: str
    meaning: str
    since: int
    """The schema of specs in which it came."""
    shared: bool
    """Whether the members of a fleet have it in common."""
    column: bool
    """Whether a list has it."""
    families: list[str]
    """Of a field of a chain, the families that have it."""


class FilterRow(View):
    """A query parameter that narrows a list of experiments."""

    name: str
    on: str
    """The column, or the observable that was measured."""
    how: str
    """`equals`, `at_least`, `at_most`, or `has`: one of several is that."""
    value: dict[str, Any]
    """What it accepts, as JSON Schema."""
    unit: str
    symbol: str
    meaning: str


class ColumnRow(View):
    """A column of a list of experiments."""

    name: str
    unit: str
    symbol: str
    meaning: str


class SortRow(View):
    """What a list of experiments can be ordered by."""

    name: str
    """As `sort` takes it; with - before it for falling."""
    on: str
    """The column, or the observable that was measured."""
    unit: str
    symbol: str
    meaning: str


class ObservableRow(View):
    """An observable."""

    name: str
    label: str
    symbol: str
    unit: str
    meaning: str
    formula: str
    source: str
    """Empty for what is defined here."""
    group: str
    levels: list[str]
    axes: list[str]
    """What the indexes of its array count; none for one number."""
    needs: str
    estimator: str
    bias: str
    null: str
    """When it does not exist, in words."""
    reasons: list[str]
    laws: list[str]
    """What changes it by rounding alone."""


class FigureRow(View):
    """A figure of results."""

    name: str
    meaning: str
    results: int
    """How many results it is drawn from."""
    needs: list[str]
    """The observables that each of them has to have."""


class FamilyRow(View):
    """A family of chains."""

    name: str
    meaning: str
    drawn: bool
    """Whether `chain.seed` draws its matrix."""
    exact: str
    """What is known of it in closed form."""


class RoleRow(View):
    """What a role lets one do, a user and a token of theirs."""

    name: str
    may: list[str]


class QuotaKind(View):
    """What is limited for each person."""

    name: str
    unit: str
    counted: str
    """What counts, in words."""
    code: str
    """Of the answer when it is used up."""
    setting: str
    """What sets it for everybody who has none of their own."""


class Schema(View):
    """All that can be asked of this server and all that it tells."""

    contract: str
    """Version of the wire contract."""
    spec_schema: int
    """The newest form of specs that it reads."""
    fields: list[SpecField]
    """Of a submission."""
    study_fields: list[SpecField]
    """Of a study; a list for one that a submission has too is an axis of its grid."""
    filters: list[FilterRow]
    columns: list[ColumnRow]
    sorts: list[SortRow] = Field(default_factory=list)
    """What `sort` takes; empty for a server of before there were any."""
    observables: list[ObservableRow]
    figures: list[FigureRow] = Field(default_factory=list)
    """Empty for a server of before there were any."""
    reasons: list[Named]
    """Why a number may be null."""
    families: list[FamilyRow]
    choices: dict[str, list[Named]]
    """Path of a field of network, training or measurement -> its values."""
    states: list[Named]
    """Of a run, and of an experiment as a whole."""
    outcomes: list[Named]
    """Of an attempt."""
    roles: list[RoleRow]
    quotas: list[QuotaKind] = Field(default_factory=list)
    """Empty for a server of before there were any."""


def schema() -> Schema:
    """The registries of this release as one answer."""
    return Schema(
        contract=str(CONTRACT),
        spec_schema=SCHEMA,
        fields=[_row(SpecField, row) for row in rows(Submission)],
        study_fields=[_row(SpecField, row) for row in rows(STUDY_FIELDS)],
        filters=[_filter(row) for row in FILTERS.values()],
        columns=[_row(ColumnRow, row) for row in COLUMNS.values()],
        sorts=[_sort(row) for row in SORTS.values()],
        observables=[_row(ObservableRow, row) for row in OBSERVABLES.values()],
        figures=[_row(FigureRow, row) for row in FIGURES.values()],
        reasons=[Named(name=name, meaning=meaning) for name, meaning in REASONS.items()],
        families=[
            FamilyRow(
                name=family, meaning=(of.__doc__ or "").strip(), drawn=of.drawn, exact=of.exact
            )
            for family, of in CHAIN_OF.items()
        ],
        choices={
            path: [Named(name=one.name, meaning=one.meaning) for one in of_field]
            for path, of_field in CHOICES.items()
        },
        states=[Named(name=one, meaning=one.meaning) for one in State],
        outcomes=[Named(name=one, meaning=one.meaning) for one in Outcome],
        roles=[RoleRow(name=role, may=list(role.may)) for role in Role],
        quotas=[
            QuotaKind(
                name=one,
                unit=one.row.unit,
                counted=one.row.counted,
                code=one.row.code,
                setting=one.setting,
            )
            for one in Quota
        ],
    )


def _sort(row: Sort) -> SortRow:
    return SortRow(
        name=row.name, on=_on(row), unit=row.unit, symbol=row.symbol, meaning=row.meaning
    )


def _on(row: Filter | Sort) -> str:
    return row.on if isinstance(row.on, str) else row.on.quantity


def _filter(row: Filter) -> FilterRow:
    return FilterRow(
        name=row.name,
        on=_on(row),
        how=row.how,
        value=row.schema,
        unit=row.unit,
        symbol=row.symbol,
        meaning=row.meaning,
    )


def _row(model: type[Row], row: Any) -> Row:
    """What a row says of that which is told, as plain JSON."""
    said = {name: getattr(row, name) for name in model.model_fields}
    return model(
        **{
            name: sorted(value)
            if isinstance(value, frozenset)
            else list(value)
            if isinstance(value, tuple) and name != "default"
            else value
            for name, value in said.items()
        }
    )
