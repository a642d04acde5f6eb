"""A study is a request too: what others ask for of its experiments is none of its business."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from measured_study import GRID
from people import Lab
from sqlalchemy import select

from rgclient import Conflict, ExperimentCancelled, ExperimentFailed, Forbidden, ResponseError
from rgcontract.roles import Role
from rgstore.database import Database
from rgstore.tables import RunRow, SubmissionRow
from rgworker.findings import refresh_findings

SOON = 60.0
SHORT = {"chain": {"corr_len": 1}, "model": GRID["model"]}
"""One of its experiments."""


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


def _terms(person: Any, name: str) -> tuple[str | None, float | None, int | None, int | None]:
    view = person.study_view(name)
    return view.name, view.target_error, view.max_seeds, view.priority


def test_name_target_and_priority_are_each_ones_own(ada: Any, bob: Any, lab: Lab) -> None:
    own = {"name": "first", "target_error": 0.01, "max_seeds": 9, "priority": 2}
    study = ada.study(**GRID, **own)
    theirs = bob.study(**GRID, name="other", target_error=0.005, max_seeds=12, priority=5)
    assert theirs.id == study.id
    assert _terms(ada, study.id) == ("first", 0.01, 9, 2)
    assert _terms(bob, study.id) == ("other", 0.005, 12, 5)
    assert _terms(lab.person("eve"), study.id) == ("first", 0.01, 9, 2)
    assert [next(one.studies()).name for one in (ada, bob)] == ["first", "other"]
    study.cancel()
    bob.study(**GRID)
    assert _terms(ada, study.id) == ("first", 0.01, 9, 2)
    assert _terms(bob, study.id) == ("other", None, 16, 0)


def test_a_target_adds_seeds_for_who_gave_it_alone(
    lab: Lab, ada: Any, bob: Any, database: Database
) -> None:
    mine = ada.study(**GRID)
    theirs = bob.study(**GRID, target_error=1e-4, max_seeds=5)
    lab.work()
    _judge(database)
    assert theirs.refresh().state == "queued"
    assert mine.findings().data.complete
    assert mine.refresh().experiments[0].seeds == (0, 1, 2)
    for reader in (bob, lab.person("eve")):  # who never asked has no part of their own
        assert reader.get_study(mine.id).experiments[0].seeds == (0, 1, 2, 3, 4)
    with database.begin() as session:
        further = select(SubmissionRow.owner, SubmissionRow.seeds).where(
            SubmissionRow.seeds != [0, 1, 2]
        )
        assert [tuple(row) for row in session.execute(further)] == [("bob", [3, 4])]


def test_who_asks_for_fewer_more_seeds_shares_the_first_of_them(
    lab: Lab, ada: Any, bob: Any, database: Database
) -> None:
    ada.study(**GRID, target_error=1e-4, max_seeds=4)
    bob.study(**GRID, target_error=1e-4, max_seeds=6)
    lab.work()
    _judge(database)
    with database.begin() as session:
        row = SubmissionRow
        further = select(row.owner, row.seeds).where(row.seeds != [0, 1, 2])
        found = dict(session.execute(further).all())
    assert found == {"ada": [3], "bob": [3, 4, 5]}


def test_a_study_is_renamed_and_hurried_by_each_for_themselves(
    ada: Any, bob: Any, database: Database
) -> None:
    study, theirs = ada.study(**GRID, name="first"), bob.study(**GRID)
    theirs.update(name="mine", priority=4)
    assert (study.refresh().name, theirs.name) == ("first", "mine")
    assert (_terms(ada, study.id)[3], _terms(bob, study.id)[3]) == (0, 4)
    assert {run.priority for run in _all_runs(database)} == {4}
    theirs.cancel()
    assert {run.priority for run in _all_runs(database)} == {0}
    study.update(name=None)
    assert study.name is None


def test_an_admin_hurries_a_study_for_everybody_and_stops_it(
    lab: Lab, ada: Any, bob: Any, database: Database
) -> None:
    study = ada.study(**GRID, name="first", priority=1)
    bob.study(**GRID, name="second")
    root = lab.person("root", Role.ADMIN)
    root.update_study(study.id, priority=9, name="of the lab")
    assert (_terms(ada, study.id)[0::3], _terms(bob, study.id)[0::3]) == (
        ("of the lab", 9), ("second", 9)
    )  # fmt: skip
    assert {run.priority for run in _all_runs(database)} == {9}
    root.cancel_study(study.id)
    assert {run.state for run in _all_runs(database)} == {"cancelled"}
    cancelled = [one for one in study.history() if one.action == "study.cancel"]
    assert [(one.who, one.before) for one in cancelled] == [("root", {"owners": ["ada", "bob"]})]


def test_who_has_not_asked_for_a_study_changes_nothing_of_it(ada: Any, bob: Any) -> None:
    study = ada.study(**GRID, name="first")
    for act in (bob.update_study, bob.retry_study, bob.cancel_study):
        with pytest.raises(Forbidden):
            act(study.id)
    assert study.refresh().name == "first"


def _all_runs(database: Any) -> Any:
    with database.begin() as session:
        return session.scalars(select(RunRow)).all()


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
