"""A field or value that is new to specs counts the schema up: workers claim what they can read."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from rgcontract import SCHEMA, ExperimentSpec, StoredSpec, Submission, field_problems
from rgcontract.about import FIRST, About, abouts
from rgcontract.chains import CHAIN_OF, FAMILY, Family
from rgcontract.forms import below, newest

CHAIN = "n_states corr_len seed family"
READ_BY_1 = {
    "ExperimentSpec": "chain data model training measurement seeds schema",
    "DataSpec": "seq_len mask_prob",
    "ModelSpec": "mixing context depth width hidden_ratio activation norm residual_scale init_scale"
    " relu gelu tanh silu none layer rms",
    "Mixing": "context flat mixer window",
    "TrainingSpec": "steps batch_size optimizer lr schedule weight_decay grad_clip"
    " adamw adam sgd constant cosine one_cycle",
    "MeasurementSpec": "n_sequences levels kernel at linear final log",
    "Level": "position token masked pooled sequence",
    "ExplicitChain": f"{CHAIN} matrix explicit",
    "HierarchicalChain": f"{CHAIN} branching scales hierarchical",
    "PottsChain": f"{CHAIN} potts",
    "RandomReversibleChain": f"{CHAIN} concentration seeds random_reversible",
    "RingChain": f"{CHAIN} ring",
    "SpectrumChain": f"{CHAIN} eigenvalues spectrum",
}
"""Fields and values of a spec that the first workers read, and `schema`. It never changes: what is
not in it has a row that says with which schema it came."""


def _values(schema: Any) -> set[str]:
    """Every value that a JSON schema names."""
    if isinstance(schema, list):
        return set().union(*map(_values, schema))
    if not isinstance(schema, dict):
        return set()
    named = {*schema.get("enum", []), *([schema["const"]] if "const" in schema else [])}
    parts = (part for name, part in schema.items() if name != "default")
    return named.union(*map(_values, parts))


def _sections(model: type[BaseModel] = ExperimentSpec) -> dict[str, type[BaseModel]]:
    found = {model.__name__: model}
    for parts in below(model).values():
        for part in parts:
            found |= _sections(part)
    return found


def _rows() -> list[tuple[str, str, About]]:
    """(section, field, row) of every field."""
    return [
        (title, model.model_fields[name].alias or name, row)
        for title, model in _sections().items()
        for name, row in abouts(model).items()
    ]


def test_all_that_is_read_is_of_the_first_schema_or_says_when_it_came() -> None:
    root = ExperimentSpec.model_json_schema()
    sections = {**root.pop("$defs"), "ExperimentSpec": root}
    found = {
        name: {*section.get("properties", {})} | _values(section)
        for name, section in sections.items()
    }
    later = {
        *(name for _, name, row in _rows() if row.since > FIRST),
        *(value for _, _, row in _rows() for value in row.new_values),
    }
    whole = {CHAIN_OF[Family(name)].__name__ for name in FAMILY.new_values}
    for name, there in found.items():
        if name in whole:  # all of it came with the family
            continue
        first = set(READ_BY_1.get(name, "").split())
        assert there - (later - first) == first, name
    assert set(READ_BY_1) <= set(found)


def test_the_newest_schema_is_that_of_the_newest_field_or_value() -> None:
    assert newest(ExperimentSpec) == SCHEMA


def test_schemas_are_counted_without_a_gap() -> None:
    numbers = {number for _, _, row in _rows() for number in (row.since, *row.new_values.values())}
    assert numbers == set(range(FIRST, SCHEMA + 1))


def test_a_field_that_came_later_says_under_which_value_all_is_as_before() -> None:
    with pytest.raises(ValueError, match="as_before"):
        About(since=2)


def test_every_part_of_a_spec_says_what_it_decides() -> None:
    assert all(row.decides for row in abouts(ExperimentSpec).values())


def test_a_form_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValidationError) as refused:
        Submission.model_validate_json(f'{{"schema": {SCHEMA + 1}}}')
    (problem,) = field_problems(refused.value, Submission)
    assert problem.field == "schema"
    assert problem.message.startswith(f"{SCHEMA + 1} is a form of a newer release")
    assert problem.allowed == f"{FIRST} to {SCHEMA}, or leave it out"


@pytest.mark.parametrize("form", ["0", "true", '"1"', "1.5", "null"])
def test_a_form_is_a_number_of_one_or_more(form: str) -> None:
    with pytest.raises(ValidationError):
        Submission.model_validate_json(f'{{"schema": {form}}}')


def test_what_was_read_is_in_the_newest_form() -> None:
    forms: list[dict[str, Any]] = [{}, {"schema": 1}]
    for given in forms:
        assert ExperimentSpec(**given).model_dump()["schema"] == SCHEMA
    answered = StoredSpec.model_validate({"seeds": (0,), "schema": SCHEMA + 1})
    assert answered.form == SCHEMA
