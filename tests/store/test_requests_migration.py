"""Requests from before their seeds were kept: no work is lost by them, and none is held up."""

from __future__ import annotations

from typing import Any

import pytest
from alembic import command
from sqlalchemy import select, text

from migrations import alembic_config, upgrade
from rgcontract import State
from rgstore import experiments, study_runs, wishes, words
from rgstore.database import Database
from rgstore.study_runs import Part
from rgstore.tables import RunRow, SubmissionRow

pytestmark = pytest.mark.by_hand("rows of a release before, without attempts")

OLD = """
INSERT INTO experiments (id, spec_hash, training_hash, chain_hash, protocol, spec, family,
    corr_len, mixing, depth, width, flops_per_run, label, tags, priority, owner, state)
SELECT name, name, '', '', 3, '{}', 'potts', 1, 'context', 4, 8, 1, 'first', '{a}', 2, 'ada',
    'queued' FROM unnest('{e-plain,e-study,e-lost}'::text[]) name;
INSERT INTO runs (experiment_id, chain_seed, seed, state, priority, attempt_limit, device) VALUES
    ('e-plain', 0, 0, 'queued', 2, 3, 'cuda'),
    ('e-plain', 0, 1, 'queued', 2, 3, 'cuda'),
    ('e-plain', 0, 5, 'queued', 2, 3, 'cuda'),
    ('e-study', 0, 0, 'done', 0, 3, 'any'),
    ('e-study', 0, 1, 'queued', 0, 3, 'any'),
    ('e-study', 0, 2, 'queued', 0, 3, 'any'),
    ('e-study', 0, 7, 'queued', 0, 3, 'cuda'),
    ('e-lost', 0, 0, 'queued', 0, 3, 'any');
INSERT INTO studies (id, axes, seeds, target_error, max_seeds, priority, owner)
    VALUES ('s-1', '{}', '{0,1}', 0.1, 8, 4, 'ada');
INSERT INTO study_experiments (study_id, experiment_id, place, cell)
    VALUES ('s-1', 'e-study', 0, '{}');
INSERT INTO submissions (owner, idempotency_key, body_hash, experiment_id, created, added_seeds)
VALUES
    ('ada', 'k', 'x', 'e-plain', true, '{0,1}'),
    ('bob', null, 'y', 'e-plain', false, '{5}'),
    ('ada', null, 's-1', 'e-study', true, '{0,1}'),
    ('eve', null, 'z', 'e-study', false, '{7}');
"""


def _execute(session: Any, statements: str) -> None:
    for statement in filter(str.strip, statements.split(";\n")):
        session.execute(text(statement))


@pytest.fixture
def old(database_url: str, database: Database) -> Database:
    """A database of the release before, with work in it, brought up to date."""
    command.downgrade(alembic_config(database_url), "0003")
    with database.begin() as session:
        _execute(session, OLD)
    upgrade(database_url)
    return database


def _requests(database: Any) -> dict[tuple[str, str], list[SubmissionRow]]:
    found: dict[tuple[str, str], list[SubmissionRow]] = {}
    with database.begin() as session:
        for row in session.scalars(select(SubmissionRow).order_by(SubmissionRow.id)):
            found.setdefault((row.owner, row.experiment_id), []).append(row)
    return found


def _cancel(database: Any, name: str, owner: str, **options: Any) -> dict[int, str]:
    with database.begin() as session:
        wishes.withdraw(session, [name], owner, **options)
    with database.begin() as session:
        rows = select(RunRow.seed, RunRow.state).where(RunRow.experiment_id == name)
        return dict(session.execute(rows).all())


def test_the_first_request_has_the_seeds_that_it_added_and_the_words(old: Database) -> None:
    (first,) = _requests(old)["ada", "e-plain"]
    assert (first.seeds, first.wanted) == ([0, 1], [0, 1])
    assert (first.label, first.tags, first.priority, first.device) == ("first", ["a"], 2, "cuda")


def test_what_another_named_is_not_known_so_all_is_wanted(old: Database) -> None:
    (later,) = _requests(old)["bob", "e-plain"]
    assert (later.seeds, later.wanted, later.device) == (None, [0, 1, 5], "cuda")
    assert _cancel(old, "e-plain", "ada") == {0: "queued", 1: "queued", 5: "queued"}
    assert set(_cancel(old, "e-plain", "bob").values()) == {"cancelled"}


def test_a_request_that_is_not_known_wants_nothing_that_others_ask_for_later(old: Database) -> None:
    with old.begin() as session:
        _execute(
            session,
            "INSERT INTO runs (experiment_id, chain_seed, seed, state, priority, attempt_limit)"
            " VALUES ('e-plain', 0, 9, 'queued', 0, 3);\n"
            "INSERT INTO submissions (owner, body_hash, experiment_id, created, added_seeds,"
            " seeds, wanted) VALUES ('eve', '', 'e-plain', false, '{9}', '{9}', '{9}')",
        )
    assert _cancel(old, "e-plain", "eve")[9] == "cancelled"


def test_runs_wait_for_no_more_than_before(old: Database) -> None:
    with old.begin() as session:
        ids = session.scalars(select(RunRow.id)).all()
        before = session.execute(select(RunRow.id, RunRow.device).order_by(RunRow.id)).all()
        wishes.weigh(session, ids)
        after = session.execute(select(RunRow.id, RunRow.device).order_by(RunRow.id)).all()
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert {device for _, device in changed} <= {"any"}


def test_an_old_study_has_its_seeds_and_those_that_its_target_added(old: Database) -> None:
    with old.begin() as session:
        (sums,) = study_runs.runs_by_experiment(session, Part("s-1")).values()
        assert sums.seeds == {0, 1, 2}  # 2 came of no submission; 7 is another's
    asked, added = _requests(old)["ada", "e-study"]
    assert (asked.seeds, asked.study_id, asked.priority) == ([0, 1], "s-1", 4)
    assert (added.seeds, added.study_id) == ([2], "s-1")


def test_runs_that_no_submission_accounts_for_belong_to_the_owner(old: Database) -> None:
    (found,) = _requests(old)["ada", "e-lost"]
    assert (found.seeds, found.study_id, found.device) == ([0], None, "any")
    assert _cancel(old, "e-lost", "ada") == {0: "cancelled"}


def test_what_the_release_before_still_writes_wants_all_that_is_there(old: Database) -> None:
    with old.begin() as session:
        _execute(
            session,
            "INSERT INTO submissions (owner, body_hash, experiment_id, created, added_seeds)"
            " VALUES ('zoe', 'w', 'e-plain', false, '{}')",
        )
    _cancel(old, "e-plain", "bob")
    assert set(_cancel(old, "e-plain", "ada").values()) == {"queued"}
    kept = _cancel(old, "e-plain", "zoe", seeds=[0])
    assert kept == {0: "cancelled", 1: "queued", 5: "queued"}


def test_words_of_old_requests_are_those_of_the_experiment(old: Database) -> None:
    with old.begin() as session:
        assert words.words_of(session, ["e-plain"], "ada")["e-plain"].tags == ["a"]
        assert words.words_of(session, ["e-plain"], "bob")["e-plain"].tags == []
        row = experiments.get(session, "e-plain")
        assert row is not None
        assert (row.label, row.state) == ("first", State.QUEUED)
