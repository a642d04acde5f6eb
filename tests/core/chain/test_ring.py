from typing import Any

import numpy as np
import pytest

from rgcore.chain import make_chain

SIZES = [2, 3, 4, 5, 16, 64]


def walk_eigenvalues(n_states: Any, hop: Any) -> Any:
    """1 - 2p (1 - cos 2 pi k/V), by falling modulus."""
    values = 1 - 2 * hop * (1 - np.cos(2 * np.pi * np.arange(n_states) / n_states))
    return np.sort(values)[::-1]  # none is negative


def reach(n_states: Any) -> Any:
    """The shortest correlation length of a walk that stays half of the time; 0 for two states."""
    slowest = walk_eigenvalues(n_states, 0.25)[1]
    return -1 / np.log(slowest) if slowest > 1e-12 else 0.0


@pytest.mark.parametrize("n_states", SIZES)
@pytest.mark.parametrize("beyond", [1.001, 3.0, 100.0])
def test_within_reach_the_spectrum_is_that_of_the_walk(n_states: Any, beyond: float) -> None:
    corr_len = max(reach(n_states), 0.3) * beyond
    second = np.exp(-1 / corr_len)
    hop = (1 - second) / (2 * (1 - np.cos(2 * np.pi / n_states)))
    chain = make_chain("ring", n_states, corr_len)
    np.testing.assert_allclose(
        chain.eigenvalues, walk_eigenvalues(n_states, hop), rtol=0, atol=1e-10
    )


@pytest.mark.parametrize("n_states", SIZES[1:])
@pytest.mark.parametrize("corr_len", [0.05, 0.3, 0.7])
def test_below_reach_every_eigenvalue_is_scaled_alike(n_states: Any, corr_len: float) -> None:
    assert corr_len < reach(n_states) + 1e-3
    walk = walk_eigenvalues(n_states, 0.25)
    expected = walk * np.exp(-1 / corr_len) / walk[1]
    expected[0] = 1.0
    chain = make_chain("ring", n_states, corr_len)
    np.testing.assert_allclose(chain.eigenvalues, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("n_states", SIZES)
def test_within_reach_only_neighbours_follow(n_states: Any) -> None:
    chain = make_chain("ring", n_states, max(reach(n_states), 0.3) * 2)
    state = np.arange(n_states)
    apart = (state[:, None] - state) % n_states
    far = ~np.isin(apart, [0, 1, n_states - 1])
    assert (chain.transition[far] == 0).all()


@pytest.mark.parametrize("n_states", SIZES)
@pytest.mark.parametrize("corr_len", [0.05, 0.5, 2.0, 50.0])
def test_transition_depends_on_the_distance_alone(n_states: Any, corr_len: float) -> None:
    step = make_chain("ring", n_states, corr_len).transition
    for shift in range(n_states):
        np.testing.assert_array_equal(np.roll(step, (shift, shift), axis=(0, 1)), step)


def test_matrix_is_continuous_at_the_reach() -> None:
    edge = reach(16)
    below = make_chain("ring", 16, edge * (1 - 1e-9)).transition
    above = make_chain("ring", 16, edge * (1 + 1e-9)).transition
    np.testing.assert_allclose(below, above, atol=1e-9)  # the step in xi, and nothing more
    assert (below >= 0).all()


@pytest.mark.parametrize("n_states", [2, 3])
def test_on_two_and_three_states_the_walk_is_potts(n_states: int) -> None:
    for corr_len in (1.0, 20.0):
        np.testing.assert_allclose(
            make_chain("ring", n_states, corr_len).transition,
            make_chain("potts", n_states, corr_len).transition,
            rtol=1e-13,
        )
