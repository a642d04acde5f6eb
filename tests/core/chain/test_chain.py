from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import kl_div
from scipy.stats import chisquare

from rgcore.chain import Chain, make_chain, markov_chain
from rgcore.random import derive_generator


def sample(chain: Any, n: Any, length: Any, seed: int = 0) -> Any:
    return chain.sample(n, length, derive_generator(seed, "data")).numpy()


def counts_of_steps(tokens: Any, n_states: Any) -> Any:
    pairs = tokens[:, :-1] * n_states + tokens[:, 1:]
    return np.bincount(pairs.ravel(), minlength=n_states**2).reshape(n_states, n_states)


def test_transitions_of_samples_follow_the_transition_matrix(example: Any) -> None:
    counts = counts_of_steps(sample(example, 2000, 20), example.n_states)
    for row, law in enumerate(example.transition):
        possible = law > 0
        assert (counts[row, ~possible] == 0).all()
        # given how often a state was left, steps are independent: chi-square within the row
        expected = law[possible] * counts[row].sum()
        assert chisquare(counts[row, possible], expected).pvalue > 1e-4


def test_first_token_follows_the_stationary_law(example: Any) -> None:
    counts = np.bincount(sample(example, 20_000, 1)[:, 0], minlength=example.n_states)
    assert chisquare(counts, example.stationary * 20_000).pvalue > 1e-4


@pytest.mark.parametrize("position", [0, 1, 19])
def test_every_position_follows_the_stationary_law(position: int) -> None:
    chain = make_chain("random_reversible", 6, 3.0, 3)
    counts = np.bincount(sample(chain, 20_000, 20)[:, position], minlength=6)
    assert chisquare(counts, chain.stationary * 20_000).pvalue > 1e-3


def test_same_generator_seed_gives_the_same_tokens() -> None:
    chain = make_chain("random_reversible", 5, 2.0)
    np.testing.assert_array_equal(sample(chain, 4, 9, seed=1), sample(chain, 4, 9, seed=1))
    assert (sample(chain, 4, 9, seed=1) != sample(chain, 4, 9, seed=2)).any()


def test_one_generator_goes_on_where_it_stopped() -> None:
    chain = make_chain("potts", 5, 2.0)
    generator = derive_generator(0, "data")
    first, second = (chain.sample(8, 8, generator) for _ in range(2))
    assert not torch.equal(first, second)


def test_samples_are_contiguous_long_tensors_on_the_cpu() -> None:
    tokens = make_chain("potts", 3, 1.0).sample(4, 7, derive_generator(0, "data"))
    assert tokens.shape == (4, 7)
    assert tokens.dtype == torch.int64
    assert tokens.is_contiguous()
    assert tokens.device.type == "cpu"


def test_sampling_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    sample(make_chain("random_reversible", 3, 1.0), 4, 7)
    assert torch.equal(torch.get_rng_state(), before)


def test_forbidden_steps_never_happen() -> None:
    # a walk on a path of three states that never stays: 0 <-> 1 <-> 2
    step = np.array([[0.0, 1.0, 0.0], [0.5, 0.0, 0.5], [0.0, 1.0, 0.0]])
    chain = Chain("walk", step, np.array([0.25, 0.5, 0.25]), np.array([1.0, -1.0, 0.0]), 1, 0, 0)
    counts = counts_of_steps(sample(chain, 500, 20), 3)
    assert (counts[step == 0] == 0).all()
    assert (counts[step > 0] > 0).all()


def test_distribution_functions_end_at_one_whatever_rounding_does() -> None:
    # ten times 0.1 sums to less than 1, and the last state has probability zero
    row = np.array([0.1] * 10 + [0.0])
    assert np.cumsum(row)[-1] < 1.0
    chain = Chain("edge", np.tile(row, (11, 1)), row, np.ones(11), 1.0, 0.0, 0.0)
    assert (chain.cumulative[:, -2:] == 1.0).all()


def test_entropy_rate_of_potts_is_the_closed_form() -> None:
    for n_states, corr_len in ((2, 1.0), (7, 3.0), (16, 0.05), (16, 500.0)):
        chain = make_chain("potts", n_states, corr_len)
        kept = np.exp(-1 / corr_len)
        move = (1 - kept) / n_states
        stay = kept + move
        expected = -stay * np.log(stay) - (n_states - 1) * move * np.log(move)
        assert chain.entropy_rate == pytest.approx(expected, rel=1e-12)  # rounding
        assert chain.unigram_entropy == pytest.approx(np.log(n_states), rel=1e-14)


def brute_force_information(chain: Any, lag: Any) -> Any:
    """By the definition, over all paths of the states in between."""
    joint = np.diag(chain.stationary)
    for _ in range(lag):
        steps = [np.outer(joint[:, k], chain.transition[k]) for k in range(chain.n_states)]
        joint = np.asarray(sum(steps))
    independent = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    return float(kl_div(joint, independent).sum())


def test_mutual_information_is_that_of_the_joint_law(example: Any) -> None:
    expected = [brute_force_information(example, lag) for lag in range(1, 9)]
    # the difference of logarithms keeps 1e-15 absolute
    np.testing.assert_allclose(example.mutual_information(8), expected, rtol=0, atol=1e-14)


def test_mutual_information_of_the_next_token_is_the_entropy_difference(example: Any) -> None:
    expected = example.unigram_entropy - example.entropy_rate
    assert example.mutual_information(1)[0] == pytest.approx(expected, abs=1e-13)  # rounding


def test_tail_of_the_mutual_information_decays_with_twice_the_rate() -> None:
    # I(r) -> (V - 1) / 2 l^(2r) for potts; corrections are V l^r = 1e-6 of it at r = 30, and
    # rounding is eps / l^r = 1e-6 of it at r = 45
    chain = make_chain("potts", 4, 2.0)
    lags = np.arange(30, 46)
    tail = chain.mutual_information(45)[lags - 1]
    np.testing.assert_allclose(tail, 1.5 * np.exp(-2 * lags / 2.0), rtol=1e-5)


def test_mutual_information_with_forbidden_steps_is_finite() -> None:
    step = np.array([[0.0, 1.0], [1.0, 0.0]])
    chain = markov_chain("swap", step * 0.999 + 0.001 * np.eye(2), np.array([0.5, 0.5]))
    assert np.isfinite(chain.mutual_information(5)).all()
    bare = Chain("swap", step, np.array([0.5, 0.5]), np.array([1.0, -1.0]), 1.0, 0.0, 0.0)
    np.testing.assert_allclose(bare.mutual_information(3), np.log(2), rtol=1e-15)  # a bit


def test_mutual_information_needs_a_lag() -> None:
    with pytest.raises(ValueError, match="max_lag is 0"):
        make_chain("potts", 2, 1.0).mutual_information(0)
