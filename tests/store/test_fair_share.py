"""Claims take turns between people who share a lab; the clock is set, and each claim is a fleet."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from set_clock import NOON, SetClock
from sqlalchemy import select

from rgcontract import DEVICES, Outcome, State
from rgstore import endings, people, wishes
from rgstore.claiming import Claim, Holder, claim_fleet
from rgstore.database import Database
from rgstore.line import Line, place_in_line, whose_turn
from rgstore.tables import RunRow
from rgstore.turns import NEVER

LENGTHS = count(2)
"""Correlation lengths that nobody has asked for."""
DEEP, DEEPER = {"depth": 3}, {"depth": 4}
"""Two shapes."""


def _spec(**fields: Any) -> dict[str, Any]:
    return {"chain": {"corr_len": float(next(LENGTHS))}, **fields}


def _four_chains() -> dict[str, Any]:
    return {"chain": {"corr_len": float(next(LENGTHS)), "seeds": 4}}


@pytest.fixture
def clock(database: Database) -> SetClock:
    """It stands at noon."""
    made = SetClock(database)
    made.at(NOON)
    return made


@dataclass
class Trainer:
    """One trainer: it takes a fleet, is busy with it for a while, and takes the next."""

    database: Database
    take_fleet: Any
    clock: SetClock

    def claim(self, size: int = 1, **how: Any) -> list[Claim]:
        claims: list[Claim] = self.take_fleet(size, lease=9e6, **how)
        return claims

    def end(self, claims: list[Claim]) -> None:
        with self.database.begin() as session:
            for claim in claims:
                endings.fail(session, claim, outcome=Outcome.FAILED, error="over")

    def work(self, size: int = 1, *, seconds: float = 10, **how: Any) -> list[str]:
        """Claim, train and end one fleet. Returns who wants its runs, in the order of claims."""
        claims = self.claim(size, **how)
        whose = self.whose(claims)
        self.clock.forward(seconds=seconds)
        self.end(claims)
        return whose

    def whose(self, claims: list[Claim]) -> list[str]:
        with self.database.begin() as session:
            runs = [session.get_one(RunRow, claim.run_id) for claim in claims]
            return ["+".join(run.wanted_by) for run in runs]

    def place(self, *run_ids: int) -> int:
        with self.database.begin() as session:
            runs = [session.get_one(RunRow, run_id) for run_id in run_ids]
            return place_in_line(session, runs)[1]


@pytest.fixture
def trainer(database: Database, take_fleet: Any, clock: SetClock) -> Trainer:
    """Of a lab that has no other."""
    return Trainer(database, take_fleet, clock)


def test_a_single_run_waits_for_no_second_fleet_of_another(put: Any, trainer: Trainer) -> None:
    put(50, owner="ada", model=DEEP, **_four_chains())
    assert trainer.work(10) == ["ada"] * 10
    (mine,) = put(owner="bob", model=DEEPER, **_spec()).run_ids
    assert trainer.place(mine) == 0
    assert trainer.work(10) == ["bob"]
    assert trainer.work(10) == ["ada"] * 10


def test_nor_does_one_of_somebody_who_has_had_far_more(put: Any, trainer: Trainer) -> None:
    put(owner="bob", **_spec())
    assert trainer.work(seconds=1800) == ["bob"]
    put(50, owner="ada", model=DEEP, **_four_chains())
    put(50, owner="cyd", model=DEEP, **_four_chains())
    trainer.clock.forward(seconds=1)
    (mine,) = put(owner="bob", model=DEEPER, **_spec()).run_ids
    assert trainer.place(mine) == 2  # one turn of each
    assert {*trainer.work(10)} == {"ada"}
    assert {*trainer.work(10)} == {"cyd"}
    assert trainer.place(mine) == 0
    assert trainer.work(10) == ["bob"]


def test_equal_demand_gets_equal_shares_whatever_the_length_of_the_runs(
    put: Any, trainer: Trainer
) -> None:
    seconds = {"ada": 30.0, "bob": 10.0, "cyd": 20.0}
    for name in seconds:
        put(30, owner=name, **_spec())
    had: Counter[str] = Counter()
    for _ in range(30):
        claims = trainer.claim()
        (name,) = trainer.whose(claims)
        trainer.clock.forward(seconds=seconds[name])
        trainer.end(claims)
        had[name] += int(seconds[name])
    assert max(had.values()) - min(had.values()) <= max(seconds.values())
    assert min(had.values()) > 100


def test_what_somebody_had_is_made_good_to_the_others_and_forgotten_in_an_hour(
    put: Any, trainer: Trainer
) -> None:
    put(20, owner="ada", **_spec())
    trainer.work(seconds=35)
    put(20, owner="bob", **_spec())
    put(20, owner="cyd", **_spec())
    assert [trainer.work() for _ in range(9)] == [
        ["bob"], ["cyd"], ["bob"], ["cyd"], ["bob"], ["cyd"], ["bob"], ["cyd"], ["ada"]
    ]  # fmt: skip
    trainer.clock.forward(hours=1)
    turns = [trainer.work()[0] for _ in range(6)]
    assert Counter(turns[:3]) == Counter(turns[3:]) == Counter(["ada", "bob", "cyd"])


def test_only_the_part_of_a_run_that_lies_in_the_last_hour_counts(
    put: Any, trainer: Trainer
) -> None:
    for name in ("ada", "bob"):
        put(9, owner=name, **_spec())
    trainer.work(seconds=4000)  # ada's: the last 3,600 s of it
    trainer.work(seconds=3000)  # bob's: of hers 600 s are left
    assert trainer.work() == ["ada"]


def test_trainers_that_start_together_are_shared_out(put: Any, trainer: Trainer) -> None:
    """What has just been claimed counts at once, though no time has gone by."""
    for name in ("ada", "bob", "cyd"):
        put(9, owner=name, **_spec())
    claims = [trainer.claim(worker=f"w{index}") for index in range(6)]
    assert Counter(trainer.whose([claim for (claim,) in claims])) == {"ada": 2, "bob": 2, "cyd": 2}


def test_who_is_training_now_has_had_that_much(put: Any, trainer: Trainer) -> None:
    put(9, owner="ada", **_spec())
    put(9, owner="bob", **_spec())
    trainer.claim(worker="w1")  # ada's
    trainer.clock.forward(seconds=60)
    assert [trainer.work(seconds=9) for _ in range(5)] == [["bob"]] * 5


def test_a_fleet_counts_once_and_not_for_each_of_its_runs(put: Any, trainer: Trainer) -> None:
    put(20, owner="ada", model=DEEP, **_spec())
    put(20, owner="bob", model=DEEPER, **_spec())
    assert trainer.work(10, seconds=30) == ["ada"] * 10
    assert [trainer.work(1, seconds=10) for _ in range(4)] == [["bob"], ["bob"], ["bob"], ["ada"]]


def test_priority_goes_before_turns_and_turns_are_taken_within_it(
    put: Any, trainer: Trainer
) -> None:
    put(owner="cyd", **_spec())
    put(4, owner="ada", priority=5, **_spec())
    trainer.work(seconds=100)
    put(2, owner="bob", priority=5, **_spec())
    assert [trainer.work() for _ in range(6)] == [
        ["bob"], ["bob"], ["ada"], ["ada"], ["ada"], ["cyd"]
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_runs_for_another_device_hold_nobody_up(put: Any, trainer: Trainer, kind: str) -> None:
    other = "cuda" if kind == "cpu" else "cpu"
    put(30, owner="ada", device=other, priority=9, **_spec())
    put(30, owner="ada", device=kind, **_spec())
    trainer.work(kind=kind)
    trainer.clock.forward(seconds=1)
    either = put(owner="bob", **_spec()).run_ids
    (own,) = put(owner="cyd", device=kind, **_spec()).run_ids
    assert (trainer.place(*either), trainer.place(own)) == (0, 1)
    assert [trainer.work(kind=kind) for _ in range(3)] == [["bob"], ["cyd"], ["ada"]]


def test_a_fleet_takes_their_own_runs_first_and_then_those_of_whose_turn_comes_next(
    put: Any, trainer: Trainer
) -> None:
    put(20, owner="ada", model=DEEP, **_spec())
    put(1, owner="ada", model=DEEPER, **_spec())
    trainer.work(2)
    trainer.clock.forward(seconds=1)
    put(2, owner="bob", model=DEEP, **_spec())
    put(1, owner="bob", device="cpu", model=DEEP, **_spec())
    put(1, owner="bob", model=DEEPER, **_spec())
    put(2, owner="cyd", model=DEEP, **_spec())
    assert trainer.work(8) == ["bob"] * 3 + ["cyd"] * 2 + ["ada"] * 3


def test_what_several_want_belongs_to_whoever_goes_first_and_is_paid_by_all(
    put: Any, trainer: Trainer
) -> None:
    shared = _spec()
    put(9, owner="ada", **_spec())
    trainer.work(seconds=20)
    put(2, owner="ada", **shared)
    put(2, owner="bob", **shared)
    put(9, owner="cyd", **_spec())
    # bob has had nothing: it is his turn, and costs 15 s each: then ada has had 35 s
    assert trainer.work(seconds=30) == ["ada+bob"]
    assert [trainer.work(seconds=10) for _ in range(4)] == [["cyd"], ["cyd"], ["ada+bob"], ["cyd"]]
    assert [trainer.work(seconds=10) for _ in range(3)] == [["cyd"], ["ada"], ["cyd"]]


def test_a_run_that_a_co_owner_withdraws_is_the_others_alone(
    database: Database, put: Any, trainer: Trainer
) -> None:
    shared = _spec()
    name = put(2, owner="ada", **shared).experiment_id
    put(2, owner="bob", **shared)
    put(9, owner="cyd", **_spec())
    (claim,) = trainer.claim()
    with database.begin() as session:
        wishes.withdraw(session, [name], "bob")
    assert trainer.whose([claim]) == ["ada"]
    trainer.clock.forward(seconds=25)
    trainer.end([claim])
    put(9, owner="bob", **_spec())  # nothing of it was for him
    turns = [trainer.work()[0] for _ in range(6)]
    assert turns == ["cyd", "bob", "cyd", "bob", "cyd", "bob"]


def test_what_someone_wanted_who_is_disabled_has_its_turn(
    database: Database, put: Any, trainer: Trainer
) -> None:
    put(9, owner="ada", **_spec())
    trainer.work()
    put(2, owner="bob", **_spec())
    with database.begin() as session:
        people.add_user(session, "root")
        people.add_user(session, "bob")
        people.change_user(session, "bob", disabled=True)
    assert [trainer.work() for _ in range(3)] == [["bob"], ["ada"], ["bob"]]


def test_two_that_claim_at_the_same_moment_take_turns_of_two_people(
    database: Database, put: Any, trainer: Trainer
) -> None:
    put(9, owner="ada", **_spec())
    trainer.work(seconds=50)
    for name in ("bob", "cyd"):
        put(9, owner=name, **_spec())
    with database.begin() as one:
        first = _claim_in(one, "w1")
        with database.begin() as two, database.begin() as three:
            second, third = _claim_in(two, "w2"), _claim_in(three, "w3")
    assert trainer.whose([first, second, third]) == ["bob", "cyd", "ada"]


def _claim_in(session: Any, worker: str) -> Claim:
    holder = Holder(f"{worker}/1", worker, "h", "cpu", {}, {})
    (claim,) = claim_fleet(session, holder, lease_seconds=30, size_of=lambda _: 1, share=1)
    return claim


def _line(name: str) -> Line:
    return Line([name], "any", 0, NOON, 1, payer=name)


def test_a_turn_that_another_has_taken_meanwhile_is_seen() -> None:
    """Between the reading of the lines and the taking of the turn it was committed."""
    readings = iter([[_line("ada"), _line("bob")], [_line("bob"), _line("ada")]] * 2)
    taken = []

    def take(name: str) -> bool:
        taken.append(name)
        return True

    assert [line.payer for line in whose_turn(lambda: next(readings), take)] == ["ada", "bob"]
    assert taken == ["ada", "bob"]


def test_where_all_turns_are_being_taken_nobody_goes_without() -> None:
    lines = [_line("ada"), _line("bob")]
    assert whose_turn(lambda: lines, lambda _: False) == lines


def test_the_place_of_a_run_is_how_many_claims_come_first(put: Any, trainer: Trainer) -> None:
    """Three people who have had unequally much, one of them asking anew: claim by claim."""
    put(3, owner="ada", **_spec())
    for _ in range(2):
        trainer.work(seconds=20)
    put(3, owner="bob", **_spec())
    trainer.work(seconds=20)
    trainer.clock.forward(seconds=1)
    put(4, owner="ada", **_spec())
    put(2, owner="ada", priority=3, **_spec())
    put(3, owner="bob", **_spec())
    put(4, owner="cyd", **_spec())
    trainer.clock.forward(seconds=1)
    waiting = [run for run in _runs(trainer.database) if run.state == State.QUEUED]
    places = {run.id: trainer.place(run.id) for run in waiting}
    claimed = []
    for _ in waiting:
        (claim,) = trainer.claim()
        claimed.append(claim.run_id)
        trainer.clock.forward(seconds=20)
        trainer.end([claim])
    assert [places[run_id] for run_id in claimed] == [*range(len(waiting))]
    assert trainer.place(claimed[0]) == 0  # it waits no more


@dataclass
class Tried:
    """An attempt at a run, as the model remembers it."""

    run_id: int
    began: datetime
    ended: datetime | None = None


class Model:
    """The same lab in plain Python: every attempt and every wish, looked through for each claim."""

    def __init__(self) -> None:
        self.tried: list[Tried] = []

    def claimed(self, runs: list[RunRow], kind: str, now: datetime) -> list[int]:
        """The run that a worker of a kind of device takes, if there is one for it."""
        mine = [run for run in runs if run.state == State.QUEUED and run.device in ("any", kind)]
        highest = [run for run in mine if run.priority == max(one.priority for one in mine)]
        people = {user for run in highest for user in run.wanted_by}
        since = {
            user: min(run.queued_at for run in highest if user in run.wanted_by) for user in people
        }
        had = {user: self.had(runs, user, now) for user in people}
        anew = [since[user] for user in people if had[user][1] < since[user]]

        def key(user: str) -> Any:
            seconds, last = had[user]
            return bool(anew) and last >= min(anew), round(seconds, 6), last, since[user], user

        def first(run: RunRow) -> Any:
            return min(key(user) for user in run.wanted_by), run.queued_at, run.id

        return [min(highest, key=first).id] if highest else []

    def had(self, runs: list[RunRow], user: str, now: datetime) -> tuple[float, datetime]:
        """Seconds in the last hour, and the last turn."""
        seconds, last = 0.0, NEVER
        wanted_by = {run.id: run.wanted_by for run in runs}
        hour_ago = now - timedelta(hours=1)
        for one in self.tried:
            people = wanted_by[one.run_id]
            if user in people and (one.ended is None or one.ended > hour_ago):
                lasted = ((one.ended or now) - max(one.began, hour_ago)).total_seconds()
                seconds += max(lasted, 1.0) / len(people)
                last = max(last, one.began)
        return seconds, last


@pytest.mark.parametrize("seed", [1, 2])
def test_claims_are_those_of_a_plain_model(
    database: Database, put: Any, trainer: Trainer, seed: int
) -> None:
    """A walk: people ask, some for the same, withdraw, and workers of both kinds claim and end."""
    rng = random.Random(seed)
    specs = [_spec() for _ in range(6)]
    model, now = Model(), NOON
    at_work: dict[int, tuple[Claim, Tried]] = {}
    for _ in range(80):
        owner, runs = rng.choice(["ada", "bob", "cyd"]), _runs(database)
        action = rng.choice(["ask", "ask", "claim", "claim", "claim", "end", "withdraw"])
        if action == "ask":
            words = {"priority": rng.choice([0, 0, 1]), "device": rng.choice([*DEVICES])}
            put(rng.randint(1, 5), owner=owner, **rng.choice(specs), **words)
        elif action == "withdraw" and runs:
            with database.begin() as session:
                wishes.withdraw(session, [rng.choice(runs).experiment_id], owner)
        elif action == "end" and at_work:
            claim, tried = at_work.pop(rng.choice([*at_work]))
            trainer.end([claim])
            tried.ended = now
        elif action == "claim":
            kind = rng.choice(["cpu", "cuda"])
            claims = trainer.claim(kind=kind)
            assert [claim.run_id for claim in claims] == model.claimed(runs, kind, now)
            for claim in claims:
                at_work[claim.run_id] = claim, Tried(claim.run_id, now)
                model.tried.append(at_work[claim.run_id][1])
        step = rng.choice([1.0, 30.0, 900.0])
        trainer.clock.forward(seconds=step)
        now += timedelta(seconds=step)
    assert len(model.tried) > 15


def _runs(database: Database) -> list[RunRow]:
    with database.begin() as session:
        return list(session.scalars(select(RunRow).order_by(RunRow.id)))
