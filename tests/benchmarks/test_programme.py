"""Which races there are."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest

from benchmarks.crew import Crews
from benchmarks.effort import FULL, QUICK
from benchmarks.programme import entries


def listed(effort: Any) -> Any:
    with ExitStack() as stack:  # no process starts before it is needed
        return list(entries(effort, Crews(2, stack)))


@pytest.mark.parametrize("effort", [QUICK, FULL])
@pytest.mark.parametrize(
    "peer",
    [
        "plain PyTorch loop",
        "PyTorch, masked rows, fused AdamW",
        "JAX, jit(vmap(scan))",
        "quantecon",
        "pytorch-cka",
        "torch-cka",
        "MLflow",
        "Optuna",
    ],
)
def test_every_peer_is_raced(effort: Any, peer: str) -> None:
    assert any(peer in entry.peers for entry in listed(effort))


def test_the_full_programme_trains_every_shape_at_1_8_and_64_networks() -> None:
    trained = {(trial.shape, trial.members) for trial in FULL.trials}
    assert trained == {(s, k) for s in "SML" for k in (1, 8, 64)} - {("L", 64)}


def test_quick_trains_s_at_1_8_and_64_networks_and_m_once() -> None:
    trained = [(trial.shape, trial.members) for trial in QUICK.trials]
    assert trained == [("S", 1), ("S", 8), ("S", 64), ("M", 8)]


@pytest.mark.parametrize("effort", [QUICK, FULL])
def test_every_race_has_at_least_five_rounds(effort: Any) -> None:
    assert effort.rounds >= 5


@pytest.mark.parametrize("effort", [QUICK, FULL])
def test_every_loss_of_a_training_is_kept(effort: Any) -> None:
    assert max(trial.steps for trial in effort.trials) <= 200


def test_the_sweep_is_of_64_runs() -> None:
    assert 4 * FULL.sweep_points == 64
