"""A fleet gives what each of its members gives by itself, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rgcore.fleet import train_fleet
from rgcore.training import Progress, TrainingTrace

EXACT = 1e-9
"""Rounding leaves 1e-15; Adam, which divides by sqrt(v) + 1e-8, makes more of a small gradient."""
SEQ_LEN = 6
CASES = [
    ("context", "layer", "adamw", "gelu", "one_cycle"),
    ("context", "rms", "sgd", "tanh", "cosine"),
    ("context", "none", "adam", "relu", "constant"),
    ("flat", "layer", "adam", "silu", "one_cycle"),
    ("flat", "rms", "adamw", "gelu", "constant"),
    ("flat", "none", "sgd", "tanh", "cosine"),
    ("mixer", "layer", "sgd", "relu", "cosine"),
    ("mixer", "rms", "adam", "silu", "constant"),
    ("mixer", "none", "adamw", "gelu", "one_cycle"),
    ("window", "layer", "adamw", "tanh", "constant"),
    ("window", "rms", "sgd", "relu", "one_cycle"),
    ("window", "none", "adam", "silu", "cosine"),
]
"""Each mixing, norm and optimizer with each of the two others."""


@pytest.mark.parametrize(("mixing", "norm", "optimizer", "activation", "schedule"), CASES)
def test_each_member_ends_with_the_weights_and_losses_of_its_own_run(
    mixing: Any,
    norm: Any,
    optimizer: Any,
    activation: Any,
    schedule: Any,
    make_member: Any,
    trained_alone: Any,
    furthest_apart: Any,
) -> None:
    arch = {"mixing": mixing, "norm": norm, "activation": activation}

    def members() -> Any:
        return [
            make_member(seed, arch=arch, optimizer=optimizer, schedule=schedule)
            for seed in range(4)
        ]

    fleet, alone = members(), members()
    traces = train_fleet(fleet, seq_len=SEQ_LEN)
    for together, by_itself, trace in zip(fleet, alone, traces, strict=True):
        expected = trained_alone(by_itself)
        assert furthest_apart(together, by_itself) < EXACT
        assert isinstance(trace, TrainingTrace)
        np.testing.assert_array_equal(trace.steps, expected.steps)
        np.testing.assert_allclose(trace.losses, expected.losses, rtol=0, atol=EXACT)


@pytest.mark.parametrize(
    "seeds",
    [(0,), (0, 1), (1, 0), (0, 1, 2, 3, 4), (3, 1, 0, 2, 4), (4, 3, 2, 1, 0)],
    ids=str,
)
def test_neither_size_nor_place_in_the_fleet_matters(
    seeds: Any, make_member: Any, trained_alone: Any, furthest_apart: Any
) -> None:
    alone = make_member(0)
    trained_alone(alone)
    fleet = [make_member(seed) for seed in seeds]
    train_fleet(fleet, seq_len=SEQ_LEN)
    assert furthest_apart(fleet[seeds.index(0)], alone) < EXACT


def test_sgd_without_momentum_agrees_too(
    make_member: Any, trained_alone: Any, furthest_apart: Any
) -> None:
    fleet = [make_member(seed, optimizer="sgd", momentum=0.0) for seed in range(2)]
    alone = make_member(1, optimizer="sgd", momentum=0.0)
    train_fleet(fleet, seq_len=SEQ_LEN)
    trained_alone(alone)
    assert furthest_apart(fleet[1], alone) < EXACT


def test_a_mixer_under_layer_norm_agrees_but_for_a_bias_that_changes_nothing(
    make_member: Any, trained_alone: Any
) -> None:
    # `token_leave.bias` moves all channels alike, which the norm takes out: its gradient is
    # rounding, 1e-17, over the 1e-8 of Adam.
    fleet = [make_member(seed, arch={"mixing": "mixer"}) for seed in range(2)]
    alone = make_member(1, arch={"mixing": "mixer"})
    train_fleet(fleet, seq_len=SEQ_LEN)
    trained_alone(alone)
    together = dict(fleet[1].network.named_parameters())
    assert all(
        (together[name] - parameter).abs().max() < EXACT
        for name, parameter in alone.network.named_parameters()
        if not name.endswith("token_leave.bias")
    )


def test_batches_without_a_hidden_token_are_treated_alike(
    make_member: Any, trained_alone: Any, furthest_apart: Any
) -> None:
    fleet = [make_member(seed, mask_prob=0.01) for seed in range(3)]
    alone = make_member(2, mask_prob=0.01)
    train_fleet(fleet, seq_len=SEQ_LEN)
    trained_alone(alone)
    assert furthest_apart(fleet[2], alone) < EXACT


def test_progress_is_that_of_a_run_by_itself(make_member: Any, trained_alone: Any) -> None:
    together: list[tuple[int, Progress]] = []
    alone: list[Progress] = []
    train_fleet(
        [make_member(0), make_member(1)],
        seq_len=SEQ_LEN,
        on_progress=lambda index, progress: together.append((index, progress)),
        progress_every=5,
    )
    trained_alone(make_member(1), on_progress=alone.append, progress_every=5)
    of_second = [progress for index, progress in together if index == 1]
    assert [(p.step, p.steps) for p in of_second] == [(p.step, p.steps) for p in alone]
    assert [p.loss for p in of_second] == pytest.approx([p.loss for p in alone], abs=EXACT)


@pytest.mark.parametrize("size", [1, 3])
def test_at_a_stop_a_network_has_the_weights_of_that_moment(
    size: int, make_member: Any, trained_alone: Any, furthest_apart: Any
) -> None:
    seen, expected = {}, {}

    def weights(member: Any) -> Any:
        return [p.detach().clone() for p in member.network.parameters()]

    fleet = [make_member(seed, stops=(seed + 3, 9)) for seed in range(size)]
    train_fleet(
        fleet,
        seq_len=SEQ_LEN,
        on_stop=lambda index, step: seen.update({(index, step): weights(fleet[index])}),
    )
    for index in range(size):
        alone = make_member(index)
        trained_alone(
            alone,
            stops=(index + 3, 9),
            on_stop=lambda step, index=index, alone=alone: expected.update(
                {(index, step): weights(alone)}
            ),
        )
    assert seen.keys() == expected.keys()
    assert all(
        (a - b).abs().max() < EXACT
        for at in expected
        for a, b in zip(seen[at], expected[at], strict=True)
    )


def test_what_is_done_to_a_network_at_a_stop_does_not_last(
    make_member: Any, trained_alone: Any, furthest_apart: Any
) -> None:
    fleet = [make_member(0, stops=(4,)), make_member(1)]

    def wipe(index: Any, step: Any) -> None:
        for parameter in fleet[index].network.parameters():
            parameter.data.zero_()

    train_fleet(fleet, seq_len=SEQ_LEN, on_stop=wipe)
    alone = make_member(0)
    trained_alone(alone)
    assert furthest_apart(fleet[0], alone) < EXACT
