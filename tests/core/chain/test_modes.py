"""What is known of every chain beside its matrix: eigenvectors, the way back, the null."""

from typing import Any

import numpy as np
import pytest

from rgcore.chain import make_chain

ROUNDING = 1e-13
"""Some V epsilons, V up to 64."""


def pi_products(chain: Any, vectors: Any) -> Any:
    """sum_i pi_i conj(r_ia) r_ib."""
    return np.conj(vectors.T) @ (chain.stationary[:, None] * vectors)


def test_right_eigenvectors_belong_to_the_eigenvalues_in_order(example: Any) -> None:
    vectors = example.right_eigenvectors()
    assert vectors.shape == (example.n_states, example.n_states - 1)
    np.testing.assert_allclose(
        example.transition @ vectors, vectors * example.eigenvalues[1:], rtol=0, atol=ROUNDING
    )


def test_right_eigenvectors_have_mean_zero_and_variance_one(example: Any) -> None:
    vectors = example.right_eigenvectors()
    np.testing.assert_allclose(example.stationary @ vectors, 0.0, atol=ROUNDING)
    np.testing.assert_allclose(np.diag(pi_products(example, vectors)), 1.0, rtol=ROUNDING)


def test_right_eigenvectors_of_a_reversible_chain_are_real_and_uncorrelated(
    reversible_example: Any,
) -> None:
    vectors = reversible_example.right_eigenvectors()
    assert np.isrealobj(vectors)
    found = pi_products(reversible_example, vectors)
    np.testing.assert_allclose(found, np.eye(vectors.shape[1]), rtol=0, atol=ROUNDING)


def test_slow_chain_has_eigenvectors_of_mean_zero_too() -> None:
    # the eigenvalue 1 - 1e-6 is told from the trivial one: mixed, the mean would be eps / 1e-6
    chain = make_chain("random_reversible", 16, 1e6)
    mean = chain.stationary @ chain.right_eigenvectors()
    np.testing.assert_allclose(mean, 0.0, atol=1e-14)


def test_each_column_of_a_defective_eigenvalue_is_an_eigenvector() -> None:
    # (l - 1/4)^2 divides the characteristic polynomial, and P - 1/4 still has rank 2
    matrix = [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.125, 0.375, 0.5]]
    chain = make_chain("explicit", matrix=matrix)
    values, vectors = chain.eigenvalues[1:], chain.right_eigenvectors()
    np.testing.assert_allclose(values, 0.25, atol=1e-7)  # the square root of epsilon
    np.testing.assert_allclose(chain.transition @ vectors, vectors * values, atol=ROUNDING)
    overlap = np.abs(pi_products(chain, vectors)[0, 1])
    assert overlap == pytest.approx(1.0, abs=1e-7)  # one direction, twice


def test_mean_of_an_eigenvector_after_some_steps_decays_as_its_eigenvalue() -> None:
    chain = make_chain("explicit", matrix=[[0.25, 0.75, 0], [0, 0.25, 0.75], [0.75, 0, 0.25]])
    vectors = chain.right_eigenvectors()
    ahead = np.linalg.matrix_power(chain.transition, 4) @ vectors
    np.testing.assert_allclose(ahead, vectors * chain.eigenvalues[1:] ** 4, atol=ROUNDING)


def test_reversible_says_whether_flows_are_in_balance(example: Any) -> None:
    flow = example.stationary[:, None] * example.transition
    assert example.reversible == np.allclose(flow, flow.T, rtol=0, atol=1e-10)


def test_drift_around_a_ring_is_not_reversible_and_a_path_is() -> None:
    drift = [[0.25, 0.75, 0.0], [0.0, 0.25, 0.75], [0.75, 0.0, 0.25]]
    path = [[0.5, 0.5, 0.0], [0.25, 0.0, 0.75], [0.0, 0.5, 0.5]]
    assert not make_chain("explicit", matrix=drift).reversible
    assert make_chain("explicit", matrix=path).reversible


def test_reversed_transition_is_that_of_the_joint_law_read_backwards(example: Any) -> None:
    joint = example.stationary[:, None] * example.transition  # of two tokens in a row
    backwards = joint.T / joint.sum(axis=0)[:, None]
    np.testing.assert_allclose(example.reversed_transition, backwards, rtol=0, atol=ROUNDING)


def test_reversed_drift_runs_the_other_way() -> None:
    step = np.array([[0.25, 0.75, 0.0], [0.0, 0.25, 0.75], [0.75, 0.0, 0.25]])
    chain = make_chain("explicit", matrix=step)
    np.testing.assert_allclose(chain.reversed_transition, step.T, atol=ROUNDING)


def test_shuffled_keeps_the_stationary_law_and_nothing_else(example: Any) -> None:
    null = example.shuffled()
    np.testing.assert_array_equal(null.stationary, example.stationary)
    for row in null.transition:
        np.testing.assert_array_equal(row, example.stationary)


def test_shuffled_has_no_memory(example: Any) -> None:
    null = example.shuffled()
    assert null.corr_len == 0.0
    assert null.reversible
    np.testing.assert_array_equal(null.eigenvalues, np.eye(example.n_states)[0])
    np.testing.assert_array_equal(null.mutual_information(4), 0.0)
    assert null.entropy_rate == null.unigram_entropy == example.unigram_entropy


def test_shuffled_has_eigenvectors_of_eigenvalue_zero(example: Any) -> None:
    null = example.shuffled()
    vectors = null.right_eigenvectors()
    np.testing.assert_allclose(null.transition @ vectors, 0.0, atol=ROUNDING)
    np.testing.assert_allclose(np.diag(pi_products(null, vectors)), 1.0, rtol=ROUNDING)


def test_shuffled_is_named_after_its_chain() -> None:
    assert make_chain("potts", 4, 2.0).shuffled().family == "potts, shuffled"


def test_shuffled_arrays_cannot_be_written() -> None:
    null = make_chain("potts", 4, 2.0).shuffled()
    for array in (null.transition, null.stationary, null.eigenvalues):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.0
