"""One training step against the gradient of softmax regression, in float64."""

from typing import Any

import numpy as np
import torch
from scipy.special import softmax

from rgcore.chain import make_chain
from rgcore.network import Architecture, build_network
from rgcore.random import derive_generator
from rgcore.training import BatchStream, TrainingPlan, train

V, T, BATCH, MASK_PROB, SEED = 5, 12, 8, 0.3, 3
CHAIN = make_chain("random_reversible", V, 2.0, 0)
ARCH = Architecture(
    n_states=V,
    seq_len=T,
    mixing="context",
    context=2,
    depth=2,
    width=8,
    hidden_ratio=2.0,
    activation="gelu",
    norm="layer",
    residual_scale=1.0,
    init_scale=1.0,
)


def network_of() -> Any:
    return build_network(ARCH, derive_generator(SEED, "init")).double()


def one_step(lr: float = 1.0, schedule: str = "constant", grad_clip: Any = None) -> Any:
    """How far plain gradient descent moves each parameter in its first step."""
    network = network_of()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    plan = TrainingPlan(
        1, BATCH, MASK_PROB, "sgd", lr, schedule, weight_decay=0.0, grad_clip=grad_clip
    )
    train(network, CHAIN, plan, SEED, seq_len=T)
    return {name: (before[name] - value).numpy() for name, value in network.state_dict().items()}


def closed_form() -> Any:
    """Gradient of the mean cross-entropy over masked tokens by head.weight and head.bias."""
    network = network_of()
    stream = BatchStream(CHAIN, BATCH, T, MASK_PROB, derive_generator(SEED, "data"))
    batch = stream.next()
    with torch.no_grad():
        last = network.final_norm(network.residual_stream(batch.inputs)[-1])  # (n, T, d)
    rows, targets = last[batch.mask].numpy(), batch.tokens[batch.mask].numpy()  # (m, d), (m,)
    weight, bias = network.head.weight.detach().numpy(), network.head.bias.detach().numpy()
    error = softmax(rows @ weight.T + bias, axis=1) - np.eye(V)[targets]  # (m, V)
    return error.T @ rows / len(rows), error.mean(axis=0)


def test_the_read_out_moves_against_softmax_minus_one_hot_over_the_masked_rows() -> None:
    weight, bias = closed_form()
    moved = one_step()
    # some hundred terms of order 1 in float64
    np.testing.assert_allclose(moved["head.weight"], weight, rtol=0, atol=1e-14)
    np.testing.assert_allclose(moved["head.bias"], bias, rtol=0, atol=1e-14)


def test_the_step_is_the_learning_rate_times_the_gradient() -> None:
    weight, _ = closed_form()
    # eps of weights of order 1 over a step of 1e-3
    np.testing.assert_allclose(one_step(lr=1e-3)["head.weight"], 1e-3 * weight, atol=1e-15)


def test_the_first_step_is_taken_at_the_first_rate_of_the_schedule() -> None:
    weight, _ = closed_form()
    moved = one_step(schedule="one_cycle")["head.weight"]  # begins at 1/25 of the peak
    np.testing.assert_allclose(moved, weight / 25, rtol=0, atol=1e-14)


def test_a_gradient_beyond_the_bound_is_shortened_to_it_as_a_whole() -> None:
    whole, clipped = one_step(), one_step(grad_clip=0.25)
    norm = np.sqrt(sum((part**2).sum() for part in whole.values()))
    assert norm > 0.25
    for name, part in clipped.items():
        # torch divides by the norm + 1e-6
        np.testing.assert_allclose(part, whole[name] * 0.25 / norm, rtol=1e-5, atol=1e-14)


def test_a_gradient_within_the_bound_is_left_alone() -> None:
    free, bounded = one_step(), one_step(grad_clip=1e3)
    for name, part in bounded.items():
        np.testing.assert_array_equal(part, free[name])
