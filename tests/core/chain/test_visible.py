import itertools
from typing import Any

import numpy as np
import pytest
import torch

from rgcore.chain import (
    Chain,
    bayes_masked_loss,
    bayes_posterior,
    bayes_visible_loss,
    make_chain,
    markov_chain,
    visible_posterior,
)
from rgcore.random import derive_generator

ROUNDING = 1e-12
"""Some tens of float64 operations."""


# a drift around a ring of unequal states: forward differs from backward, pi is not uniform
DRIFT = np.array([[0.1, 0.7, 0.2], [0.3, 0.1, 0.6], [0.85, 0.05, 0.1]])
CHAINS = {
    "potts": make_chain("potts", 3, 2.0),
    "random_reversible": make_chain("random_reversible", 3, 1.5, 2),
    "drift": markov_chain("drift", DRIFT),
}


def weight(chain: Any, states: Any) -> Any:
    """Probability of one sequence."""
    steps = [chain.transition[a, b] for a, b in itertools.pairwise(states)]
    return chain.stationary[states[0]] * np.prod(steps)


def enumerated(chain: Any, tokens: Any, mask: Any, radius: Any) -> Any:
    """Laws (m, V): sums over every sequence that agrees with what is seen from the hidden place."""
    laws = []
    for row, place in zip(*np.nonzero(mask), strict=True):
        law = np.zeros(chain.n_states)
        options = [
            range(chain.n_states) if mask[row, s] or abs(s - place) > radius else [tokens[row, s]]
            for s in range(tokens.shape[1])
        ]
        for states in itertools.product(*options):
            law[states[place]] += weight(chain, states)
        laws.append(law / law.sum())
    return np.array(laws)


def case(chain: Any, length: int = 5) -> Any:
    """Every mask of a short sequence: both ends, nothing hidden and all hidden among them."""
    mask = np.array(list(itertools.product([False, True], repeat=length)))
    return chain.sample(len(mask), length, derive_generator(0, "data")).numpy(), mask


def sample(chain: Any, n: Any, length: Any, mask_prob: Any) -> Any:
    mask = torch.rand(n, length, generator=derive_generator(1, "mask")) < mask_prob
    return chain.sample(n, length, derive_generator(1, "data")), mask


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("radius", [0, 1, 2, 4])
def test_posterior_is_that_of_enumeration(name: Any, radius: int) -> None:
    chain = CHAINS[name]
    tokens, mask = case(chain)
    np.testing.assert_allclose(
        visible_posterior(chain, tokens, mask, radius),
        enumerated(chain, tokens, mask, radius),
        rtol=ROUNDING,
    )


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("radius", [0, 1, 2, 4])
def test_loss_is_the_mean_log_of_the_enumerated_posterior(name: Any, radius: int) -> None:
    chain = CHAINS[name]
    tokens, mask = case(chain)
    law = enumerated(chain, tokens, mask, radius)
    expected = -np.log(law[np.arange(len(law)), tokens[mask]]).mean()
    assert bayes_visible_loss(chain, tokens, mask, radius) == pytest.approx(expected, rel=ROUNDING)


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("radius", [None, 31, 1000])
@pytest.mark.parametrize("mask_prob", [0.15, 0.9])
def test_whole_sequence_is_forward_and_backward_over_it(
    name: Any, radius: Any, mask_prob: float
) -> None:
    chain = CHAINS[name]
    tokens, mask = sample(chain, 50, 32, mask_prob)
    np.testing.assert_allclose(
        visible_posterior(chain, tokens, mask, radius),
        bayes_posterior(chain, tokens, mask)[mask.numpy()],
        rtol=ROUNDING,
    )
    assert bayes_visible_loss(chain, tokens, mask, radius) == pytest.approx(
        bayes_masked_loss(chain, tokens, mask), rel=ROUNDING
    )


def test_radius_zero_is_the_cross_entropy_of_the_stationary_law() -> None:
    chain = make_chain("random_reversible", 6, 7.0)
    tokens, mask = sample(chain, 200, 16, 0.3)
    expected = -np.log(chain.stationary[tokens[mask].numpy()]).mean()
    assert bayes_visible_loss(chain, tokens, mask, 0) == pytest.approx(expected, rel=ROUNDING)


def test_first_token_sees_only_what_comes_after_it() -> None:
    chain = CHAINS["drift"]
    tokens, mask = np.array([[0, 2, 1]]), np.array([[True, False, False]])
    expected = chain.stationary * chain.transition[:, 2] / chain.stationary[2]
    law = visible_posterior(chain, tokens, mask, 1)
    np.testing.assert_allclose(law, [expected], rtol=ROUNDING)


def test_last_token_sees_only_what_comes_before_it() -> None:
    chain = CHAINS["drift"]
    tokens, mask = np.array([[1, 2, 0]]), np.array([[False, False, True]])
    law = visible_posterior(chain, tokens, mask, 1)
    np.testing.assert_allclose(law, [chain.transition[2]], rtol=ROUNDING)


def test_visible_tokens_beyond_the_radius_are_not_used() -> None:
    chain = CHAINS["random_reversible"]
    tokens = chain.sample(20, 5, derive_generator(0, "data")).numpy()
    mask = np.tile(np.arange(5) == 2, (20, 1))
    others = tokens.copy()
    others[:, [0, 4]] = (tokens[:, [0, 4]] + 1) % 3
    np.testing.assert_array_equal(
        visible_posterior(chain, tokens, mask, 1), visible_posterior(chain, others, mask, 1)
    )


@pytest.mark.parametrize("name", CHAINS)
def test_expected_loss_falls_with_the_radius(name: Any) -> None:
    # exact: the loss of every sequence of five tokens, the middle one and its left neighbour hidden
    chain = CHAINS[name]
    tokens = np.array(list(itertools.product(range(3), repeat=5)))
    chances = np.array([weight(chain, states) for states in tokens])
    mask = np.array([[False, True, True, False, False]])
    expected = [
        sum(
            chance * bayes_visible_loss(chain, states[None], mask, radius)
            for chance, states in zip(chances, tokens, strict=True)
        )
        for radius in (0, 1, 2, 3, 4)
    ]
    assert expected[0] > expected[1] > expected[2]
    # every hidden token sees both its neighbours from radius 2 on
    np.testing.assert_allclose(expected[2:], expected[2], rtol=ROUNDING)


def test_loss_of_a_large_sample_falls_with_the_radius() -> None:
    chain = make_chain("random_reversible", 16, 7.0)
    tokens, mask = sample(chain, 2000, 32, 0.5)
    losses = [bayes_visible_loss(chain, tokens, mask, radius) for radius in range(5)]
    # steps are above 0.02 nats; 32,000 hidden tokens settle each to a few thousandths
    assert (np.diff(losses) < -0.01).all()


def test_posteriors_are_laws_where_gaps_are_long() -> None:
    chain = make_chain("random_reversible", 4, 100.0, concentration=0.2)
    tokens = chain.sample(8, 1024, derive_generator(0, "data"))
    mask = torch.ones(8, 1024, dtype=torch.bool)
    mask[:, [0, 1023]] = False
    law = visible_posterior(chain, tokens, mask, None)
    np.testing.assert_allclose(law.sum(axis=1), 1.0, rtol=0, atol=1e-12)


def test_posterior_does_not_read_hidden_places() -> None:
    chain = CHAINS["potts"]
    tokens, mask = case(chain)
    np.testing.assert_array_equal(
        visible_posterior(chain, np.where(mask, 3, tokens), mask, 2),
        visible_posterior(chain, tokens, mask, 2),
    )


def test_tensors_give_the_same_as_arrays() -> None:
    chain = CHAINS["potts"]
    tokens, mask = case(chain)
    assert bayes_visible_loss(
        chain, torch.from_numpy(tokens), torch.from_numpy(mask), 2
    ) == bayes_visible_loss(chain, tokens, mask, 2)


def test_nothing_masked_gives_no_laws() -> None:
    law = visible_posterior(CHAINS["potts"], np.zeros((2, 4), int), np.zeros((2, 4), bool), 2)
    assert law.shape == (0, 3)


def test_nothing_masked_has_no_loss() -> None:
    with pytest.raises(ValueError, match="no token is masked"):
        bayes_visible_loss(CHAINS["potts"], np.zeros((2, 4), int), np.zeros((2, 4), bool), 2)


def test_negative_radius_is_refused() -> None:
    tokens, mask = case(CHAINS["potts"])
    with pytest.raises(ValueError, match="radius is -1"):
        bayes_visible_loss(CHAINS["potts"], tokens, mask, -1)


def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(2, 4\) and mask \(2, 5\)"):
        visible_posterior(CHAINS["potts"], np.zeros((2, 4), int), np.zeros((2, 5), bool), 1)


def swap() -> Any:
    """Two states that always change places."""
    step = np.array([[0.0, 1.0], [1.0, 0.0]])
    return Chain("swap", step, np.array([0.5, 0.5]), np.array([1.0, -1.0]), 1.0, 0.0, 0.0)


@pytest.mark.parametrize("read", [visible_posterior, bayes_visible_loss])
def test_neighbours_that_cannot_both_stand_there_are_refused(read: Any) -> None:
    tokens = np.array([[0, 1, 0], [0, 0, 1]])
    mask = np.array([[False, True, False], [False, True, False]])
    with pytest.raises(ValueError, match="sequence 1 are impossible"):
        read(swap(), tokens, mask, 1)


def test_an_impossible_token_costs_infinitely_much() -> None:
    tokens, mask = np.array([[0, 0, 0]]), np.array([[False, True, False]])
    assert bayes_visible_loss(swap(), tokens, mask, 1) == np.inf
