"""The registries of a release as one answer say what they are of."""

from __future__ import annotations

import inspect

from rgcontract import SCHEMA, Submission
from rgcontract.chains import CHAIN_OF
from rgcontract.fields import rows
from rgcontract.schema import schema
from rgcontract.study import STUDY_FIELDS
from rgcontract.version import CONTRACT

TOLD = schema()


def test_the_versions_are_those_of_this_release() -> None:
    assert (TOLD.contract, TOLD.spec_schema) == (str(CONTRACT), SCHEMA)


def test_the_fields_of_a_submission_and_of_a_study_are_told() -> None:
    assert [row.path for row in TOLD.fields] == [row.path for row in rows(Submission)]
    assert [row.path for row in TOLD.study_fields] == [row.path for row in rows(STUDY_FIELDS)]


def test_a_family_means_what_its_class_says() -> None:
    assert {row.name: row.meaning for row in TOLD.families} == {
        name: inspect.getdoc(chain) for name, chain in CHAIN_OF.items()
    }
