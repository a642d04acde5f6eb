"""An experiment is shared, a request is one person's: nobody's wish changes what another has."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from measured_study import numbers_of, store
from people import SPEC, Lab
from sqlalchemy import select, update

from rgclient import (
    Conflict,
    ExperimentCancelled,
    ExperimentFailed,
    Forbidden,
    NotReady,
    ResponseError,
    WaitTimeout,
)
from rgstore.database import Database
from rgstore.tables import RunRow

SOON = 60.0
"""Seconds that nobody has to wait for what is measured."""


@pytest.fixture
def eve(lab: Lab) -> Any:
    return lab.person("eve")


def _runs(database: Any) -> dict[int, RunRow]:
    with database.begin() as session:
        return {run.seed: run for run in session.scalars(select(RunRow))}


def test_a_seed_that_no_worker_takes_holds_up_who_asked_for_it_alone(
    lab: Lab, ada: Any, bob: Any
) -> None:
    ada.submit(**SPEC, seeds=1)
    lab.work()
    theirs = bob.submit(**SPEC, seeds=2, device="cuda")
    lab.work()
    assert ada.submit(**SPEC, seeds=1).wait(SOON).seeds == (0,)
    with pytest.raises(WaitTimeout, match="queued"):
        theirs.wait(SOON)


def test_nor_does_it_if_it_was_asked_for_first(lab: Lab, ada: Any, bob: Any) -> None:
    theirs = bob.submit(**SPEC, seeds=2, device="cuda")
    mine = ada.submit(**SPEC, seeds=1)
    lab.work()
    assert mine.wait(SOON).seeds == (0,)
    with pytest.raises(NotReady):
        theirs.result()
    assert theirs.result(partial=True).seeds == (0,)


def test_cancelling_ones_own_wish_leaves_anothers_result(lab: Lab, ada: Any, bob: Any) -> None:
    mine = ada.submit(**SPEC, seeds=1)
    lab.work()
    theirs = bob.submit(**SPEC, seeds=2, device="cuda")
    assert theirs.cancel().state == "cancelled"
    assert (mine.refresh().state, mine.wait(SOON).seeds) == ("done", (0,))
    assert mine.result().data.state == "done"
    with pytest.raises(ExperimentCancelled):
        theirs.wait(SOON)


def test_a_seed_that_diverges_fails_who_asked_for_it_alone(lab: Lab, ada: Any, bob: Any) -> None:
    mine = ada.submit(**SPEC, seeds=1)
    theirs = bob.submit(**SPEC, seeds=[0, 7])
    lab.work(failing={7})
    assert mine.wait(SOON).seeds == (0,)
    with pytest.raises(ExperimentFailed, match="seed 7: the loss diverged"):
        theirs.wait(SOON)


def test_what_is_asked_for_is_not_there_before_all_of_it_is(lab: Lab, ada: Any, bob: Any) -> None:
    ada.submit(**SPEC, seeds=1)
    lab.work()
    theirs = bob.submit(**SPEC, seeds=4)
    assert theirs.state == "queued"
    with pytest.raises(NotReady, match="1 runs are there already"):
        theirs.result()
    lab.work()
    result = theirs.wait(SOON)
    assert result.seeds == (0, 1, 2, 3)
    assert result.effective_rank().standard_error[-1] > 0


@pytest.mark.parametrize("order", [*itertools.permutations(["ada", "bob", "eve"])])
def test_three_people_on_one_experiment_each_get_their_own(
    lab: Lab, ada: Any, bob: Any, eve: Any, order: Any
) -> None:
    asked = {"ada": (ada, [0, 1]), "bob": (bob, [1, 2]), "eve": (eve, [0, 3])}
    handles = {
        name: asked[name][0].submit(**SPEC, seeds=asked[name][1], tags=[name], label=name)
        for name in order
    }
    handles["bob"].cancel()
    lab.work(failing={3})
    assert handles["ada"].wait(SOON).seeds == (0, 1)
    with pytest.raises(ExperimentCancelled):
        handles["bob"].wait(SOON)  # 2 was theirs alone; 1 is measured, for ada wants it
    assert handles["bob"].result(partial=True).seeds == (1,)
    with pytest.raises(ExperimentFailed):
        handles["eve"].wait(SOON)
    assert {name: handle.label for name, handle in handles.items()} == {
        name: name for name in handles
    }
    handles["eve"].retry()
    lab.work()
    assert handles["eve"].wait(SOON).seeds == (0, 3)
    assert handles["ada"].wait(SOON).seeds == (0, 1)


def test_the_result_of_some_seeds_is_what_it_was_before_there_were_others(
    lab: Lab, ada: Any, bob: Any
) -> None:
    mine = ada.submit(**SPEC, seeds=2)
    lab.work()
    before = mine.result(per_run=True).data
    bob.submit(**SPEC, seeds=[2, 9])
    lab.work()
    assert mine.result(per_run=True).data == before
    everything = ada.get(mine.id).result().data
    assert everything.seeds == [0, 1, 2, 9]
    assert everything.snapshots != before.snapshots


def test_flags_and_curves_are_those_of_the_seeds(
    lab: Lab, ada: Any, bob: Any, database: Database
) -> None:
    mine = ada.submit(**SPEC, seeds=1)
    lab.work()
    theirs = bob.submit(**SPEC, seeds=[5])
    claim = lab.claim()
    assert claim is not None
    losses = {
        ("final", "network", name): [1.0]
        for name in ("loss", "bayes_loss", "excess_loss", "gap_fraction", "under_trained")
    }
    initial = {("initial", "network", name): values for (_, _, name), values in losses.items()}
    store(database, claim, numbers_of(claim) | losses | initial)
    assert theirs.result().under_trained
    result = mine.result()
    assert not result.under_trained
    assert [curve.seed for curve in result.data.training] == [0]
    assert list(result.effective_rank().per_seed) == [0]


def test_without_seeds_a_result_is_that_of_all_that_are_there(lab: Lab, ada: Any, bob: Any) -> None:
    mine = ada.submit(**SPEC, seeds=1)
    lab.work()
    bob.submit(**SPEC, seeds=2, device="cuda")
    everything = bob.get(mine.id)
    assert everything.state == "queued"
    with pytest.raises(NotReady) as caught:
        everything.result()
    assert caught.value.problem is not None
    assert caught.value.problem.model_dump()["state"] == "queued"
    assert everything.result(partial=True).seeds == (0,)


def test_an_acknowledgement_is_of_the_seeds_that_were_asked_for(
    lab: Lab, ada: Any, bob: Any, database: Database
) -> None:
    ada.submit(**SPEC, seeds=[0, 1])
    lab.work()
    body = {**SPEC, "seeds": [1, 4]}
    both = bob.submit_many([{**SPEC, "seeds": [0]}, body])
    assert [(one.seeds, one.state) for one in both] == [((0,), "done"), ((1, 4), "queued")]
    single = bob.submit(**body)
    assert (single.seeds, repr(single)) == (
        (1, 4), f"<Experiment {single.id}: queued, 1 of 2 runs done>"
    )  # fmt: skip


def test_a_key_that_comes_again_is_answered_with_the_same_seeds(
    anonymous: TestClient, token: str
) -> None:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k"}

    def ask() -> Any:
        return anonymous.post(
            "/v1/experiments/bulk",
            json={"experiments": [{**SPEC, "seeds": [3]}, {**SPEC, "seeds": [3, 4]}]},
            headers=headers,
        ).json()

    first = ask()
    assert [one["seeds"] for one in first["experiments"]] == [[3], [3, 4]]
    assert [one["runs"]["queued"] for one in first["experiments"]] == [1, 2]
    assert ask() == first


@pytest.mark.parametrize("first", ["ada", "bob"])
def test_a_run_goes_on_until_nobody_wants_it(
    lab: Lab, ada: Any, bob: Any, database: Database, first: str
) -> None:
    handles = {"ada": ada.submit(**SPEC, seeds=2), "bob": bob.submit(**SPEC, seeds=2)}
    running = lab.claim()
    assert handles.pop(first).cancel().state == "running"
    (last,) = handles.values()
    assert {run.state for run in _runs(database).values()} == {"running", "queued"}
    assert not any(run.cancel_requested for run in _runs(database).values())
    assert last.cancel().state == "running"  # it is to stop
    assert running is not None
    assert lab.let_go(running) == "cancelled"
    assert last.refresh().state == "cancelled"


def test_cancelling_some_seeds_leaves_the_others(lab: Lab, ada: Any, database: Database) -> None:
    name = ada.submit(**SPEC, seeds=3).id
    assert ada.get(name, seeds=[1]).cancel().state == "cancelled"
    assert {seed: run.state for seed, run in _runs(database).items()} == {
        0: "queued", 1: "cancelled", 2: "queued"
    }  # fmt: skip


def test_who_never_asked_cannot_cancel_and_is_told_who_can(
    ada: Any, bob: Any, database: Database
) -> None:
    name = ada.submit(**SPEC, seeds=2).id
    with pytest.raises(Forbidden, match=r"you have not asked for this.* who did: ada") as caught:
        bob.get(name).cancel()
    assert (caught.value.status, caught.value.code) == (403, "not_asked")
    bob.submit(**SPEC, seeds=[0])
    with pytest.raises(Forbidden):
        bob.get(name, seeds=[1]).cancel()
    assert {run.state for run in _runs(database).values()} == {"queued"}


def test_withdrawing_twice_is_as_good_as_once(lab: Lab, ada: Any, bob: Any) -> None:
    mine = ada.submit(**SPEC, seeds=1)
    bob.submit(**SPEC, seeds=1)
    assert [mine.cancel().state for _ in range(2)] == ["queued"] * 2
    lab.work()
    with pytest.raises(Conflict, match="what you asked for is done"):
        mine.cancel()
    bob.submit(**SPEC, seeds=[5])
    with pytest.raises(Conflict, match="what you asked for is done"):
        ada.get(mine.id).cancel()


def test_asking_again_after_a_cancel_is_a_wish_like_the_first(lab: Lab, ada: Any, bob: Any) -> None:
    ada.submit(**SPEC, seeds=1).cancel()
    again = ada.submit(**SPEC, seeds=1)
    bob.submit(**SPEC, seeds=1).cancel()
    lab.work()
    assert again.wait(SOON).seeds == (0,)


def test_a_retry_is_of_the_handles_seeds_and_a_wish(
    lab: Lab, ada: Any, bob: Any, database: Database
) -> None:
    mine, theirs = ada.submit(**SPEC, seeds=[0]), bob.submit(**SPEC, seeds=[7])
    lab.work(failing={0, 7})
    mine.retry()
    assert {seed: run.state for seed, run in _runs(database).items()} == {
        0: "queued", 7: "failed"
    }  # fmt: skip
    ada.get(theirs.id, seeds=[7]).retry()  # ada wants it now, too
    theirs.cancel()
    lab.work()
    assert ada.get(theirs.id, seeds=[7]).wait(SOON).seeds == (7,)


def test_what_was_cancelled_and_is_retried_is_wanted_again(lab: Lab, ada: Any, bob: Any) -> None:
    mine = ada.submit(**SPEC, seeds=1, device="cpu", priority=4)
    mine.cancel()
    assert mine.retry().state == "queued"
    bob.submit(**SPEC, seeds=1).cancel()
    assert mine.refresh().state == "queued"
    mine.cancel()
    assert mine.state == "cancelled"


WISHES = [{"device": "cuda", "priority": 3}, {"device": "any", "priority": -2}]


@pytest.mark.parametrize("order", [WISHES, WISHES[::-1]])
def test_a_run_waits_for_the_least_demanding_and_the_most_urgent(
    ada: Any, bob: Any, database: Database, order: Any
) -> None:
    ada.submit(**SPEC, seeds=1, **order[0])
    bob.submit(**SPEC, seeds=1, **order[1])
    (run,) = _runs(database).values()
    assert (run.device, run.priority) == ("any", 3)


@pytest.mark.parametrize("order", [("cpu", "cuda"), ("cuda", "cpu")])
def test_it_waits_for_any_device_where_two_differ(
    ada: Any, bob: Any, database: Database, order: Any
) -> None:
    ada.submit(**SPEC, seeds=1, device=order[0])
    bob.submit(**SPEC, seeds=1, device=order[1])
    assert _runs(database)[0].device == "any"


def test_in_one_request_too(ada: Any, database: Database) -> None:
    wishes = [{**SPEC, "seeds": seeds, **wish} for seeds, wish in zip((1, 2), WISHES, strict=True)]
    ada.submit_many(wishes)
    found = {seed: (run.device, run.priority) for seed, run in _runs(database).items()}
    assert found == {0: ("any", 3), 1: ("any", -2)}


def test_a_wish_that_goes_takes_its_terms_with_it(
    ada: Any, bob: Any, database: Database, announcer: Any
) -> None:
    ada.submit(**SPEC, seeds=1, **WISHES[0])
    theirs = bob.submit(**SPEC, seeds=1, **WISHES[1])
    told = len(announcer.told)
    theirs.cancel()
    (run,) = _runs(database).values()
    assert (run.device, run.priority, run.state) == ("cuda", 3, "queued")
    assert announcer.told[told:] == [run.id]  # those with that device have not heard of it


def test_those_who_may_take_it_now_are_told(
    ada: Any, bob: Any, database: Database, announcer: Any
) -> None:
    ada.submit(**SPEC, seeds=1, device="cuda")
    told = len(announcer.told)
    bob.submit(**SPEC, seeds=1)
    (run,) = _runs(database).values()
    assert announcer.told[told:] == [run.id]


def test_a_running_run_that_is_lost_waits_on_the_terms_of_now(
    lab: Lab, ada: Any, bob: Any, database: Database
) -> None:
    ada.submit(**SPEC, seeds=1, device="cuda")
    claim = lab.claim("cuda")
    bob.submit(**SPEC, seeds=1)
    assert claim is not None
    lab.let_go(claim)
    assert _runs(database)[0].device == "any"


def test_label_and_tags_are_those_of_who_reads_and_a_list_finds_any(
    ada: Any, bob: Any, eve: Any
) -> None:
    name = ada.submit(**SPEC, seeds=1, label="sweep", tags=["a"]).id
    bob.submit(**SPEC, seeds=1, label="mine", tags=["b"])
    seen = {
        who: (view.label, view.tags)
        for who, person in (("ada", ada), ("bob", bob), ("eve", eve))
        for view in [person.view(name)]
    }
    assert seen == {"ada": ("sweep", ["a"]), "bob": ("mine", ["b"]), "eve": ("sweep", ["a"])}
    for tag in ("a", "b"):
        assert [found.id for found in eve.experiments(tag=tag)] == [name]
    (listed,) = bob.experiments(tag="a")
    assert "'mine'" in repr(listed)
    assert list(eve.experiments(tag="c")) == []


def test_who_gives_no_words_sees_those_of_the_first(ada: Any, bob: Any) -> None:
    name = ada.submit(**SPEC, seeds=1, label="sweep", tags=["a"]).id
    bob.submit(**SPEC, seeds=1)
    assert (bob.view(name).label, bob.view(name).tags) == ("sweep", ["a"])


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        ("7", r"7 is not there.*of 0, 1"),
        ("0,7,9", r"7, 9 are not there.*of 0, 1"),
        ("", r"'' is no training seed"),
        ("0,,1", r"'' is no training seed"),
        ("x", r"'x' is no training seed"),
        ("-1", r"'-1' is no training seed"),
        ("0x1", r"'0x1' is no training seed"),
        ("\u0661", r"is no training seed"),
        ("1.0", r"'1.0' is no training seed"),
        ("9" * 5000, r"is no training seed"),
        ("0,0", r"has a seed twice"),
    ],
)
@pytest.mark.parametrize(
    "route", ["GET ", "GET /result", "POST /cancel", "POST /retry"], ids=lambda route: route
)
def test_seeds_that_are_none_or_not_there_are_refused(
    ada: Any, anonymous: TestClient, token: str, route: str, seeds: Any, message: str
) -> None:
    name = ada.submit(**SPEC, seeds=2).id
    method, action = route.split(" ")
    answer = anonymous.request(
        method,
        f"/v1/experiments/{name}{action}",
        params={"seeds": seeds},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_query")
    (problem,) = answer.json()["errors"]
    assert problem["field"] == "seeds"
    assert "0, 1" in problem["allowed"]
    assert re.search(message, f"{problem['message']} {problem['allowed']}")


def test_seeds_come_separated_by_commas_or_one_by_one(
    ada: Any, anonymous: TestClient, token: str
) -> None:
    name = ada.submit(**SPEC, seeds=3).id
    headers = {"Authorization": f"Bearer {token}"}
    for written in ("seeds=0,2", "seeds=2&seeds=0", "seeds=0%2C2"):
        view = anonymous.get(f"/v1/experiments/{name}?{written}", headers=headers).json()
        assert view["spec"]["seeds"] == [0, 2]
        assert [run["seed"] for run in view["runs"]] == [0, 2]
        assert view["run_counts"]["queued"] == 2


def test_more_seeds_than_one_may_ask_for_are_there_when_two_ask(
    lab: Lab, ada: Any, bob: Any
) -> None:
    mine = ada.submit(**SPEC, seeds=64)
    bob.submit(**SPEC, seeds=list(range(100, 164)))
    everything = ada.get(mine.id)
    assert len(everything.spec.seeds) == 128
    assert len(mine.spec.seeds) == 64


def test_progress_and_waiting_are_those_of_the_seeds(
    lab: Lab, ada: Any, bob: Any, database: Database
) -> None:
    mine = ada.submit(**SPEC, seeds=1, device="cuda")
    bob.submit(**SPEC, seeds=[5])
    claim = lab.claim()
    assert claim is not None
    assert claim.seed == 5
    with database.begin() as session:
        session.execute(update(RunRow).where(RunRow.seed == 5).values(fraction=0.5))
    view = ada.view(mine.id, seeds=[0])
    assert (view.state, view.progress) == ("queued", 0.0)
    assert "no worker" in view.waiting.reason
    assert ada.view(mine.id).progress == 0.25
    assert ada.view(mine.id).state == "running"


def test_the_place_in_line_is_that_of_whose_turn_it_is(lab: Lab, ada: Any, bob: Any) -> None:
    sweep = ada.submit(**SPEC, seeds=20)
    assert lab.claim() is not None
    mine = bob.submit(**SPEC, seeds=[30, 31])
    shared = bob.submit(**SPEC, seeds=[18, 19])
    # bob, ada, bob, ada and so on: what he shares with her is older, and his turn
    assert bob.view(shared.id, seeds=[18, 19]).waiting.place == 0
    assert bob.view(mine.id, seeds=[30, 31]).waiting.place == 4
    assert ada.view(sweep.id, seeds=[3]).waiting.place == 5


def test_an_unknown_experiment_is_unknown_whatever_the_seeds(ada: Any) -> None:
    with pytest.raises(ResponseError) as caught:
        ada.view("e-none", seeds=[1])
    assert caught.value.status == 404
