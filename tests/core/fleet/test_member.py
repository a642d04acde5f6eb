"""What a fleet refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rgcore.chain import make_chain
from rgcore.fleet import FleetError, train_fleet

SEQ_LEN = 6


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("steps", 13),
        ("batch_size", 4),
        ("mask_prob", 0.2),
        ("optimizer", "sgd"),
        ("schedule", "cosine"),
        ("momentum", 0.5),
    ],
)
def test_plans_that_differ_in_what_they_share_are_refused(
    field: str, value: Any, make_member: Any
) -> None:
    with pytest.raises(FleetError, match=rf"members\[1\]\.plan\.{field} is {value!r}; allowed: "):
        train_fleet([make_member(0), make_member(1, **{field: value})], seq_len=SEQ_LEN)


def test_another_architecture_is_refused(make_member: Any) -> None:
    with pytest.raises(FleetError, match=r"members\[1\]\.network\.arch is .*as of the first"):
        train_fleet([make_member(0), make_member(1, arch={"width": 6})], seq_len=SEQ_LEN)


def test_another_precision_is_refused(make_member: Any) -> None:
    with pytest.raises(FleetError, match=r"members\[2\]\.network\.dtype is torch.float32"):
        train_fleet([make_member(0), make_member(1), make_member(2, double=False)], seq_len=SEQ_LEN)


def test_one_network_twice_is_refused(make_member: Any) -> None:
    member = make_member(0)
    with pytest.raises(
        FleetError, match=r"members\[1\]\.network: it is the network of members\[0\]"
    ):
        train_fleet([member, replace(member, seed=1)], seq_len=SEQ_LEN)


def test_a_chain_of_other_states_than_the_network_is_refused(make_member: Any) -> None:
    chain = make_chain("potts", n_states=3, corr_len=2.0)
    with pytest.raises(FleetError, match=r"members\[1\]\.chain\.n_states is 3; allowed: 4"):
        train_fleet([make_member(0), replace(make_member(1), chain=chain)], seq_len=SEQ_LEN)


def test_a_fleet_of_none_is_done_at_once() -> None:
    assert train_fleet([], seq_len=SEQ_LEN) == []
