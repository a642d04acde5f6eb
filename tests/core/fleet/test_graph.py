"""Replayed gradients, with a recorder that needs no GPU in the place of CUDA's."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any, Never

import pytest
import torch
from devices import DEVICE

from rgcore.fleet.batches import FleetStream
from rgcore.fleet.forward import FleetForward
from rgcore.fleet.gradient import Gradient, gradient_of
from rgcore.fleet.graph import ReplayedGradient
from rgcore.fleet.stack import Stack
from rgcore.random import derive_generator
from rgcore.training import BatchStream

SEQ_LEN, BATCH_SIZE, MASK_PROB = 6, 3, 0.3
EXACT: dict[str, Any] = {"rtol": 0, "atol": 1e-12}
"""Zeros added to sums in float64."""


@pytest.fixture
def compute(make_member: Any) -> Any:
    """The plain gradient of three members."""
    members = [make_member(seed) for seed in range(3)]
    stack = Stack([member.network for member in members])
    return partial(gradient_of, stack, FleetForward(members[0].network.arch, stack.flat.detach()))


@pytest.fixture
def batches(make_member: Any) -> Any:
    """Ten batches for them."""
    streams = [
        BatchStream(
            make_member(seed).chain,
            BATCH_SIZE,
            SEQ_LEN,
            MASK_PROB,
            derive_generator(seed, "data"),
        )
        for seed in range(3)
    ]
    stream = FleetStream(streams, 10, DEVICE)
    return [stream.next() for _ in range(10)]


class Recorder:
    """Computes again at each replay, out of the tensors that were recorded."""

    def __init__(self, change: Any = lambda gradient: gradient) -> None:
        self.replays = 0
        self.change = change

    def __call__(self, compute: Any) -> Any:
        def replay() -> Any:
            self.replays += 1
            return self.change(compute())

        return replay


def cannot_record(compute: Any) -> Never:
    raise RuntimeError("operation not permitted when stream is capturing")


def doubled(gradient: Any) -> Any:
    return Gradient(gradient.losses, 2 * gradient.of_weights)


def assert_plain(replayed: Any, compute: Any, batches: Any) -> None:
    """What comes out is the plain gradient, batch by batch."""
    for batch in batches:
        found, expected = replayed(batch), compute(batch)
        torch.testing.assert_close(found.losses, expected.losses, **EXACT)
        torch.testing.assert_close(found.of_weights, expected.of_weights, **EXACT)


def test_a_replay_gives_the_gradient_of_each_batch(compute: Any, batches: Any) -> None:
    recorder = Recorder()
    assert_plain(ReplayedGradient(compute, MASK_PROB, recorder), compute, batches)
    assert recorder.replays == len(batches)


def test_losses_outlive_the_next_replay(compute: Any, batches: Any) -> None:
    recorded = []

    def record_once(compute: Any) -> Any:
        recorded.append(compute())
        return lambda: recorded[0]

    replayed = ReplayedGradient(compute, MASK_PROB, record_once)
    replayed(batches[0])
    losses = replayed(batches[1]).losses
    before = losses.clone()
    recorded[0].losses.fill_(9.0)
    assert torch.equal(losses, before)


def test_what_cannot_be_recorded_is_computed_plainly_after_one_warning(
    compute: Any, batches: Any
) -> None:
    replayed = ReplayedGradient(compute, MASK_PROB, cannot_record)
    with pytest.warns(RuntimeWarning, match="more slowly: it could not be recorded: operation"):
        replayed(batches[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_plain(replayed, compute, batches[1:])


def test_the_first_error_of_a_recording_is_the_one_that_is_told(compute: Any, batches: Any) -> None:
    def ends_badly(compute: Any) -> Never:
        try:
            raise RuntimeError("aten::nonzero waits for the device")
        finally:
            raise RuntimeError("operation failed due to a previous error during capture")

    with pytest.warns(RuntimeWarning, match="nonzero waits for the device"):
        ReplayedGradient(compute, MASK_PROB, ends_badly)(batches[0])


def test_a_recording_that_is_wrong_is_not_used(compute: Any, batches: Any) -> None:
    recorder = Recorder(change=doubled)
    replayed = ReplayedGradient(compute, MASK_PROB, recorder)
    with pytest.warns(RuntimeWarning, match="gives another gradient"):
        replayed(batches[0])
    assert_plain(replayed, compute, batches[1:])
    assert recorder.replays == 1


def test_a_batch_with_more_hidden_places_than_room_is_computed_plainly(
    compute: Any, batches: Any
) -> None:
    recorder = Recorder()
    crowded = max(batches, key=lambda batch: batch.rows.shape[1])
    sparse = min(batches, key=lambda batch: batch.rows.shape[1])
    replayed = ReplayedGradient(compute, 1e-9, recorder)  # room for no more than the first has
    assert_plain(replayed, compute, [sparse, crowded])
    assert recorder.replays == 1


def test_a_member_whose_gradient_is_not_finite_does_not_speak_against_a_recording(
    compute: Any, batches: Any
) -> None:
    def broken(batch: Any) -> Any:
        found = compute(batch)
        found.of_weights[1] = torch.nan
        return found

    recorder = Recorder()
    replayed = ReplayedGradient(broken, MASK_PROB, recorder)
    replayed(batches[0])
    replayed(batches[1])
    assert recorder.replays == 2
