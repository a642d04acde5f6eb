"""Each network, on a small task, comes close to the best loss for the tokens that it sees."""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch.nn import functional

from rgcore.chain import bayes_masked_loss, bayes_visible_loss, make_chain
from rgcore.network import build_network
from rgcore.random import derive_generator
from rgcore.training import TrainingPlan, masked_block, train

pytestmark = pytest.mark.slow

LEARNED = 0.05
"""Share of (unigram entropy - Bayes loss) that a trained network may be off."""


@dataclass(frozen=True)
class Excess:
    """Loss above the best one, as a share of (unigram entropy - Bayes loss)."""

    over_visible: float
    over_bayes: float


def learned(
    arch: Any,
    *,
    corr_len: float = 2.0,
    mask_prob: float = 0.25,
    steps: int = 400,
    batch_size: int = 128,
    lr: float = 1e-2,
) -> Any:
    """The excess of a network trained on a Potts chain, on 20,000 fresh sequences."""
    chain = make_chain("potts", arch.n_states, corr_len)
    network = build_network(arch, derive_generator(0, "init"))
    plan = TrainingPlan(
        steps=steps,
        batch_size=batch_size,
        mask_prob=mask_prob,
        optimizer="adam",
        lr=lr,
        schedule="one_cycle",
        weight_decay=0.0,
        grad_clip=1.0,
    )
    train(network, chain, plan, 0, seq_len=arch.seq_len)
    fresh = masked_block(chain, 20_000, arch.seq_len, mask_prob, derive_generator(0, "measure"))
    with torch.no_grad():
        logits = network.masked_logits(fresh.inputs, fresh.mask).double()
    loss = float(functional.cross_entropy(logits, fresh.tokens[fresh.mask]))
    bayes = bayes_masked_loss(chain, fresh.tokens, fresh.mask)
    visible = bayes_visible_loss(chain, fresh.tokens, fresh.mask, arch.view_radius)
    # network and best reader meet the same sequences: their difference is good to 0.005 of the gap
    gap = chain.unigram_entropy - bayes
    return Excess(over_visible=(loss - visible) / gap, over_bayes=(loss - bayes) / gap)


@pytest.fixture
def small(make_arch: Any) -> Any:
    """An architecture that learns in a second."""

    def make(mixing: Any, **fields: Any) -> Any:
        sizes = {"seq_len": 8, "context": 3, "depth": 2, "width": 16, "hidden_ratio": 2.0}
        return make_arch(mixing, **(sizes | fields))

    return make


@pytest.mark.parametrize("mixing", ["context", "window"])
def test_network_with_a_view_of_its_own_per_position_learns_what_it_sees(
    small: Any, mixing: str
) -> None:
    assert learned(small(mixing)).over_visible < LEARNED


def test_network_that_mixes_all_positions_learns_what_it_sees(small: Any) -> None:
    # it has to find out for each position alone that the nearest tokens matter most
    assert learned(small("mixer"), steps=600, lr=7e-3).over_visible < LEARNED


def test_network_with_one_stream_for_all_positions_learns_what_it_sees(small: Any) -> None:
    excess = learned(small("flat", width=48), steps=700, batch_size=512, lr=7e-3)
    assert excess.over_visible < LEARNED


@pytest.mark.parametrize("activation", ["relu", "silu", "tanh"])
def test_network_learns_with_every_activation(small: Any, activation: str) -> None:
    assert learned(small("context", activation=activation)).over_visible < LEARNED


@pytest.mark.parametrize("norm", ["none", "rms"])
def test_network_learns_with_every_norm(small: Any, norm: str) -> None:
    assert learned(small("context", norm=norm)).over_visible < LEARNED


@pytest.mark.parametrize("mixing", ["context", "window"])
def test_view_shorter_than_the_correlations_costs_what_it_must_and_no_more(
    small: Any, mixing: str
) -> None:
    arch = small(mixing, seq_len=10, context=1, depth=1)
    excess = learned(arch, corr_len=4.0, mask_prob=0.5, steps=300, batch_size=64)
    assert excess.over_bayes > LEARNED
    assert excess.over_visible < LEARNED
