"""The correlation length of any matrix: against closed forms, and against 60 digits."""

import itertools
import math
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rgcore.chain import make_chain

DIGITS = 60
EXAMPLES = settings(max_examples=40, deadline=None, derandomize=True)

probability = st.floats(0.02, 0.98)
seed = st.integers(0, 2**32 - 1)

CPG = [  # of CpG islands, Durbin et al. 1998, table 3.1
    [0.180, 0.274, 0.426, 0.120],
    [0.171, 0.368, 0.274, 0.187],
    [0.161, 0.339, 0.375, 0.125],
    [0.079, 0.355, 0.384, 0.182],
]


def chain_of(matrix: Any) -> Any:
    return make_chain("explicit", matrix=np.asarray(matrix, float))


def length(second: Any) -> Any:
    return 0.0 if second == 0 else -1 / math.log(second)


def by_60_digits(matrix: Any) -> Any:
    """|l2| of the matrix as it stands."""
    with mpmath.workdps(DIGITS):
        values = mpmath.eig(mpmath.matrix(matrix.tolist()), left=False, right=False)
        return float(sorted(map(abs, values))[-2])


def shuffled(matrix: Any, seed: Any) -> Any:
    """The same chain, its states in another order."""
    order = np.random.default_rng(seed).permutation(len(matrix))
    return matrix[np.ix_(order, order)]


def last_tosses(order: Any, law: Any) -> Any:
    """States are the last so many tosses of a die of this law: a de Bruijn graph."""
    faces = len(law)
    matrix = np.zeros((faces**order, faces**order))
    for state, face in itertools.product(range(faces**order), range(faces)):
        matrix[state, (faces * state + face) % faces**order] = law[face]
    return matrix


def success_runs(n_states: Any, more: Any) -> Any:
    """The length of a run, up to a largest: one more, or none."""
    matrix = np.diag(np.full(n_states - 1, more), 1)
    matrix[-1, -1] = more
    matrix[:, 0] += 1 - more
    return matrix


def stages(stays: Any, reset: Any) -> Any:
    """Stay in a stage, go on to the next, or begin anew; the last one stays or begins anew."""
    matrix = np.diag(np.append(stays, 1 - reset)) + np.diag(1 - reset - np.array(stays), 1)
    matrix[:, 0] += reset
    return matrix


def birth_death(n_states: Any, up: Any, down: Any) -> Any:
    matrix = np.diag(np.full(n_states - 1, up), 1) + np.diag(np.full(n_states - 1, down), -1)
    return matrix + np.diag(1 - matrix.sum(axis=1))


def of_birth_death(n_states: Any, up: Any, down: Any) -> Any:
    """|l2| of `birth_death`, reflected at both ends, in closed form (Feller 1968, XVI.3)."""
    turn = 2 * math.sqrt(up * down)
    values = [1 - up - down + turn * math.cos(math.pi * k / n_states) for k in range(1, n_states)]
    return max(map(abs, values))


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (last_tosses(2, [0.5, 0.5]), 0.0),
        (success_runs(6, 0.5), 0.0),
        (birth_death(40, 0.01, 0.9), length(of_birth_death(40, 0.01, 0.9))),
        (birth_death(48, 0.05, 0.6), length(of_birth_death(48, 0.05, 0.6))),
        (stages([0.5] * 11, 0.2), 1 / math.log(2)),
        (np.array([[0.3, 0.7], [0.2999999999995, 0.7000000000005]]), length(5e-13)),
    ],
)
def test_the_length_is_the_exact_one_where_a_solver_finds_another(
    matrix: Any, expected: Any
) -> None:
    found = chain_of(matrix)
    assert found.corr_len == pytest.approx(expected, rel=1e-5 if expected < 0.1 else 1e-12)


@EXAMPLES
@given(order=st.integers(2, 4), faces=st.integers(2, 3), draw=seed)
def test_a_memory_that_ends_has_length_zero(order: Any, faces: Any, draw: Any) -> None:
    law = np.random.default_rng(draw).dirichlet(np.ones(faces))
    assert chain_of(shuffled(last_tosses(order, law), draw)).corr_len == 0.0


@EXAMPLES
@given(n_states=st.integers(3, 128), more=probability, draw=seed)
def test_runs_of_success_are_forgotten_at_the_first_failure(
    n_states: Any, more: Any, draw: Any
) -> None:
    if (n_states - 1) * math.log(more) < math.log(1e-299):  # too rare a state
        n_states = 3
    assert chain_of(shuffled(success_runs(n_states, more), draw)).corr_len == 0.0


@EXAMPLES
@given(n_states=st.integers(3, 40), more=probability, hold=st.floats(0.01, 0.9))
def test_staying_now_and_then_is_all_the_memory_of_a_lazy_one(
    n_states: Any, more: Any, hold: Any
) -> None:
    lazy = hold * np.eye(n_states) + (1 - hold) * success_runs(n_states, more)
    assert chain_of(lazy).corr_len == pytest.approx(length(hold), rel=1e-10)


@EXAMPLES
@given(stays=st.lists(st.floats(0.01, 0.7), min_size=2, max_size=60), draw=seed)
def test_stages_in_a_row_remember_as_long_as_the_one_that_stays_longest(
    stays: Any, draw: Any
) -> None:
    found = chain_of(shuffled(stages(stays, 0.25), draw))
    assert found.corr_len == pytest.approx(length(max(stays)), rel=1e-10)


@EXAMPLES
@given(n_states=st.integers(3, 60), up=st.floats(0.01, 0.5), down=st.floats(0.01, 0.5))
def test_birth_and_death_have_the_closed_form(n_states: Any, up: Any, down: Any) -> None:
    second = of_birth_death(n_states, up, down)
    found = chain_of(birth_death(n_states, up, down))
    assert abs(found.eigenvalues[1]) == pytest.approx(second, abs=1e-13)
    assert found.reversible


@EXAMPLES
@given(n_states=st.integers(2, 7), spread=st.sampled_from([0.05, 0.3, 1.0, 5.0]), draw=seed)
def test_any_matrix_has_the_length_that_60_digits_give(
    n_states: Any, spread: Any, draw: Any
) -> None:
    random = np.random.default_rng(draw)
    matrix = random.dirichlet(np.full(n_states, spread), n_states)
    matrix = np.maximum(0.98 * matrix, 1e-9) + 0.02 * np.eye(n_states)
    chain = chain_of(matrix / matrix.sum(axis=1, keepdims=True))
    second = by_60_digits(chain.transition)
    assert abs(chain.eigenvalues[1]) == pytest.approx(second, rel=1e-9)
    assert abs(chain.corr_len - length(second)) <= chain.corr_len_error


@EXAMPLES
@given(order=st.integers(2, 3), weight=st.floats(1e-12, 1e-2), draw=seed)
def test_the_error_covers_the_length_of_a_chain_that_is_nearly_one_without_memory(
    order: Any, weight: Any, draw: Any
) -> None:
    random = np.random.default_rng(draw).dirichlet(np.ones(2**order), 2**order)
    chain = chain_of((1 - weight) * last_tosses(order, [0.5, 0.5]) + weight * random)
    second = by_60_digits(chain.transition)
    assert abs(chain.corr_len - length(second)) <= chain.corr_len_error


@pytest.mark.parametrize("lag", range(1, 13))
def test_a_table_seen_at_every_kth_token_has_its_length_over_k_and_no_balance(lag: Any) -> None:
    chain, seen = chain_of(CPG), chain_of(np.linalg.matrix_power(CPG, lag))
    assert seen.corr_len == pytest.approx(chain.corr_len / lag, rel=1e-5)
    second = by_60_digits(seen.transition)
    assert abs(seen.eigenvalues[1]) == pytest.approx(second, rel=1e-12)
    assert not seen.reversible or second < 1e-13


@pytest.mark.parametrize("lag", range(1, 30))
def test_balance_is_seen_at_every_lag(lag: Any) -> None:
    chain = make_chain("random_reversible", 8, 1.5, 3)
    seen = chain_of(np.linalg.matrix_power(chain.transition, lag))
    assert seen.reversible
    expected = math.exp(-lag / 1.5)
    assert abs(seen.eigenvalues[1]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("lag", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("matrix", [last_tosses(4, [0.3, 0.7]), success_runs(12, 0.6)])
def test_a_memory_that_ends_ends_at_every_lag(matrix: Any, lag: int) -> None:
    assert chain_of(np.linalg.matrix_power(matrix, lag)).corr_len == 0.0


@pytest.mark.parametrize("lag", [1, 2, 3, 5, 8])
def test_stages_in_a_row_at_every_lag(lag: int) -> None:
    seen = chain_of(np.linalg.matrix_power(stages([0.5] * 11, 0.2), lag))
    assert seen.corr_len == pytest.approx(length(0.5**lag), rel=1e-9)


def test_read_backwards_the_length_is_the_same() -> None:
    for matrix in (success_runs(12, 0.3), last_tosses(3, [0.2, 0.8]), stages([0.5] * 8, 0.1)):
        chain = chain_of(matrix)
        back = chain_of(chain.reversed_transition)
        assert back.corr_len == pytest.approx(chain.corr_len, rel=1e-10)


def test_one_pair_that_turns_slowly_beside_a_memory_that_ends_keeps_all_its_digits() -> None:
    turn = np.array([[0.2, 0.8, 0.0], [0.0, 0.2, 0.8], [0.8, 0.0, 0.2]])
    chain = chain_of(np.kron(success_runs(9, 0.4), turn))
    assert chain.corr_len == pytest.approx(chain_of(turn).corr_len, rel=1e-12)
    assert chain.corr_len_error < 1e-12


def test_the_error_of_a_defective_eigenvalue_is_that_of_its_root() -> None:
    chain = chain_of(stages([0.5] * 11, 0.2))
    assert 0.01 < chain.corr_len_error < 1
    assert chain_of(birth_death(12, 0.3, 0.4)).corr_len_error < 1e-11


def test_modes_lie_in_the_order_of_their_moduli(example: Any) -> None:
    assert (np.diff(np.abs(example.eigenvalues)) <= 0).all()
