"""Runs of two users trained as one fleet by a real worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from lab_processes import TINY, Lab, until

import rgclient
from rgcontract import ExperimentSpec, State
from rgcore.measurement import measure
from rgcore.network import build_network
from rgcore.training import derive_generator, train
from rgstore.database import Database
from rgstore.tokens import make_token

ROUNDING = 1e-5
"""Relative. Float32 rounds to 6e-8; 20 steps and the read-outs make that up to a hundred times."""


SPEC: dict[str, Any] = TINY


def of(corr_len: float, **training: Any) -> dict[str, Any]:
    """A small spec on a chain of this correlation length."""
    return {
        **TINY,
        "chain": {**SPEC["chain"], "corr_len": corr_len},
        "training": {**SPEC["training"], **training},
    }


@pytest.fixture
def bob(lab: Lab, database: Database) -> Iterator[Any]:
    """A client of another user, of the other API."""
    with database.begin() as session:
        token = make_token(session, "bob")
    with rgclient.Client(lab.urls[1], token) as opened:
        yield opened


def _sizes(experiment: rgclient.Experiment) -> set[int]:
    return {attempt.fleet for tries in experiment.attempts().values() for attempt in tries}


def _alone(spec: ExperimentSpec, seed: int) -> list[float]:
    """Effective ranks by layer, of a plain run of the core."""
    import torch

    from rgworker.unpack import architecture_of, chain_of, plan_of

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        network = build_network(architecture_of(spec), derive_generator(seed, "init"))
        chain = chain_of(spec)
        train(network, chain, plan_of(spec), seed, seq_len=8)
        found = measure(
            network, chain, seq_len=8, n_sequences=64, mask_prob=0.15, levels=["position"],
            seed=seed,
        )  # fmt: skip
    finally:
        torch.set_num_threads(threads)
    ranks: list[float] = found.levels["position"].arrays["effective_rank"].tolist()
    return ranks


def _in_training(client: rgclient.Client, name: str) -> Callable[[], bool]:
    def begun() -> bool:
        (run,) = client.view(name).runs
        return run.progress is not None and run.progress.step > 0

    return begun


def test_two_users_share_a_fleet_and_have_the_numbers_of_runs_alone(
    lab: Lab, client: rgclient.Client, bob: Any
) -> None:
    asked = [client.submit(**of(1.0), seeds=2), bob.submit(**of(7.0, lr=0.01), seeds=2)]
    lab.worker()
    for experiment in asked:
        ranks = experiment.wait(progress=False).effective_rank(level="position").per_seed
        for seed in (0, 1):
            expected = _alone(experiment.spec, seed)
            np.testing.assert_allclose(list(ranks[seed]), expected, rtol=ROUNDING)
    assert [_sizes(experiment) for experiment in asked] == [{4}, {4}]


def test_two_trainers_of_a_worker_share_the_line(lab: Lab, client: rgclient.Client) -> None:
    asked = client.submit(**TINY, seeds=8)
    lab.worker(RGLAB_CONCURRENCY="2")
    asked.wait(progress=False)
    assert max(_sizes(asked)) == 4


def test_cancelling_one_of_a_fleet_leaves_the_other(
    lab: Lab, client: rgclient.Client, bob: Any
) -> None:
    steps = 4000  # seconds: longer than it takes to cancel
    kept = client.submit(**of(1.0, steps=steps), seeds=1)
    dropped = bob.submit(**of(7.0, steps=steps), seeds=1)
    lab.worker()
    until(_in_training(bob, dropped.id))
    dropped.cancel()
    until(lambda: bob.view(dropped.id).state is State.CANCELLED)
    assert client.view(kept.id).state is State.RUNNING
    kept.wait(progress=False)
    assert _sizes(kept) == _sizes(dropped) == {2}
    assert len(kept.attempts()[0]) == 1


def test_one_of_a_fleet_that_diverges_fails_alone_with_its_cause(
    lab: Lab, client: rgclient.Client
) -> None:
    wild = {"optimizer": "sgd", "grad_clip": None, "steps": 200}
    model = {**SPEC["model"], "norm": "none", "activation": "relu", "init_scale": 10.0}
    tame = client.submit(**{**of(1.0, **wild, lr=1e-7), "model": model}, seeds=1)
    diverging = client.submit(**{**of(7.0, **wild, lr=10.0), "model": model}, seeds=1)
    lab.worker()
    tame.wait(progress=False)
    with pytest.raises(rgclient.ExperimentFailed, match="try a smaller"):
        diverging.wait(progress=False)
    assert _sizes(tame) == _sizes(diverging) == {2}


def test_a_run_meant_for_a_device_that_no_worker_has_says_so_and_lets_others_pass(
    lab: Lab, client: rgclient.Client
) -> None:
    waiting = client.submit(**of(1.0), seeds=1, device="cuda")
    lab.worker()
    client.submit(**of(7.0), seeds=1, device="cpu").wait(progress=False)
    view = client.view(waiting.id)
    assert view.state is State.QUEUED
    assert view.waiting is not None
    assert view.waiting.reason == "it waits for a worker with device 'cuda', and none is running"
