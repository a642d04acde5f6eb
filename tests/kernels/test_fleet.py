"""Members in one fleet of the kernels: each as if it were by itself, and as with torch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from rgcore.fleet import train_fleet
from rgcore.training import DivergedError, TrainingTrace

SEQ_LEN = 6
WILD = {"lr": 1e30, "grad_clip": None, "optimizer": "sgd"}


def weights(member: Any) -> torch.Tensor:
    return torch.cat([weight.detach().reshape(-1) for weight in member.network.parameters()])


def alone(member: Any, native: Any) -> torch.Tensor:
    train_fleet([member], seq_len=SEQ_LEN, backend=native)
    return weights(member)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_member_is_the_same_bit_for_bit_among_any_others_on_any_threads(
    threads: int, native: Any, make_member: Any
) -> None:
    expected = {seed: alone(make_member(seed), native) for seed in range(4)}
    torch.set_num_threads(threads)
    for seeds in ([0, 1, 2, 3], [3, 0], [2, 1, 0]):
        members = [make_member(seed) for seed in seeds]
        train_fleet(members, seq_len=SEQ_LEN, backend=native)
        for seed, member in zip(seeds, members, strict=True):
            assert torch.equal(weights(member), expected[seed])


def test_one_that_diverges_ends_as_with_torch_and_leaves_the_others_alone(
    native: Any, make_member: Any
) -> None:
    def fleet() -> list[Any]:
        plan = {"optimizer": "sgd", "steps": 410}
        return [make_member(0, **plan), make_member(1, **{**plan, **WILD}), make_member(2, **plan)]

    ours, torchs = fleet(), fleet()
    found = train_fleet(ours, seq_len=SEQ_LEN, backend=native)
    wanted = train_fleet(torchs, seq_len=SEQ_LEN)
    assert [type(one) for one in found] == [TrainingTrace, DivergedError, TrainingTrace]
    assert str(found[1]) == str(wanted[1])
    for place, seed in ((0, 0), (2, 2)):
        assert torch.equal(
            weights(ours[place]), alone(make_member(seed, optimizer="sgd", steps=410), native)
        )


@pytest.mark.parametrize("norm", ["layer", "none", "rms"])
def test_weights_that_are_no_numbers_end_as_with_torch(
    norm: str, native: Any, make_member: Any
) -> None:
    def end(name: str, value: float, backend: Any) -> str:
        member = make_member(0, arch={"norm": norm, "activation": "relu"})
        member.network.get_parameter(name).data.view(-1)[0] = value
        (found,) = train_fleet([member], seq_len=SEQ_LEN, backend=backend)
        return str(found)

    for name in ("stem.embedding", "blocks.1.enter.weight", "head.bias"):
        for value in (float("nan"), float("inf")):
            assert end(name, value, native) == end(name, value, None), (name, value)


def test_it_shows_the_weights_at_stops_and_lets_members_leave(
    native: Any, make_member: Any
) -> None:
    members = [make_member(seed, stops=[10, 40]) for seed in (0, 1)]
    seen: dict[tuple[int, int], torch.Tensor] = {}

    def look(index: int, step: int) -> None:
        seen[index, step] = weights(members[index])

    found = train_fleet(
        members,
        seq_len=SEQ_LEN,
        backend=native,
        on_stop=look,
        leaving=lambda: {1},
        progress_every=20,
    )
    assert isinstance(found[0], TrainingTrace)
    assert found[1] is None
    assert sorted(seen) == [(0, 10), (0, 40), (1, 10)]
    assert torch.equal(seen[0, 40], weights(members[0]))
    assert not torch.equal(seen[0, 10], seen[0, 40])


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"mixing": "flat"}, "mixing flat"), ({"mixing": "window"}, "mixing window"), ({}, None)],
)
def test_what_it_does_not_take_is_said(
    change: Any, reason: str | None, native: Any, make_member: Any
) -> None:
    assert native.refuses([make_member(0, arch=change)]) == reason


def test_it_takes_no_other_precision(native: Any, make_member: Any) -> None:
    member = make_member(0)
    assert native.refuses([replace(member, network=member.network.double())]) == "precision float64"


def test_too_little_memory_is_an_error_and_no_crash(native: Any, make_member: Any) -> None:
    length, sequences = 1_518_494_220, 1_518_506_280  # their bytes are a few more than 2**64
    member = make_member(0, arch={"seq_len": length}, batch_size=sequences)
    with pytest.raises(MemoryError):
        native.start([member], seq_len=length)
