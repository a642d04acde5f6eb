"""Wishes for runs, when many people write them at the same moment."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from blocked import until_blocked
from sqlalchemy import select

from rgcontract import State, Submission
from rgstore import wishes
from rgstore.asked import Asked
from rgstore.database import Database
from rgstore.submissions import submit_all
from rgstore.tables import RunRow, SubmissionRow

LENGTHS = (1.0, 2.0, 3.0)


def _asked(corr_len: float, seeds: int) -> Asked:
    submission = Submission.model_validate({"chain": {"corr_len": corr_len}, "seeds": seeds})
    return Asked.of(submission, flops_per_run=1.0)


@pytest.fixture
def ask(database: Database) -> Any:
    """Submit some experiments at once."""

    def _ask(owner: str, lengths: Any, *, seeds: int = 2) -> Any:
        with database.begin() as session:
            asked = [_asked(length, seeds) for length in lengths]
            return submit_all(session, asked, owner=owner, attempt_limit=3)

    return _ask


def _wanted(session: Any) -> set[tuple[str, int]]:
    rows = session.execute(select(SubmissionRow.experiment_id, SubmissionRow.wanted))
    return {(name, seed) for name, seeds in rows for seed in seeds}


def test_nobody_stops_what_another_asks_for_at_that_moment(database: Database, ask: Any) -> None:
    """In no order of locks: whoever comes second sees what the first one did."""
    rng = random.Random(0)
    names = [one.experiment_id for one in ask("first", LENGTHS)]
    actions = [(f"person-{index % 4}", index) for index in range(80)]

    def act(action: Any) -> None:
        owner, index = action
        lengths = rng.sample(LENGTHS, k=rng.randint(1, 3))
        if index % 2:
            ask(owner, lengths)
        else:
            with database.begin() as session:
                wishes.withdraw(session, rng.sample(names, k=rng.randint(1, 3)), owner)

    with database.begin() as session:
        wishes.withdraw(session, names, "first")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(act, actions))  # a deadlock, or a wait without end, is an exception
    with database.begin() as session:
        wanted = _wanted(session)
        for run in session.scalars(select(RunRow)):
            is_wanted = (run.experiment_id, run.seed) in wanted
            assert (run.state == State.QUEUED) is is_wanted


def test_a_wish_waits_for_who_withdraws_and_then_queues_the_run_again(
    database: Database, ask: Any
) -> None:
    (stored,) = ask("ada", [1.0], seeds=1)
    with ThreadPoolExecutor(1) as pool:
        with database.begin() as session:
            wishes.withdraw(session, [stored.experiment_id], "ada")
            asking = pool.submit(ask, "bob", [1.0], seeds=1)
            until_blocked(database)
            assert not asking.done()
        (again,) = asking.result()
    assert again.run_ids == stored.run_ids
    with database.begin() as session:
        assert session.get_one(RunRow, stored.run_ids[0]).state == State.QUEUED


def test_who_withdraws_waits_for_a_wish_and_then_leaves_the_run(
    database: Database, ask: Any
) -> None:
    (stored,) = ask("ada", [1.0], seeds=1)

    def withdraw() -> Any:
        with database.begin() as session:
            return wishes.withdraw(session, [stored.experiment_id], "ada")

    with ThreadPoolExecutor(1) as pool:
        with database.begin() as session:
            submit_all(session, [_asked(1.0, 1)], owner="bob", attempt_limit=3)
            withdrawing = pool.submit(withdraw)
            until_blocked(database)
            assert not withdrawing.done()
        assert withdrawing.result().ended is None
    with database.begin() as session:
        assert session.get_one(RunRow, stored.run_ids[0]).state == State.QUEUED
