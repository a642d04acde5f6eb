from typing import Any

import pytest
import torch
from torch import nn, optim

from rgcore.training import TrainingPlan
from rgcore.training.optimizer import Optimizer

LR, DECAY = 0.125, 0.5
EXACT: dict[str, Any] = {"rtol": 0, "atol": 1e-7}
"""A float32 or two of numbers below 1."""


def network_of() -> Any:
    """A matrix, a bias, a gain and a shift."""
    network = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        nn.init.uniform_(parameter, 0.5, 1.0, generator=generator)
    return network


def plan_of(optimizer: Any, weight_decay: Any = DECAY, grad_clip: Any = None) -> Any:
    return TrainingPlan(1, 1, 0.15, optimizer, LR, "constant", weight_decay, grad_clip)


def stepped(
    optimizer: Any, gradient: float = 0.0, steps: int = 1, weight_decay: Any = DECAY
) -> Any:
    """The weights before and after some steps of one gradient."""
    network = network_of()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    rule = Optimizer(network, plan_of(optimizer, weight_decay))
    for _ in range(steps):
        rule.step([torch.full_like(p, gradient) for p in rule.parameters], LR)
    return before, network.state_dict()


def gradients_of(network: Any) -> Any:
    """Of a loss of the weights as they are."""
    rows = torch.linspace(-1.0, 1.0, 15, dtype=network[0].weight.dtype).view(5, 3)
    loss = network(rows).square().mean() * 100
    return torch.autograd.grad(loss, list(network.parameters()))


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_biases_and_gains_do_not_decay(optimizer: str) -> None:
    before, after = stepped(optimizer)
    for name in ("0.bias", "1.weight", "1.bias"):
        assert torch.equal(after[name], before[name])


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_matrices_decay_by_the_rate_times_the_decay(optimizer: str) -> None:
    before, after = stepped(optimizer)
    torch.testing.assert_close(after["0.weight"], before["0.weight"] * (1 - LR * DECAY), **EXACT)


def test_adam_takes_the_decay_for_a_gradient() -> None:
    # which its first step makes a step of lr, whatever its size
    before, after = stepped("adam")
    torch.testing.assert_close(after["0.weight"], before["0.weight"] - LR, **EXACT)


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_adam_moves_by_the_rate_against_a_steady_gradient(optimizer: str) -> None:
    before, after = stepped(optimizer, gradient=3.0, steps=2, weight_decay=0.0)
    torch.testing.assert_close(after["0.weight"], before["0.weight"] - 2 * LR, rtol=0, atol=1e-6)


def test_sgd_has_momentum_nine_tenths() -> None:
    before, after = stepped("sgd", gradient=0.25, steps=2, weight_decay=0.0)
    moved = LR * 0.25 * (1 + 1.9)
    torch.testing.assert_close(after["0.weight"], before["0.weight"] - moved, **EXACT)


TORCH_S = {"adam": optim.Adam, "adamw": optim.AdamW, "sgd": optim.SGD}


@pytest.mark.parametrize("grad_clip", [None, 1e-2, 1e6])
@pytest.mark.parametrize("optimizer", sorted(TORCH_S))
def test_steps_are_those_of_torch_parameter_by_parameter(optimizer: Any, grad_clip: Any) -> None:
    ours, theirs = network_of().double(), network_of().double()
    plan = plan_of(optimizer, grad_clip=grad_clip)
    rule = Optimizer(ours, plan)
    own = {"momentum": plan.momentum} if optimizer == "sgd" else {}
    groups = [
        {"params": [p for p in theirs.parameters() if p.ndim > 1], "weight_decay": DECAY},
        {"params": [p for p in theirs.parameters() if p.ndim == 1], "weight_decay": 0.0},
    ]
    reference = TORCH_S[optimizer](groups, lr=LR, **own)
    for rate in (LR, LR / 2, LR / 4):
        by_parameter = dict(zip(ours.parameters(), gradients_of(ours), strict=True))
        rule.step([by_parameter[p] for p in rule.parameters], rate)
        for p, gradient in zip(theirs.parameters(), gradients_of(theirs), strict=True):
            p.grad = gradient
        if grad_clip is not None:
            nn.utils.clip_grad_norm_(theirs.parameters(), grad_clip)
        for group in reference.param_groups:
            group["lr"] = rate
        reference.step()
    for name, value in ours.state_dict().items():
        # some float64 roundings, which adam magnifies by its division
        torch.testing.assert_close(value, theirs.state_dict()[name], rtol=1e-12, atol=1e-12)


def test_the_weights_stay_where_they_are_until_a_step() -> None:
    network, untouched = network_of(), network_of().state_dict()
    Optimizer(network, plan_of("adamw"))
    for name, value in network.state_dict().items():
        assert torch.equal(value, untouched[name])


@pytest.mark.parametrize("optimizer", sorted(TORCH_S))
def test_a_state_taken_up_goes_on_as_if_there_had_been_no_stop(optimizer: Any) -> None:
    network = network_of()
    rule = Optimizer(network, plan_of(optimizer))
    rule.step([torch.full_like(p, 0.5) for p in rule.parameters], LR)
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    state = rule.state_dict()
    rule.step([torch.full_like(p, -0.25) for p in rule.parameters], LR)
    other = network_of()
    again = Optimizer(other, plan_of(optimizer))
    other.load_state_dict(weights)
    again.load_state_dict(state)
    again.step([torch.full_like(p, -0.25) for p in again.parameters], LR)
    for name, value in network.state_dict().items():
        assert torch.equal(value, other.state_dict()[name])
