"""Trained by the kernels and by torch: the same, apart from rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rgcore.fleet import train_fleet
from rgcore.training import OPTIMIZERS, SCHEDULES

SEQ_LEN = 6
ROUNDING = 1e-5
"""Of a loss, and of the largest weight. Float32 rounds to 6e-8; Adam divides by roots of small
gradients, which makes more of it. Seen: 2e-6."""
CLIPS = (None, 0.05, 100.0)
"""None, one that always bites, one that never does."""


def both(make_member: Any, native: Any, **own: Any) -> Any:
    """Two members alike, one trained by torch and one by the kernels, and their traces."""
    torchs, ours = make_member(0, **own), make_member(0, **own)
    (wanted,) = train_fleet([torchs], seq_len=SEQ_LEN)
    (found,) = train_fleet([ours], seq_len=SEQ_LEN, backend=native)
    return torchs, wanted, ours, found


def furthest(one: Any, other: Any) -> float:
    """The largest difference of two members' weights, relative to the largest weight."""
    pairs = zip(one.network.parameters(), other.network.parameters(), strict=True)
    largest = max(weight.abs().max().item() for weight in other.network.parameters())
    return float(max((a - b).abs().max().item() for a, b in pairs) / largest)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_optimizer_schedule_and_clipping_gives_torchs_weights(
    optimizer: str, schedule: str, native: Any, make_member: Any
) -> None:
    for clip in CLIPS:
        plan = {"optimizer": optimizer, "schedule": schedule, "grad_clip": clip}
        torchs, wanted, ours, found = both(make_member, native, **plan)
        np.testing.assert_array_equal(found.steps, wanted.steps)
        np.testing.assert_allclose(found.losses, wanted.losses, rtol=ROUNDING, err_msg=str(clip))
        assert furthest(ours, torchs) < ROUNDING, clip


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_losses_are_torchs_over_200_steps(optimizer: str, native: Any, make_member: Any) -> None:
    _, wanted, _, found = both(make_member, native, steps=200, optimizer=optimizer)
    assert len(found.losses) == 200
    np.testing.assert_allclose(found.losses, wanted.losses, rtol=ROUNDING)


@pytest.mark.parametrize("flush", [True, False])
def test_subnormal_weights_are_flushed_whatever_the_caller_does(
    flush: bool, native: Any, make_member: Any
) -> None:
    # without a context a hidden place sees itself alone: nobody reads the other rows of the
    # embedding, which decay to a tenth at each step, to 1e-42 after all of them
    plan = {"lr": 0.9, "weight_decay": 1.0, "schedule": "constant", "steps": 42}
    member = make_member(0, arch={"context": 0}, **plan)
    torch.set_flush_denormal(flush)
    train_fleet([member], seq_len=SEQ_LEN, backend=native)
    kept = (torch.tensor(1e-40) * 1.0).item() != 0.0
    torch.set_flush_denormal(False)
    assert kept is not flush  # the mode is the caller's again
    embedding = member.network.get_parameter("stem.embedding")
    hidden = member.network.arch.mask_id
    assert [bool(row.any()) for row in embedding] == [
        id_ == hidden for id_ in range(len(embedding))
    ]
