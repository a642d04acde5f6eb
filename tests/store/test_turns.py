"""The order of turns, without a database: the rule, and how far it can be foreseen."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rgstore.turns import Standing, order, turns_before

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def _at(minute: float) -> datetime:
    return NOON + timedelta(minutes=minute)


def _names(*standings: Standing) -> list[str]:
    return [one.user for one in order(standings)]


def test_who_has_had_the_least_goes_first() -> None:
    ada = Standing("ada", _at(0), had=20, last_turn=_at(8))
    bob = Standing("bob", _at(1), had=10, last_turn=_at(9))
    assert _names(ada, bob) == ["bob", "ada"]


def test_of_two_who_have_had_the_same_the_one_whose_turn_was_earlier_goes_first() -> None:
    ada = Standing("ada", _at(0), had=10, last_turn=_at(9))
    bob = Standing("bob", _at(1), had=10, last_turn=_at(8))
    assert _names(ada, bob) == ["bob", "ada"]
    assert _names(replace(ada, last_turn=_at(8)), bob) == ["ada", "bob"]  # who waits longer


def test_nobody_waits_for_more_than_one_turn_of_another_however_much_they_have_had() -> None:
    ada = Standing("ada", _at(0), had=10, last_turn=_at(8))
    bob = Standing("bob", _at(9), had=500, last_turn=_at(2))
    assert _names(ada, bob) == ["ada", "bob"]  # the turn of ada's was before he began to wait
    assert _names(replace(ada, last_turn=_at(9)), bob) == ["bob", "ada"]


def test_who_asks_again_and_again_gets_no_more_turns_than_the_others() -> None:
    """Of four people one has a single run in line whenever the last was claimed."""
    people = {name: Standing(name, _at(0), last_turn=_at(0)) for name in ("ada", "bob", "cyd")}
    turns = dict.fromkeys([*people, "dan"], 0)
    for minute in range(1, 401):
        people.setdefault("dan", Standing("dan", _at(minute - 0.5), 9e9, _at(minute - 1)))
        user = order(people.values())[0].user
        turns[user] += 1
        if user == "dan":
            del people[user]
        else:
            one = people[user]
            people[user] = replace(one, had=one.had + 1, last_turn=_at(minute))
    assert turns == dict.fromkeys(turns, 100)


def _played(runs: list[tuple[Standing, int]], cost: float) -> list[str]:
    """Turn after turn, by the rule: who takes each."""
    left = {one.user: n for one, n in runs}
    standings = {one.user: one for one, _ in runs}
    turns = []
    while any(left.values()):
        user = order([one for one in standings.values() if left[one.user]])[0].user
        turns.append(user)
        left[user] -= 1
        taken_at = _at(100 + len(turns))
        one = standings[user]
        standings[user] = replace(one, had=one.had + cost, last_turn=taken_at)
    return turns


@pytest.mark.parametrize("seed", range(200))
def test_what_is_foreseen_is_what_comes(seed: int) -> None:
    rng = random.Random(seed)
    cost = rng.choice([1.0, 2.0, 5.0])  # as what they have had: many are equal
    runs = [
        (
            Standing(
                name,
                _at(rng.randrange(8)),
                float(rng.randrange(12)),
                None if rng.random() < 0.2 else _at(rng.randrange(8)),
            ),
            rng.randint(1, 7),
        )
        for name in "abcdef"[: rng.randint(1, 6)]
    ]
    turns = _played(runs, cost)
    for one, n in runs:
        of_user = [place for place, user in enumerate(turns) if user == one.user]
        foreseen = [turns_before(runs, one.user, earlier, cost=cost) for earlier in range(n)]
        assert foreseen == of_user, (one.user, runs)
