"""What is made of the rows of spec fields is made of today's rows."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest

import rgclient
from rgclient import _keywords
from rgclient._body import body
from rgclient._signatures import LEFT_OUT
from rgcontract import ExperimentSpec, Submission
from rgcontract.fields import children, rows
from rgcontract.status import SHOWN
from rgcontract.study import STUDY_FIELDS
from rgstore.tables import ExperimentRow
from scripts import spec_fields

ROOT = Path(__file__).parents[2]
RUN = "run .venv/bin/python scripts/spec_fields.py"


def test_the_keywords_of_the_client_are_those_of_the_fields() -> None:
    assert spec_fields.KEYWORDS.read_text() == spec_fields.keywords(), RUN


def test_the_table_of_the_docs_is_that_of_the_fields() -> None:
    assert spec_fields.PAGE.read_text() == spec_fields.page(), RUN
    named = re.findall(r"^\| `([a-z_.]+)` \|", spec_fields.PAGE.read_text(), re.MULTILINE)
    assert named == [row.path for row in rows(ExperimentSpec)]


@pytest.mark.parametrize("function", [rgclient.submit, rgclient.forecast])
def test_a_notebook_is_shown_every_keyword_with_its_default(function: Any) -> None:
    shown = inspect.signature(function).parameters
    for row in rows(Submission):
        if row.path in {"chain.seed", "chain.seeds"}:  # these have to name their section
            continue
        assert shown[row.name].default == (LEFT_OUT if row.required else row.default), row.path
    assert {*children(Submission, "")} <= set(shown)
    assert all(one.kind is one.KEYWORD_ONLY for one in shown.values())


@pytest.mark.parametrize("function", [rgclient.submit, rgclient.forecast, rgclient.study])
def test_what_has_no_default_is_shown_as_left_out(function: Any) -> None:
    shown = str(inspect.signature(function))
    assert "matrix=<left out>" in shown
    assert "chain=<left out>" in shown
    assert "Ellipsis" not in shown


def test_a_study_is_shown_with_its_preset_first() -> None:
    shown = inspect.signature(rgclient.study).parameters
    assert next(iter(shown)) == "preset"
    assert {row.name for row in rows(STUDY_FIELDS)} - {"seed"} <= set(shown)
    assert "label" not in shown


@pytest.mark.parametrize(
    ("defaults", "fields"),
    [
        (_keywords.SUBMIT_DEFAULTS, _keywords.SubmitFields),
        (_keywords.STUDY_DEFAULTS, _keywords.StudyFields),
    ],
)
def test_keywords_and_defaults_are_of_the_same_names(defaults: Any, fields: Any) -> None:
    assert [*defaults] == [*fields.__annotations__]


def test_the_defaults_that_are_shown_are_what_the_server_fills_in() -> None:
    own = {"scales", "branching", "family"}  # of one family
    shown = {
        name: default
        for name, default in _keywords.SUBMIT_DEFAULTS.items()
        if default is not ... and name not in own
    }
    assert Submission.model_validate_json(json.dumps(body(shown))) == Submission()


def test_units_and_symbols_stand_in_the_description() -> None:
    definitions = Submission.model_json_schema()["$defs"]
    depth = definitions["ModelSpec"]["properties"]["depth"]
    assert (depth["x-unit"], depth["x-symbol"]) == ("blocks", "L")
    lengths = definitions["ExplicitChain"]["properties"]["corr_len"]
    assert (lengths["x-unit"], lengths["x-symbol"]) == ("tokens", "xi")


def test_what_a_list_shows_of_a_spec_is_a_field_with_a_column_of_experiments() -> None:
    columns = {row.path for row in rows(ExperimentSpec) if row.column}
    assert columns == set(SHOWN.values())
    assert columns >= {
        "chain.family", "chain.corr_len", "model.mixing", "model.depth", "model.width"
    }  # fmt: skip
    assert set(SHOWN) <= set(ExperimentRow.__table__.columns.keys())
