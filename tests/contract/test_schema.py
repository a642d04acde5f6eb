"""The registries of a release as one answer say what they are of."""

from __future__ import annotations

import inspect

import pytest

from rgcontract import SCHEMA, Submission
from rgcontract.chains import CHAIN_OF
from rgcontract.fields import rows
from rgcontract.schema import Schema, schema
from rgcontract.study import STUDY_FIELDS
from rgcontract.version import CONTRACT


@pytest.fixture
def told() -> Schema:
    return schema()


def test_the_versions_are_those_of_this_release(told: Schema) -> None:
    assert (told.contract, told.spec_schema) == (str(CONTRACT), SCHEMA)


def test_the_fields_of_a_submission_and_of_a_study_are_told(told: Schema) -> None:
    assert [row.path for row in told.fields] == [row.path for row in rows(Submission)]
    assert [row.path for row in told.study_fields] == [row.path for row in rows(STUDY_FIELDS)]


def test_a_family_means_what_its_class_says(told: Schema) -> None:
    assert {row.name: row.meaning for row in told.families} == {
        name: inspect.getdoc(chain) for name, chain in CHAIN_OF.items()
    }
