"""Stage `agreement`: whether the device trains and measures what a CPU trains and measures.

The CPU's numbers come first: its plain loop, which trains one network after another. In float64
whatever is left of a difference is a mistake; float32 is what runs are computed in.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.gpu.part import Part
from benchmarks.gpu.problems import MEMBERS, members, small
from benchmarks.gpu.setting import CPU, NOT_HERE, Setting
from benchmarks.gpu.tolerances import LOSS, compared
from benchmarks.shapes import Problem
from rgcore.fleet import Member
from rgcore.fleet.graph import Recorder
from rgcore.fleet.lockstep import Batched, fleet_stream
from rgcore.measurement import LEVELS_OF, Measurement, measure
from rgcore.network import MIXINGS, ResidualNetwork
from rgcore.training import train

PLAIN, EAGER, CAPTURED = "plain loop", "fleet, eager", "fleet, captured"
WAYS = (PLAIN, EAGER, CAPTURED)
MEASURE_SEED = 3


def run(setting: Setting, part: Part) -> None:
    """A row for each mixing, precision and way to train, and for each quantity that is measured."""
    steps, n_sequences = (6, 64) if setting.toy else (40, 512)
    for mixing in MIXINGS:
        problem = small(mixing, steps=steps, toy=setting.toy)
        for dtype in LOSS:
            of = {"mixing": mixing, "precision": str(dtype).removeprefix("torch.")}
            if setting.left < 0:
                part.add(what="losses", way="all", **of, note="not measured: no time left")
                continue
            reference = members(problem, MEMBERS, CPU, dtype)
            expected = plain_losses(reference)
            for way in WAYS:
                part.add(
                    what="losses", way=way, **of, **_losses(setting, problem, dtype, way, expected)
                )
            for row in _observables(setting, problem, reference[0].network, n_sequences):
                part.add(what="observables", **of, **row)


def _losses(
    setting: Setting,
    problem: Problem,
    dtype: torch.dtype,
    way: str,
    expected: NDArray[np.float64],
) -> dict[str, Any]:
    """How far the losses of a way lie from the expected (K, steps), over the loss."""
    if way == CAPTURED and setting.recorder is None:
        return {"note": NOT_HERE}
    fleet = members(problem, MEMBERS, setting.device, dtype)
    if way == PLAIN:
        found, note = plain_losses(fleet), None
    else:
        found, note = fleet_losses(fleet, setting.recorder if way == CAPTURED else None)
    worst = float(np.max(np.abs(found - expected) / np.abs(expected)))
    tolerance = LOSS[dtype]
    agree = worst <= tolerance and note is None
    return {"worst": worst, "tolerance": tolerance, "agree": agree, "note": note}


def plain_losses(fleet: Sequence[Member]) -> NDArray[np.float64]:
    """Losses (K, steps) of members that are trained one after another, in place."""
    return np.stack(
        [
            train(
                one.network, one.chain, one.plan, one.seed, seq_len=one.network.arch.seq_len
            ).losses
            for one in fleet
        ]
    )


def fleet_losses(
    fleet: Sequence[Member], record: Recorder | None
) -> tuple[NDArray[np.float64], str | None]:
    """Losses (K, steps) of members that are trained as one; why nothing was recorded, if so."""
    lockstep = Batched(fleet, fleet_stream(fleet, fleet[0].network.arch.seq_len), record)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", RuntimeWarning)
        for _ in range(fleet[0].plan.steps):
            lockstep.advance()
        lockstep.read_losses()
    losses = np.stack([recorder.trace().losses for recorder in lockstep.recorders])
    return losses, str(warned[0].message) if warned else None


def _observables(
    setting: Setting, problem: Problem, network: ResidualNetwork, n_sequences: int
) -> Iterator[dict[str, Any]]:
    """Every quantity of one network on the device beside the CPU."""
    dtype = next(network.parameters()).dtype
    exact = measured(network, problem, n_sequences)
    found = measured(copy.deepcopy(network).to(setting.device), problem, n_sequences)
    for quantity, apart in compared(found, exact, dtype).items():
        yield {
            "quantity": quantity,
            "where": apart.where,
            "worst": apart.worst,
            "tolerance": apart.tolerance,
            "agree": apart.agree,
        }


def measured(
    network: ResidualNetwork, problem: Problem, n_sequences: int, batch_size: int = 128
) -> Measurement:
    """All levels of a network, where it is."""
    return measure(
        network,
        problem.chain,
        seq_len=problem.arch.seq_len,
        n_sequences=n_sequences,
        mask_prob=problem.plan.mask_prob,
        levels=LEVELS_OF[problem.arch.mixing],
        seed=MEASURE_SEED,
        batch_size=batch_size,
    )
