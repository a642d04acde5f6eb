import pytest
import torch
from torch import nn

from rgcore.training import TrainingPlan
from rgcore.training.optimizer import make_optimizer

LR, DECAY = 0.125, 0.5
EXACT = {"rtol": 0, "atol": 1e-7}
"""A float32 or two of numbers below 1."""


def stepped(optimizer, gradient=0.0, steps=1, weight_decay=DECAY):
    """A matrix, a bias, a gain and a shift before and after some steps of one gradient."""
    network = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        nn.init.uniform_(parameter, 0.5, 1.0, generator=generator)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    plan = TrainingPlan(1, 1, 0.15, optimizer, LR, "constant", weight_decay, None)
    rule = make_optimizer(network, plan)
    for _ in range(steps):
        for parameter in network.parameters():
            parameter.grad = torch.full_like(parameter, gradient)
        rule.step()
    return before, network.state_dict()


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_biases_and_gains_do_not_decay(optimizer):
    before, after = stepped(optimizer)
    for name in ("0.bias", "1.weight", "1.bias"):
        assert torch.equal(after[name], before[name])


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_matrices_decay_by_the_rate_times_the_decay(optimizer):
    before, after = stepped(optimizer)
    torch.testing.assert_close(after["0.weight"], before["0.weight"] * (1 - LR * DECAY), **EXACT)


def test_adam_takes_the_decay_for_a_gradient():
    # which its first step makes a step of lr, whatever its size
    before, after = stepped("adam")
    torch.testing.assert_close(after["0.weight"], before["0.weight"] - LR, **EXACT)


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_adam_moves_by_the_rate_against_a_steady_gradient(optimizer):
    before, after = stepped(optimizer, gradient=3.0, steps=2, weight_decay=0.0)
    torch.testing.assert_close(after["0.weight"], before["0.weight"] - 2 * LR, rtol=0, atol=1e-6)


def test_sgd_has_momentum_nine_tenths():
    before, after = stepped("sgd", gradient=0.25, steps=2, weight_decay=0.0)
    moved = LR * 0.25 * (1 + 1.9)
    torch.testing.assert_close(after["0.weight"], before["0.weight"] - moved, **EXACT)
