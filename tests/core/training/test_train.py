import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from devices import DEVICE

from rgcore.chain import make_chain
from rgcore.network import Architecture, build_network
from rgcore.random import derive_generator
from rgcore.training import DivergedError, Progress, TrainingCheckpoint, TrainingPlan, train

T = 8
CHAIN = make_chain("random_reversible", 4, 1.5, 0)
ARCH = Architecture(
    n_states=4,
    seq_len=T,
    mixing="context",
    context=1,
    depth=2,
    width=8,
    hidden_ratio=1.0,
    activation="gelu",
    norm="layer",
    residual_scale=1.0,
    init_scale=1.0,
)
STEPS = 210
"""A point of the trace is then two steps, so that a checkpoint can fall between two points."""


def plan_of(
    steps: Any = STEPS,
    optimizer: str = "adamw",
    lr: float = 1e-2,
    schedule: str = "cosine",
    **fields: Any,
) -> Any:
    return TrainingPlan(
        **{
            "steps": steps,
            "batch_size": 8,
            "mask_prob": 0.2,
            "optimizer": optimizer,
            "lr": lr,
            "schedule": schedule,
            "weight_decay": 0.01,
            "grad_clip": 1.0,
            **fields,
        }
    )


def trained(plan: Any, seed: int = 0, init: int = 0, **options: Any) -> Any:
    """Weights and trace."""
    network = build_network(ARCH, derive_generator(init, "init")).to(DEVICE)
    trace = train(network, CHAIN, plan, seed, seq_len=T, **options)
    return network.state_dict(), trace


def same_weights(first: Any, second: Any) -> Any:
    return all(torch.equal(value, second[name]) for name, value in first.items())


def assert_same(first: Any, second: Any) -> None:
    """Bit for bit."""
    assert same_weights(first[0], second[0])
    np.testing.assert_array_equal(first[1].steps, second[1].steps)
    np.testing.assert_array_equal(first[1].losses, second[1].losses)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_a_resumed_run_equals_an_uninterrupted_one(optimizer: str) -> None:
    plan = plan_of(optimizer=optimizer, schedule="one_cycle")
    kept: list[TrainingCheckpoint] = []
    whole = trained(plan, on_checkpoint=kept.append, checkpoint_every=35)
    assert [checkpoint.step for checkpoint in kept] == [35, 70, 105, 140, 175]
    for checkpoint in (kept[0], kept[-1]):
        stored = pickle.loads(pickle.dumps(checkpoint))
        assert_same(trained(plan, init=7, checkpoint=stored), whole)


def test_a_checkpoint_can_be_resumed_from_again_and_again() -> None:
    plan = plan_of(steps=40)
    kept: list[TrainingCheckpoint] = []
    whole = trained(plan, on_checkpoint=kept.append, checkpoint_every=15)
    assert_same(trained(plan, checkpoint=kept[0]), whole)
    assert_same(trained(plan, checkpoint=kept[0]), whole)


def test_a_resumed_run_makes_the_checkpoints_of_an_uninterrupted_one() -> None:
    plan = plan_of(steps=40)
    kept: list[TrainingCheckpoint] = []
    later: list[TrainingCheckpoint] = []
    trained(plan, on_checkpoint=kept.append, checkpoint_every=10)
    first = copy.deepcopy(kept[0])
    trained(plan, checkpoint=first, on_checkpoint=later.append, checkpoint_every=10)
    assert [checkpoint.step for checkpoint in later] == [20, 30]
    assert same_weights(later[1].weights, kept[2].weights)
    assert torch.equal(later[1].data.generator_state, kept[2].data.generator_state)
    assert later[1].data.used == kept[2].data.used
    assert later[1].points == kept[2].points


def test_taking_checkpoints_and_reports_changes_nothing() -> None:
    plan = plan_of(steps=40)
    watched = trained(
        plan,
        on_progress=lambda progress: None,
        progress_every=1,
        on_checkpoint=lambda checkpoint: None,
        checkpoint_every=3,
    )
    assert_same(watched, trained(plan))


@pytest.mark.parametrize("change", [{"seed": 1}, {"plan": plan_of(steps=41)}])
def test_a_checkpoint_of_another_run_is_refused(change: Any) -> None:
    plan = plan_of(steps=40)
    kept: list[TrainingCheckpoint] = []
    trained(plan, on_checkpoint=kept.append, checkpoint_every=20)
    with pytest.raises(ValueError, match="the checkpoint is of seed 0"):
        trained(**{"plan": plan, "seed": 0, **change}, checkpoint=kept[0])


def test_the_same_seed_gives_the_same_numbers() -> None:
    assert_same(trained(plan_of(steps=20)), trained(plan_of(steps=20)))


def test_another_seed_gives_other_numbers() -> None:
    weights, trace = trained(plan_of(steps=20))
    others, other_trace = trained(plan_of(steps=20), seed=1)
    assert not same_weights(weights, others)
    assert (trace.losses != other_trace.losses).all()


def test_other_initial_weights_give_other_numbers() -> None:
    assert not same_weights(trained(plan_of(steps=20))[0], trained(plan_of(steps=20), init=1)[0])


def test_the_global_generator_is_neither_read_nor_moved() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = trained(plan_of(steps=10))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    assert_same(trained(plan_of(steps=10)), first)


def test_the_number_of_threads_moves_numbers_by_rounding_alone() -> None:
    threads = torch.get_num_threads()
    try:
        found = []
        for n in (1, 2):
            torch.set_num_threads(n)
            found.append(trained(plan_of(steps=5, batch_size=256)))
    finally:
        torch.set_num_threads(threads)
    (_, one), (_, two) = found
    # sums of 500 terms in another order: some float32 eps, which later steps make larger
    np.testing.assert_allclose(one.losses, two.losses, rtol=1e-5)


def losses_of(steps: Any) -> Any:
    """The loss of every single step, as reported."""
    losses = []
    trained(plan_of(steps=steps), on_progress=lambda p: losses.append(p.loss), progress_every=1)
    return np.array(losses)


def test_progress_comes_every_so_many_steps_and_after_the_last() -> None:
    reports: list[Progress] = []
    trained(plan_of(steps=50), on_progress=reports.append, progress_every=20)
    assert [(report.step, report.steps) for report in reports] == [(20, 50), (40, 50), (50, 50)]


def test_progress_tells_the_mean_loss_since_the_last_report() -> None:
    reports: list[Progress] = []
    trained(plan_of(steps=50), on_progress=reports.append, progress_every=20)
    losses = losses_of(50)
    means = [losses[:20].mean(), losses[20:40].mean(), losses[40:].mean()]
    # float64 sums in another order
    np.testing.assert_allclose([report.loss for report in reports], means, rtol=1e-14)


def test_a_short_trace_has_every_loss() -> None:
    _, trace = trained(plan_of(steps=50))
    np.testing.assert_array_equal(trace.steps, np.arange(1, 51))
    np.testing.assert_array_equal(trace.losses, losses_of(50))


def test_a_long_trace_has_at_most_200_points_which_are_means() -> None:
    _, trace = trained(plan_of(steps=401))
    losses = losses_of(401)
    np.testing.assert_array_equal(trace.steps, [*range(3, 401, 3), 401])
    means = [losses[step - 3 : step].mean() for step in range(3, 401, 3)]
    np.testing.assert_allclose(trace.losses[:-1], means, rtol=1e-14)
    assert trace.losses[-1] == pytest.approx(losses[399:].mean(), rel=1e-14)


def test_a_stop_shows_the_network_of_a_run_that_ends_there() -> None:
    network = build_network(ARCH, derive_generator(0, "init")).to(DEVICE)
    seen = {}
    train(
        network,
        CHAIN,
        plan_of(steps=30, schedule="constant"),
        0,
        seq_len=T,
        stops=(1, 8, 30, 31),
        on_stop=lambda step: seen.update({step: copy.deepcopy(network.state_dict())}),
    )
    assert list(seen) == [1, 8, 30]
    for step, weights in seen.items():
        assert same_weights(weights, trained(plan_of(steps=step, schedule="constant"))[0])


WILD: dict[str, Any] = {"optimizer": "sgd", "lr": 1e6, "schedule": "constant", "grad_clip": None}


def test_a_loss_that_is_not_finite_ends_the_run() -> None:
    with pytest.raises(DivergedError) as diverged:
        trained(plan_of(**WILD))
    assert not np.isfinite(diverged.value.loss)
    assert f"at step {diverged.value.step}" in str(diverged.value)


def test_the_step_of_the_divergence_is_the_first_without_a_finite_loss() -> None:
    with pytest.raises(DivergedError) as diverged:
        trained(plan_of(**WILD))
    step = diverged.value.step
    assert 1 < step < STEPS
    _, trace = trained(plan_of(steps=step - 1, **WILD))
    assert np.isfinite(trace.losses).all()
    with pytest.raises(DivergedError) as again:
        trained(plan_of(steps=step, **WILD))
    assert again.value.step == step


def test_a_divergence_survives_a_pipe() -> None:
    error = pickle.loads(pickle.dumps(DivergedError(7, float("inf"))))
    assert (error.step, error.loss) == (7, float("inf"))
    assert str(error) == "the training loss is inf at step 7"
