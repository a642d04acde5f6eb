from typing import Any

import numpy as np
import pytest

from rgcore.chain import ChainError, make_chain


def refusal(matrix: Any, **own: Any) -> Any:
    with pytest.raises(ChainError) as caught:
        make_chain("explicit", matrix=matrix, **own)
    return caught.value


def cycle(n_states: Any, hold: Any) -> Any:
    """Stay with probability `hold`, go one step around otherwise; circulant."""
    stay = np.eye(n_states)
    return hold * stay + (1 - hold) * np.roll(stay, 1, axis=1)


@pytest.mark.parametrize("n_states", [3, 5, 16])
@pytest.mark.parametrize("hold", [0.1, 0.25, 0.7])
def test_eigenvalues_of_a_drift_around_a_ring_are_its_complex_ones(
    n_states: int, hold: float
) -> None:
    chain = make_chain("explicit", matrix=cycle(n_states, hold))
    angle = 2j * np.pi * np.arange(n_states) / n_states
    expected = hold + (1 - hold) * np.exp(angle)
    # pairs of one modulus may come in either order
    np.testing.assert_allclose(
        np.sort_complex(chain.eigenvalues.round(10)), np.sort_complex(expected.round(10)), atol=1e-9
    )
    assert (np.diff(np.abs(chain.eigenvalues)) <= 1e-15).all()
    second = np.sort(np.abs(expected))[-2]
    assert chain.corr_len == pytest.approx(-1 / np.log(second), rel=1e-12)


@pytest.mark.parametrize(("up", "down"), [(0.1, 0.3), (0.9, 0.2), (1e-6, 1e-3)])
def test_two_states_have_the_closed_form(up: float, down: float) -> None:
    chain = make_chain("explicit", matrix=[[1 - up, up], [down, 1 - down]])
    assert chain.eigenvalues[1] == pytest.approx(1 - up - down, abs=1e-15)
    np.testing.assert_allclose(chain.stationary, np.array([down, up]) / (up + down), rtol=1e-13)


def test_stationary_law_of_a_biased_path_is_geometric_to_its_last_digit() -> None:
    n_states, up, down = 20, 0.01, 0.5  # pi_i ~ (up / down)^i, down to 1e-32
    matrix = np.diag(np.full(n_states - 1, up), 1) + np.diag(np.full(n_states - 1, down), -1)
    matrix += np.diag(1 - matrix.sum(axis=1))
    law = (up / down) ** np.arange(n_states)
    chain = make_chain("explicit", matrix=matrix)
    np.testing.assert_allclose(chain.stationary, law / law.sum(), rtol=1e-12)  # V roundings each


def test_matrix_of_another_family_gives_that_chain() -> None:
    chain = make_chain("random_reversible", 16, 3.0, 1)
    again = make_chain("explicit", matrix=chain.transition.tolist())
    np.testing.assert_allclose(again.stationary, chain.stationary, rtol=1e-12)
    np.testing.assert_allclose(again.eigenvalues, chain.eigenvalues, rtol=0, atol=1e-13)
    assert again.corr_len == pytest.approx(3.0, rel=1e-12)
    assert again.reversible


def test_matrix_given_to_nine_digits_is_brought_to_rows_of_sum_one() -> None:
    chain = make_chain("explicit", matrix=[[0.333333333, 0.333333333, 0.333333333]] * 3)
    np.testing.assert_array_equal(chain.transition, np.full((3, 3), 1 / 3))


def test_matrix_that_was_given_is_left_alone() -> None:
    given = cycle(3, 0.5)
    make_chain("explicit", matrix=given)
    assert given.flags.writeable
    np.testing.assert_array_equal(given, cycle(3, 0.5))


def test_equal_rows_have_no_memory() -> None:
    chain = make_chain("explicit", matrix=[[0.2, 0.3, 0.5]] * 3)
    assert chain.corr_len == 0.0
    np.testing.assert_array_equal(chain.eigenvalues, [1.0, 0.0, 0.0])
    np.testing.assert_allclose(chain.mutual_information(3), 0.0, atol=1e-15)


def window_of_bits(n_bits: Any) -> Any:
    """States are the last n fair coins: all is forgotten after n steps, and not before."""
    size = 2**n_bits
    matrix = np.zeros((size, size))
    for state in range(size):
        for coin in range(2):
            matrix[state, (2 * state + coin) % size] = 0.5
    return matrix


@pytest.mark.parametrize("n_bits", [2, 3, 5])
def test_memory_that_ends_has_correlation_length_zero_but_information_before(n_bits: int) -> None:
    chain = make_chain("explicit", matrix=window_of_bits(n_bits))
    assert chain.corr_len == 0.0
    expected = [max(n_bits - lag, 0) * np.log(2) for lag in range(1, n_bits + 2)]  # shared coins
    np.testing.assert_allclose(chain.mutual_information(n_bits + 1), expected, atol=1e-14)


def test_fast_but_endless_forgetting_is_told_from_memory_that_ends() -> None:
    for kept in (1e-3, 1e-6):
        matrix = (1 - kept) * window_of_bits(2) + kept * np.eye(4)
        chain = make_chain("explicit", matrix=matrix)
        # a Jordan block of size 2: good to the square root of epsilon
        assert abs(chain.eigenvalues[1]) == pytest.approx(kept, abs=1e-7)
        assert chain.corr_len > 0


def test_numbers_that_follow_from_the_matrix_may_be_given() -> None:
    chain = make_chain("explicit", 2, 1 / np.log(2), matrix=[[0.75, 0.25], [0.25, 0.75]])
    assert chain.corr_len == pytest.approx(1 / np.log(2), rel=1e-13)
    assert make_chain("explicit", 2, 0.0, matrix=[[0.5, 0.5], [0.5, 0.5]]).corr_len == 0.0


@pytest.mark.parametrize(
    ("matrix", "reason"),
    [
        ([[0.5, 0.5], [1.0]], "rows differ in length"),
        ([[0.5, 0.5]], r"its shape is (1, 2)"),
        ([0.5, 0.5], r"its shape is (2,)"),
        ([[1.0]], r"its shape is (1, 1)"),
        ([], r"its shape is (0,)"),
        ([["a", "b"], ["c", "d"]], "its entries are of type"),
        ([[None, 1.0], [0.5, 0.5]], "its entries are of type"),
        ([[0.5j, 1.0], [0.5, 0.5]], "its entries are of type"),
        ([[0.5, 0.5], [float("nan"), 0.5]], "P[1, 0] is nan"),
        ([[0.5, float("inf")], [0.5, 0.5]], "P[0, 1] is inf"),
        ([[1.5, -0.5], [0.5, 0.5]], "P[0, 1] is -0.5"),
        ([[0.5, 0.5], [0.5, 0.4]], "row 1 sums to 0.9"),
        ([[0.5, 0.5], [0.5, 0.5 + 2e-6]], "row 1 sums to 1.000002"),
        ([[1.0, 0.0], [0.0, 1.0]], "state 1 cannot be reached from 0"),
        ([[0.5, 0.5, 0], [0.5, 0.5, 0], [0, 0.5, 0.5]], "state 2 cannot be reached from 0"),
        ([[0, 0.5, 0.5], [0, 0.5, 0.5], [0, 0.5, 0.5]], "state 0 cannot be reached from 1"),
        ([[0.0, 1.0], [1.0, 0.0]], "multiples of 2 steps"),
        (cycle(5, 0.0), "multiples of 5 steps"),
        (cycle(6, 0.0) @ cycle(6, 0.0) @ cycle(6, 0.0) / 2 + cycle(6, 0.0) / 2, "of 2 steps"),
        (cycle(2, 1 - 1e-13), "the chain does not mix"),
        (cycle(2, 1e-13), "the chain does not mix"),
    ],
)
def test_matrix_of_no_such_chain_is_refused_saying_why(matrix: Any, reason: str) -> None:
    error = refusal(matrix)
    assert error.field == "matrix"
    assert reason in str(error)
    assert error.allowed in str(error)


def test_state_too_rare_for_float64_is_refused() -> None:
    up, down, n_states = 1e-3, 0.9, 200  # pi_i ~ 1e-3^i
    matrix = np.diag(np.full(n_states - 1, up), 1) + np.diag(np.full(n_states - 1, down), -1)
    matrix += np.diag(1 - matrix.sum(axis=1))
    assert "too small for float64" in str(refusal(matrix))


def test_other_number_of_states_is_refused_with_the_right_one() -> None:
    error = refusal(cycle(3, 0.5), n_states=4)
    assert error.field == "n_states"
    assert "3, which matrix fixes" in str(error)


def test_other_correlation_length_is_refused_with_the_right_one() -> None:
    error = refusal([[0.75, 0.25], [0.25, 0.75]], corr_len=2.0)
    assert error.field == "corr_len"
    assert "1.442695041" in str(error)  # 1 / ln 2
