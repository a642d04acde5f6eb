import itertools
from typing import Any

import numpy as np
import pytest
import torch

from rgcore.chain import Chain, bayes_masked_loss, bayes_posterior, make_chain
from rgcore.chain.bayes import CHUNK_VALUES
from rgcore.random import derive_generator


def weight(chain: Any, states: Any) -> Any:
    """Probability of one sequence."""
    steps = [chain.transition[a, b] for a, b in itertools.pairwise(states)]
    return chain.stationary[states[0]] * np.prod(steps)


def enumerated(chain: Any, tokens: Any, mask: Any) -> Any:
    """Posterior (n, T, V) by summing over every way to fill in the hidden tokens."""
    n, length = tokens.shape
    posterior = np.zeros((n, length, chain.n_states))
    for row in range(n):
        options = [
            range(chain.n_states) if hidden else [token]
            for token, hidden in zip(tokens[row], mask[row], strict=True)
        ]
        for states in itertools.product(*options):
            posterior[row, range(length), list(states)] += weight(chain, states)
    return posterior / posterior.sum(axis=2, keepdims=True)


def all_masks(length: Any) -> Any:
    return np.array(list(itertools.product([False, True], repeat=length)))


def case(
    family: str = "random_reversible", n_states: int = 3, corr_len: float = 1.5, length: int = 5
) -> Any:
    """Every mask of a short sequence: both edges, nothing hidden and all hidden among them."""
    chain = make_chain(family, n_states, corr_len, 2)
    mask = all_masks(length)
    tokens = chain.sample(len(mask), length, derive_generator(0, "data")).numpy()
    return chain, tokens, mask


@pytest.mark.parametrize("family", ["potts", "random_reversible"])
@pytest.mark.parametrize(("n_states", "length"), [(2, 6), (3, 5), (4, 1)])
@pytest.mark.parametrize("corr_len", [0.2, 1.5, 30.0])
def test_posterior_is_that_of_enumeration(
    family: str, n_states: int, length: int, corr_len: float
) -> None:
    chain, tokens, mask = case(family, n_states, corr_len, length)
    np.testing.assert_allclose(
        bayes_posterior(chain, tokens, mask),
        enumerated(chain, tokens, mask),
        rtol=1e-12,  # some tens of float64 operations
    )


def test_posterior_of_a_chain_without_reversal_is_that_of_enumeration() -> None:
    # a drift around a ring tells forward from backward, which no reversible chain does
    step = np.array([[0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.8, 0.1, 0.1]])
    chain = Chain("ring", step, np.full(3, 1 / 3), np.linalg.eigvals(step), 1.0, 0.0, 0.0)
    mask = all_masks(4)
    tokens = chain.sample(len(mask), 4, derive_generator(0, "data")).numpy()
    np.testing.assert_allclose(
        bayes_posterior(chain, tokens, mask), enumerated(chain, tokens, mask), rtol=1e-12
    )


def test_loss_is_the_mean_log_of_the_enumerated_posterior() -> None:
    chain, tokens, mask = case()
    law = np.take_along_axis(enumerated(chain, tokens, mask), tokens[:, :, None], axis=2)
    expected = -np.log(law[:, :, 0])[mask].mean()
    assert bayes_masked_loss(chain, tokens, mask) == pytest.approx(expected, rel=1e-12)


def test_all_masked_posterior_is_the_stationary_law() -> None:
    chain = make_chain("random_reversible", 6, 7.0)
    posterior = bayes_posterior(chain, np.zeros((2, 40), int), np.ones((2, 40), bool))
    np.testing.assert_allclose(posterior, np.broadcast_to(chain.stationary, (2, 40, 6)), rtol=1e-12)


def test_visible_tokens_are_certain() -> None:
    chain, tokens, mask = case()
    posterior = bayes_posterior(chain, tokens, mask)
    np.testing.assert_array_equal(posterior[~mask], np.eye(3)[tokens[~mask]])


def test_what_stands_at_hidden_places_is_not_read() -> None:
    chain, tokens, mask = case()
    np.testing.assert_array_equal(
        bayes_posterior(chain, np.where(mask, 3, tokens), mask),
        bayes_posterior(chain, tokens, mask),
    )


def test_tensors_give_the_same_as_arrays() -> None:
    chain, tokens, mask = case()
    assert bayes_masked_loss(
        chain, torch.from_numpy(tokens), torch.from_numpy(mask)
    ) == bayes_masked_loss(chain, tokens, mask)


def test_chunks_give_the_same_loss_as_the_parts_of_the_sample() -> None:
    chain = make_chain("potts", 64, 2.0)
    rows = CHUNK_VALUES // (64 * 64)  # of 64 tokens and 64 states, taken at a time
    tokens = chain.sample(rows + 5, 64, derive_generator(0, "data"))
    mask = torch.rand(rows + 5, 64, generator=derive_generator(0, "mask")) < 0.3
    parts = [slice(0, 100), slice(100, rows + 5)]  # cut elsewhere, neither takes two chunks
    total = sum(
        int(mask[part].sum()) * bayes_masked_loss(chain, tokens[part], mask[part]) for part in parts
    )
    whole = bayes_masked_loss(chain, tokens, mask)
    assert whole == pytest.approx(total / int(mask.sum()), rel=1e-13)  # order of summation


def test_loss_lies_between_nothing_and_the_unigram_entropy() -> None:
    chain = make_chain("random_reversible", 16, 7.0)
    tokens = chain.sample(500, 32, derive_generator(1, "data"))
    mask = torch.rand(500, 32, generator=derive_generator(1, "mask")) < 0.15
    loss = bayes_masked_loss(chain, tokens, mask)
    # both neighbours say more than one of them, most of the time
    assert 0 < loss < chain.entropy_rate < chain.unigram_entropy


def test_long_gaps_of_a_slow_chain_do_not_underflow() -> None:
    chain = make_chain("random_reversible", 4, 100.0, concentration=0.2)
    tokens = chain.sample(8, 1024, derive_generator(0, "data"))
    mask = torch.ones(8, 1024, dtype=torch.bool)
    mask[:, [0, 1023]] = False
    posterior = bayes_posterior(chain, tokens, mask)
    np.testing.assert_allclose(posterior.sum(axis=2), 1.0, rtol=0, atol=1e-12)


def test_nothing_masked_is_refused() -> None:
    chain = make_chain("potts", 3, 1.0)
    with pytest.raises(ValueError, match="no token is masked"):
        bayes_masked_loss(chain, np.zeros((2, 4), int), np.zeros((2, 4), bool))


def test_shapes_that_differ_are_refused() -> None:
    chain = make_chain("potts", 3, 1.0)
    with pytest.raises(ValueError, match=r"\(2, 4\) and mask \(2, 5\)"):
        bayes_posterior(chain, np.zeros((2, 4), int), np.zeros((2, 5), bool))


@pytest.mark.parametrize("token", [-1, 3])
def test_tokens_that_are_no_states_are_refused(token: int) -> None:
    chain = make_chain("potts", 3, 1.0)
    mask = np.array([[False, True]])
    with pytest.raises(ValueError, match="allowed: 0 to 2"):
        bayes_posterior(chain, np.array([[token, 0]]), mask)
    with pytest.raises(ValueError, match="allowed: 0 to 2"):
        bayes_masked_loss(chain, np.array([[0, token]]), mask)


@pytest.mark.parametrize("middle", [False, True])
def test_visible_tokens_that_cannot_follow_each_other_are_refused(middle: bool) -> None:
    swap = np.array([[0.0, 1.0], [1.0, 0.0]])
    chain = Chain("swap", swap, np.array([0.5, 0.5]), np.array([1.0, -1.0]), 1.0, 0.0, 0.0)
    tokens = np.array([[0, 1, 0], [0, 0, 1]])
    mask = np.array([[False, False, False], [False, middle, False]])
    with pytest.raises(ValueError, match="sequence 1 are impossible"):
        bayes_posterior(chain, tokens, mask)
