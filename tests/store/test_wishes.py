"""Wishes for runs, when many people write them at the same moment."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from blocked import until_blocked
from sqlalchemy import select, update

from rgcontract import Outcome, State, Submission
from rgstore import endings, wishes
from rgstore.asked import Asked
from rgstore.database import Database
from rgstore.submissions import submit_all
from rgstore.tables import RunRow, SubmissionRow
from rgstore.words import TooManyTagsError

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


def test_of_two_who_withdraw_at_once_the_second_sees_that_nobody_wants_it(
    database: Database, ask: Any
) -> None:
    (stored,) = ask("ada", [1.0], seeds=1)
    ask("bob", [1.0], seeds=1)

    def withdraw() -> Any:
        with database.begin() as session:
            return wishes.withdraw(session, [stored.experiment_id], "bob")

    with ThreadPoolExecutor(1) as pool:
        with database.begin() as session:
            wishes.withdraw(session, [stored.experiment_id], "ada")
            assert session.get_one(RunRow, stored.run_ids[0]).state == State.QUEUED
            withdrawing = pool.submit(withdraw)
            until_blocked(database)
        (change,) = withdrawing.result().changes
    assert (change.before, change.after) == ({"wanted": {"bob": [0]}}, {"wanted": {"bob": []}})
    with database.begin() as session:
        assert session.get_one(RunRow, stored.run_ids[0]).state == State.CANCELLED


def test_everybodys_wishes_are_withdrawn_at_once(database: Database, ask: Any) -> None:
    (stored,) = ask("ada", [1.0])
    ask("bob", [1.0], seeds=1)
    with database.begin() as session:
        done = wishes.withdraw(session, [stored.experiment_id], None)
    (change,) = done.changes
    assert change.before == {"wanted": {"ada": [0, 1], "bob": [0]}}
    with database.begin() as session:
        assert not _wanted(session)
        states = {run.state for run in session.scalars(select(RunRow))}
    assert states == {State.CANCELLED}


def test_who_hurries_waits_for_who_withdraws(database: Database, ask: Any) -> None:
    (stored,) = ask("ada", [1.0], seeds=1)
    ask("bob", [1.0], seeds=1)
    names = [stored.experiment_id]

    def hurry() -> None:
        with database.begin() as session:
            wishes.lock_unended(session, names)
            wishes.set_priority(session, names, "ada", 7)

    with ThreadPoolExecutor(1) as pool:
        with database.begin() as session:
            wishes.withdraw(session, names, "ada")
            hurrying = pool.submit(hurry)
            until_blocked(database)
        hurrying.result()
    with database.begin() as session:
        run = session.get_one(RunRow, stored.run_ids[0])
        assert (run.state, run.priority) == (State.QUEUED, 0)  # bob's, who alone wants it


def _tagged(tags: list[str]) -> Asked:
    body = {"chain": {"corr_len": 1.0}, "seeds": 1, "tags": tuple(tags)}
    return Asked.of(Submission.model_validate(body), flops_per_run=1.0)


def test_of_two_requests_of_one_person_the_second_counts_the_tags_of_the_first(
    database: Database, ask: Any, take: Any
) -> None:
    ask("ada", [1.0], seeds=1)
    with database.begin() as session:  # so that nobody locks its run
        endings.fail(session, take(), outcome=Outcome.FAILED, error="the loss diverged")

    def tag(word: str) -> None:
        tags = [f"{word}{number}" for number in range(16)]
        with database.begin() as session:
            submit_all(session, [_tagged(tags)], owner="ada", attempt_limit=3)

    for word in ("a", "b", "c"):
        tag(word)
    with ThreadPoolExecutor(1) as pool:
        with database.begin() as session:
            tags = [f"d{number}" for number in range(16)]
            submit_all(session, [_tagged(tags)], owner="ada", attempt_limit=3)
            tagging = pool.submit(tag, "e")
            until_blocked(database)
        with pytest.raises(TooManyTagsError):
            tagging.result()


def test_who_has_too_many_tags_from_before_may_ask_again_with_them_and_no_more(
    database: Database, ask: Any
) -> None:
    ask("ada", [1.0], seeds=1)
    with database.begin() as session:
        session.execute(update(SubmissionRow).values(tags=[f"t{number}" for number in range(70)]))

    def tag(word: str) -> None:
        with database.begin() as session:
            submit_all(session, [_tagged([word])], owner="ada", attempt_limit=3)

    tag("t69")
    with pytest.raises(TooManyTagsError, match="71 tags"):
        tag("u0")
