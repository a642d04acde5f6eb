from typing import Any

import numpy as np
import pytest

from rgcore.chain import ChainError, make_chain


def refusal(eigenvalues: Any, **own: Any) -> Any:
    with pytest.raises(ChainError) as caught:
        make_chain("spectrum", eigenvalues=eigenvalues, **own)
    return caught.value


def cosine(n_states: Any, k: Any) -> Any:
    """The DCT-II vector of frequency k >= 1, of unit length."""
    return np.sqrt(2 / n_states) * np.cos(np.pi * k * (np.arange(n_states) + 0.5) / n_states)


def heat(n_states: Any, top: Any) -> Any:
    """Eigenvalues of a walk in continuous time on a path that reflects at its ends."""
    rates = 1 - np.cos(np.pi * np.arange(1, n_states) / n_states)
    return tuple(top ** (rates / rates[0]))


@pytest.mark.parametrize("n_states", [2, 3, 16, 64])
@pytest.mark.parametrize("top", [0.1, 0.5, 0.9, 0.999])
def test_eigenvalues_come_back(n_states: int, top: float) -> None:
    given = heat(n_states, top)
    chain = make_chain("spectrum", eigenvalues=given)
    np.testing.assert_allclose(chain.eigenvalues, [1.0, *given], rtol=0, atol=1e-10)
    # 1e-15 in |l2| is 1e-12 of xi where |l2| = 0.999
    assert chain.corr_len == pytest.approx(-1 / np.log(top), rel=1e-11)


@pytest.mark.parametrize("n_states", [2, 3, 8])
def test_spectrum_of_the_reflecting_walk_gives_its_matrix(n_states: int) -> None:
    hop = 0.2
    walk = (1 - 2 * hop) * np.eye(n_states)
    walk += hop * (np.eye(n_states, k=1) + np.eye(n_states, k=-1))
    walk[0, 0] += hop
    walk[-1, -1] += hop
    given = 1 - 2 * hop * (1 - np.cos(np.pi * np.arange(1, n_states) / n_states))
    chain = make_chain("spectrum", eigenvalues=given)
    np.testing.assert_allclose(chain.transition, walk, atol=1e-14)  # rounding


def test_entry_k_belongs_to_the_cosine_of_frequency_k() -> None:
    given = (0.2, 0.5, -0.1, 0.05)
    step = make_chain("spectrum", eigenvalues=given).transition
    for k, value in enumerate(given, start=1):
        np.testing.assert_allclose(step @ cosine(5, k), value * cosine(5, k), atol=1e-14)


def test_negative_eigenvalue_may_be_the_slowest() -> None:
    chain = make_chain("spectrum", eigenvalues=(0.1, -0.4))
    np.testing.assert_allclose(chain.eigenvalues, [1.0, -0.4, 0.1], rtol=0, atol=1e-14)


def test_numbers_that_follow_from_the_eigenvalues_may_be_given() -> None:
    chain = make_chain("spectrum", 3, -1 / np.log(0.4), eigenvalues=(0.4, 0.1))
    assert chain.n_states == 3


def test_matrix_with_a_negative_entry_is_refused_with_the_entry() -> None:
    given = (0.1, 0.0, 0.9)
    terms = (value * np.outer(cosine(4, k), cosine(4, k)) for k, value in enumerate(given, start=1))
    expected = np.asarray(0.25 + sum(terms))
    error = refusal(given)
    assert error.field == "eigenvalues"
    assert error.value == pytest.approx(expected.min(), abs=1e-15)
    i, j = divmod(int(expected.round(12).argmin()), 4)
    entries = [f"P[{i}, {j}]", f"P[{j}, {i}]", f"P[{3 - i}, {3 - j}]", f"P[{3 - j}, {3 - i}]"]
    assert any(entry in str(error) for entry in entries)  # equal by symmetry
    assert "is negative" in str(error)


def test_entry_that_rounding_made_negative_is_set_to_zero() -> None:
    # three states: P[0, 2] = 1/3 - a/2 + b/6 with a, b of frequency 1, 2 is 0 at a = 2/3 + b/3
    chain = make_chain("spectrum", eigenvalues=(0.7 + 1e-13, 0.1))
    assert chain.transition[0, 2] == 0.0
    np.testing.assert_allclose(chain.eigenvalues, [1.0, 0.7, 0.1], rtol=0, atol=1e-12)


def test_entry_just_below_what_rounding_makes_is_refused() -> None:
    assert "P[" in str(refusal((0.7 + 1e-11, 0.1)))


@pytest.mark.parametrize("bad", [1.0, -1.1, float("nan"), float("inf")])
def test_eigenvalue_out_of_range_is_refused_with_its_entry(bad: Any) -> None:
    error = refusal((0.1, bad))
    assert error.field == "eigenvalues"
    assert f"entry 1 is {bad!r}" in str(error)


@pytest.mark.parametrize("given", [(0.0, 0.0), (-1.0, 0.0), (1 - 1e-13, 0.0)])
def test_largest_modulus_of_zero_or_one_is_refused(given: Any) -> None:
    assert "largest modulus is" in str(refusal(given))


def test_no_eigenvalues_are_refused() -> None:
    assert refusal(()).field == "eigenvalues"


def test_other_number_of_states_is_refused_with_the_right_one() -> None:
    error = refusal((0.4, 0.1), n_states=4)
    assert error.field == "n_states"
    assert "3, which the number of eigenvalues fixes" in str(error)


def test_other_correlation_length_is_refused_with_the_right_one() -> None:
    error = refusal((0.5, 0.1), corr_len=2.0)
    assert error.field == "corr_len"
    assert "1.442695041" in str(error)  # 1 / ln 2
