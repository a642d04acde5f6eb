"""A study is a request too: what others ask for of its experiments is none of its business."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from measured_study import GRID
from people import Lab
from sqlalchemy import select

from rgclient import Conflict, ExperimentCancelled, ExperimentFailed, Forbidden, ResponseError
from rgstore.database import Database
from rgstore.tables import RunRow, StudyRow
from rgworker.findings import refresh_findings

SOON = 60.0
SHORT = {"chain": {"corr_len": 1}, "model": GRID["model"]}
"""One of its experiments."""


@pytest.fixture
def lab(anonymous: TestClient, database: Database) -> Lab:
    return Lab(anonymous, database)


@pytest.fixture
def ada(lab: Lab) -> Any:
    return lab.person("ada")


@pytest.fixture
def bob(lab: Lab) -> Any:
    return lab.person("bob")


def _judge(database: Any) -> list[int]:
    return refresh_findings(database, attempt_limit=3)


def _states(database: Any) -> dict[int, set[str]]:
    """Training seed -> states of its runs."""
    found: dict[int, set[str]] = {}
    with database.begin() as session:
        for run in session.scalars(select(RunRow)):
            found.setdefault(run.seed, set()).add(run.state)
    return found


@pytest.mark.parametrize("first", ["study", "stranger"])
def test_a_strangers_seeds_hold_up_and_fail_no_study(
    lab: Lab, ada: Any, bob: Any, database: Database, first: str
) -> None:
    ask: dict[str, Callable[[], Any]] = {
        "study": lambda: ada.study(**GRID),
        "stranger": lambda: [
            bob.submit(**SHORT, seeds=[7], device="cuda"),
            bob.submit(**SHORT, seeds=[8]),
            bob.submit(**SHORT, seeds=[9]).cancel(),
        ],
    }
    other = "stranger" if first == "study" else "study"
    made = {name: ask[name]() for name in (first, other)}
    study = made["study"]
    lab.work(failing={8})
    _judge(database)
    findings = study.wait(SOON)
    assert (findings.data.complete, findings.data.n_seeds) == (True, 3)
    assert [result.seeds for _, result in study.results()] == [(0, 1, 2)] * 2
    members = study.experiments
    assert [(member.state, member.seeds) for member in members] == [("done", (0, 1, 2))] * 2
    assert members[0].wait(SOON).seeds == (0, 1, 2)
    assert {found.state for found in ada.studies()} == {"done"}


def test_cancelling_a_study_leaves_what_was_asked_for_otherwise(
    lab: Lab, ada: Any, bob: Any, database: Database
) -> None:
    theirs = bob.submit(**SHORT, seeds=[1])
    mine = ada.submit(**SHORT, seeds=[2])
    study = ada.study(**GRID)
    assert study.cancel().state == "queued"  # what others want of it goes on
    assert _states(database) == {
        0: {"cancelled"}, 1: {"queued", "cancelled"}, 2: {"queued", "cancelled"}
    }  # fmt: skip
    lab.work()
    assert theirs.wait(SOON).seeds == (1,)
    assert mine.wait(SOON).seeds == (2,)
    with pytest.raises(ExperimentCancelled):
        study.wait(SOON)
    study.retry()
    lab.work()
    _judge(database)
    assert study.wait(SOON).data.n_seeds == 3


def test_who_asks_for_the_same_study_has_seeds_of_their_own(
    lab: Lab, ada: Any, bob: Any, database: Database
) -> None:
    mine = ada.study(**GRID)
    theirs = bob.study(**GRID | {"seeds": 5}, device="cuda")
    lab.work()
    _judge(database)
    assert mine.wait(SOON).data.complete
    assert [result.seeds for _, result in mine.results()] == [(0, 1, 2)] * 2
    assert theirs.refresh().state == "queued"
    assert theirs.cancel().state == "cancelled"
    assert mine.refresh().state == "done"
    assert mine.wait(SOON).data.complete
    with pytest.raises(ExperimentCancelled):
        theirs.wait(SOON)


def test_findings_that_others_seeds_make_due_hold_up_nobody_else(
    lab: Lab, ada: Any, bob: Any, database: Database
) -> None:
    mine = ada.study(**GRID)
    lab.work()
    _judge(database)
    theirs = bob.study(**GRID | {"seeds": 5})
    lab.work()  # they are to be written anew
    assert mine.findings().data.complete
    assert not theirs.findings().data.complete
    assert not ada.get_study(mine.id).findings().data.complete
    _judge(database)
    assert theirs.findings().data.complete


def test_a_seed_that_fails_is_its_askers(lab: Lab, ada: Any, bob: Any, database: Database) -> None:
    mine = ada.study(**GRID)
    theirs = bob.study(**GRID | {"seeds": [0, 9]})
    lab.work(failing={9})
    _judge(database)
    assert mine.wait(SOON).data.complete
    with pytest.raises(ExperimentFailed, match="seed 9: the loss diverged"):
        theirs.wait(SOON)


def test_a_study_of_others_cannot_be_cancelled(lab: Lab, ada: Any, bob: Any) -> None:
    study = ada.study(**GRID)
    with pytest.raises(Forbidden, match=r"who did: ada"):
        bob.get_study(study.id).cancel()
    bob.submit(**SHORT, seeds=3)
    with pytest.raises(Forbidden):
        bob.get_study(study.id).cancel()
    lab.work()
    with pytest.raises(Conflict):
        study.cancel()


def _steering(database: Any, name: str) -> tuple[str | None, float | None, int | None, int]:
    with database.begin() as session:
        study = session.get_one(StudyRow, name)
        return study.name, study.target_error, study.max_seeds, study.priority


def test_while_several_want_a_study_nobody_loosens_or_slows_it(
    ada: Any, bob: Any, database: Database
) -> None:
    steering = {"target_error": 0.01, "max_seeds": 9, "priority": 2}
    study = ada.study(**GRID, name="first", **steering)
    theirs = bob.study(**GRID, name="other")
    assert _steering(database, study.id) == ("first", 0.01, 9, 2)
    bob.study(**GRID, target_error=0.005, max_seeds=12, priority=5)
    ada.study(**GRID, **steering)
    assert _steering(database, study.id) == ("first", 0.005, 12, 5)
    theirs.cancel()
    ada.study(**GRID, **steering)
    assert _steering(database, study.id) == ("first", 0.01, 9, 2)


def test_seeds_that_a_target_adds_are_the_studys_own(
    lab: Lab, ada: Any, bob: Any, database: Database
) -> None:
    study = ada.study(**GRID, target_error=1e-4, max_seeds=5)
    theirs = bob.submit(**SHORT, seeds=[3], device="cuda")  # waits for what nobody has
    lab.work()
    _judge(database)  # it adds 3 and 4; of those 3 is there, and may be trained anywhere now
    assert study.refresh().state == "queued"
    assert study.experiments[0].seeds == (0, 1, 2, 3, 4)
    lab.work()
    _judge(database)
    assert study.wait(SOON).data.n_seeds == 3  # the long chain, which has no collapse to measure
    assert study.results()[0][1].seeds == (0, 1, 2, 3, 4)
    assert theirs.wait(SOON).seeds == (3,)


def test_a_seed_that_failed_for_others_is_not_added(
    lab: Lab, ada: Any, bob: Any, database: Database
) -> None:
    study = ada.study(**GRID, target_error=1e-4, max_seeds=5)
    bob.submit(**SHORT, seeds=[3])
    lab.work(failing={3})
    _judge(database)
    assert study.refresh().experiments[0].seeds == (0, 1, 2, 4, 5)


def test_nobody_waits_for_anothers_seeds_to_become_precise(
    lab: Lab, ada: Any, bob: Any, database: Database
) -> None:
    study = ada.study(**GRID, target_error=1e-4, max_seeds=5)
    bob.study(**GRID | {"seeds": [0, 40]}, device="cuda")
    lab.work()
    assert _judge(database)
    lab.work()
    assert study.refresh().state == "done"
    assert study.experiments[0].state == "done"


def test_cancelling_takes_back_the_seeds_that_a_target_added(
    lab: Lab, ada: Any, database: Database
) -> None:
    study = ada.study(**GRID, target_error=1e-4, max_seeds=5)
    lab.work()
    _judge(database)
    assert study.cancel().state == "cancelled"
    assert _states(database)[3] == _states(database)[4] == {"cancelled"}


@pytest.mark.parametrize("route", ["", "/findings"])
def test_seeds_that_a_study_was_not_asked_with_are_refused(ada: Any, route: str) -> None:
    study = ada.study(**GRID)
    ask = ada.findings if route else ada.study_view
    with pytest.raises(ResponseError, match=r"5 is not there.*of 0, 1, 2") as caught:
        ask(study.id, seeds=[5])
    assert caught.value.status == 422
