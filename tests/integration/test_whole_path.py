"""From a submission to a measurement through real processes."""

from __future__ import annotations

import math
from typing import Any

import pytest
from lab_processes import LONG, PATIENCE, TINY, Lab, kill_group, until

import rgclient
from rgcontract import State
from rgcore.measurement import measure
from rgcore.network import build_network
from rgcore.training import derive_generator, train
from rgstore.database import Database

SPEC: dict[str, Any] = TINY


def _numbers(result: rgclient.Result) -> dict[tuple[str, str, str], Any]:
    """Every per-seed number of a result."""
    return {
        (snapshot.when, level.level, name): quantity.per_seed
        for snapshot in result.data.snapshots
        for level in snapshot.levels
        for name, quantity in level.quantities.items()
    }


def test_two_servers_and_two_workers_share_one_record(
    lab: Lab, client: rgclient.Client, token: str
) -> None:
    lab.worker()
    lab.worker()
    with rgclient.Client(lab.urls[1], token) as other:
        first = client.submit(**TINY, seeds=4)
        second = other.submit(**TINY, seeds=4)
        assert second.id == first.id
        assert second.created is False
        assert _numbers(first.wait(progress=False)) == _numbers(second.wait(progress=False))
    assert all(len(tries) == 1 for tries in first.attempts().values())


def test_the_numbers_are_those_of_the_core_whoever_computed_them(
    lab: Lab, client: rgclient.Client
) -> None:
    """A worker's numbers equal a plain run of the core in this process, bit for bit."""
    import torch

    from rgworker.unpack import architecture_of, chain_of, plan_of

    lab.worker(OMP_NUM_THREADS="2")
    result = client.submit(**TINY, seeds=[3]).wait(progress=False)
    spec = result.data.spec
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        network = build_network(architecture_of(spec), derive_generator(3, "init"))
        chain = chain_of(spec)
        train(network, chain, plan_of(spec), 3, seq_len=spec.data.seq_len)
        expected = measure(
            network, chain, seq_len=8, n_sequences=64, mask_prob=0.15, levels=["position"], seed=3
        )
    finally:
        torch.set_num_threads(threads)
    ranks = result.effective_rank(level="position").per_seed[3]
    assert list(ranks) == expected.levels["position"].arrays["effective_rank"].tolist()
    assert result.losses().loss.per_seed == {"3": expected.loss}
    assert result.losses().bayes_loss.per_seed == {"3": expected.bayes_loss}


def test_more_seeds_leave_the_measured_ones_as_they_are(lab: Lab, client: rgclient.Client) -> None:
    lab.worker()
    before = client.submit(**TINY, seeds=2).wait(progress=False)
    topped_up = client.submit(**TINY, seeds=3)
    after = topped_up.wait(progress=False)
    assert after.seeds == (0, 1, 2)
    for key, per_seed in _numbers(before).items():
        if per_seed is not None:
            for seed, values in per_seed.items():
                assert _numbers(after)[key][seed] == values
    assert {seed: len(tries) for seed, tries in topped_up.attempts().items()} == {0: 1, 1: 1, 2: 1}


def test_a_killed_worker_costs_an_attempt_and_nothing_else(
    lab: Lab, client: rgclient.Client, database: Database
) -> None:
    doomed = lab.worker()
    spec = {**TINY, "training": {"steps": 4000, "batch_size": 16}}
    experiment = client.submit(**spec, seeds=1)
    until(lambda: client.view(experiment.id).runs[0].progress is not None)
    kill_group(doomed)
    lab.worker()
    result = experiment.wait(progress=False, timeout=PATIENCE)
    outcomes = [(attempt.number, attempt.outcome) for attempt in experiment.attempts()[0]]
    assert outcomes == [(1, "lost"), (2, "done")]
    assert result.seeds == (0,)


def test_a_running_experiment_can_be_cancelled(lab: Lab, client: rgclient.Client) -> None:
    lab.worker()
    experiment = client.submit(**LONG, seeds=1)
    until(lambda: client.view(experiment.id).state is State.RUNNING)
    experiment.cancel()
    until(lambda: client.view(experiment.id).state is State.CANCELLED)
    assert experiment.attempts()[0][0].outcome == "cancelled"
    with pytest.raises(rgclient.ExperimentCancelled):
        experiment.wait(progress=False)


def test_a_worker_that_is_stopped_gives_its_run_back(lab: Lab, client: rgclient.Client) -> None:
    first = lab.worker(RGLAB_LEASE_SECONDS="60")  # it is to be given back, not lost
    experiment = client.submit(**LONG, seeds=1)
    until(lambda: client.view(experiment.id).state is State.RUNNING)
    first.stop(PATIENCE)  # one that is killed instead gives nothing back
    assert first.exit_code == 0
    view = client.view(experiment.id)
    assert view.state is State.QUEUED
    assert view.runs[0].attempts[0].outcome == "released"
    assert view.waiting is not None
    assert "no worker is running" in view.waiting.reason


def test_an_attempt_past_its_time_limit_is_failed_with_the_limit(
    lab: Lab, client: rgclient.Client
) -> None:
    lab.worker(RGLAB_RUN_TIME_LIMIT_SECONDS="2")
    experiment = client.submit(**LONG, seeds=1)
    with pytest.raises(rgclient.ExperimentFailed, match="longer than the limit of 2 s"):
        experiment.wait(progress=False, timeout=PATIENCE)


def test_a_run_that_diverges_is_failed_with_the_cause_and_not_repeated(
    lab: Lab, client: rgclient.Client
) -> None:
    lab.worker()
    wild = {"steps": 200, "batch_size": 16, "optimizer": "sgd", "lr": 10.0, "grad_clip": None}
    model = {**SPEC["model"], "norm": "none", "activation": "relu", "init_scale": 10.0}
    experiment = client.submit(**{**TINY, "training": wild, "model": model}, seeds=1)
    with pytest.raises(rgclient.ExperimentFailed, match="try a smaller"):
        experiment.wait(progress=False, timeout=PATIENCE)
    (attempt,) = experiment.attempts()[0]
    assert attempt.traceback is not None
    assert "DivergedError" in attempt.traceback


def test_submissions_are_kept_while_the_broker_is_away(lab: Lab, client: rgclient.Client) -> None:
    kill_group(lab.broker)
    experiment = client.submit(**TINY, seeds=1)
    assert client.view(experiment.id).state is State.QUEUED
    lab.start_broker()
    lab.worker()
    assert experiment.wait(progress=False, timeout=PATIENCE).seeds == (0,)


@pytest.mark.parametrize("mixing", ["flat", "mixer", "window"])
def test_every_network_goes_the_same_way(lab: Lab, client: rgclient.Client, mixing: str) -> None:
    lab.worker()
    model = {"mixing": mixing, "depth": 2, "width": 16}
    result = client.submit(**{**TINY, "model": model}, seeds=2).wait(progress=False)
    ranks = result.effective_rank()
    assert len(ranks) == 3
    assert all(1 <= value <= 16 for value in ranks.mean)
    assert all(math.isfinite(value) for value in ranks.standard_error)


CHAINS: list[dict[str, Any]] = [
    {"family": "ring", "n_states": 4, "corr_len": 2.0},
    {"family": "hierarchical", "n_states": 4, "scales": [0.5, 2.0]},
    {"family": "spectrum", "eigenvalues": [0.5, 0.2, 0.1]},
    {"family": "explicit", "matrix": [[0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.8, 0.1, 0.1]]},
    {"family": "potts", "n_states": 3, "corr_len": 1000.0},
]


def test_every_family_goes_the_same_way(lab: Lab, client: rgclient.Client) -> None:
    """A biased cycle has complex eigenvalues; a chain may never mix within a sequence."""
    lab.worker()
    asked = [client.submit(**{**TINY, "chain": chain}, seeds=1) for chain in CHAINS]
    for experiment, chain in zip(asked, CHAINS, strict=True):
        facts = experiment.wait(progress=False).chain
        assert facts.family == chain["family"]
        assert facts.corr_len == pytest.approx(experiment.spec.chain.corr_len, rel=1e-9)
        assert len(facts.mutual_information) == SPEC["data"]["seq_len"] - 1
    assert any(asked[3].wait(progress=False).chain.eigenvalues_imag)


def test_chains_are_averaged_over_when_there_are_several(lab: Lab, client: rgclient.Client) -> None:
    lab.worker()
    chain = {**SPEC["chain"], "seeds": 2}
    result = client.submit(**{**TINY, "chain": chain}, seeds=2).wait(progress=False)
    ranks = result.effective_rank()
    assert list(ranks.per_seed) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert result.data.error_bar.startswith("chains")
    of_chain = [
        sum(ranks.per_seed[(chain_seed, seed)][0] for seed in (0, 1)) / 2 for chain_seed in (0, 1)
    ]
    assert ranks[0].mean == pytest.approx(sum(of_chain) / 2)
    assert ranks[0].standard_error == pytest.approx(abs(of_chain[0] - of_chain[1]) / 2)


def test_what_is_measured_anew_is_not_trained_anew(lab: Lab, client: rgclient.Client) -> None:
    lab.worker()
    first = client.submit(**TINY, seeds=[0])
    before = first.wait(progress=False)
    more = {**TINY, "measurement": {"n_sequences": 128}}
    second = client.submit(**more, seeds=[0])
    after = second.wait(progress=False)
    assert [first.attempts()[0][0].trained, second.attempts()[0][0].trained] == [True, False]
    assert after.data.training == before.data.training
    assert after.effective_rank().n == 128


def test_a_chain_shared_by_two_experiments_is_trained_on_once(
    lab: Lab, client: rgclient.Client
) -> None:
    lab.worker()
    client.submit(**TINY, seeds=[0]).wait(progress=False)
    several = client.submit(**{**TINY, "chain": {**SPEC["chain"], "seeds": 2}}, seeds=[0])
    several.wait(progress=False)
    trained = {run: tries[0].trained for run, tries in several.attempts().items()}
    assert trained == {(0, 0): False, (1, 0): True}


def test_moments_along_training_come_in_their_order_and_the_null_last(
    lab: Lab, client: rgclient.Client
) -> None:
    lab.worker()
    along = {**TINY, "measurement": {"n_sequences": 64, "at": "log"}}
    result = client.submit(**along, seeds=1).wait(progress=False)
    moments = [(snapshot.when, snapshot.step) for snapshot in result.data.snapshots]
    assert moments[:2] == [("initial", 0), ("step_1", 1)]
    assert moments[-2:] == [("final", 20), ("shuffled", 20)]
    steps = [step for _, step in moments]
    assert steps == sorted(steps)


def test_fewer_samples_than_dimensions_are_measured_and_flagged(
    lab: Lab, client: rgclient.Client
) -> None:
    lab.worker()
    model = {**SPEC["model"], "width": 32}
    few = {**TINY, "model": model, "measurement": {"n_sequences": 16}}
    result = client.submit(**few, seeds=2).wait(progress=False)
    assert result.too_few_samples
    assert "TOO FEW SAMPLES" in repr(result)


def test_every_attempt_says_that_its_worker_measures_known_answers(
    lab: Lab, client: rgclient.Client
) -> None:
    lab.worker()
    experiment = client.submit(**TINY, seeds=1)
    experiment.wait(progress=False)
    (attempt,) = experiment.attempts()[0]
    assert attempt.calibration
    assert all(attempt.calibration.values())
