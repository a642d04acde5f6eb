from itertools import permutations, product
from typing import Any

import numpy as np
import pytest

from rgcore.observables import (
    participation_ratio,
    participation_ratio_corrected,
    participation_ratio_corrected_from_moments,
)
from rgcore.observables.unbiased import unbiased_self_overlap

ROUNDING = 1e-12
"""Sums of some hundred products of order one, of which a tenth is left by the subtraction."""


@pytest.fixture
def rng() -> Any:
    return np.random.default_rng(0)


def sums(x: Any) -> tuple[Any, Any]:
    """(..., n, d) rows to their centred Gram matrices and sums of |x|^4."""
    x = x - x.mean(axis=-2, keepdims=True)
    return x.mT @ x, ((x**2).sum(axis=-1) ** 2).sum(axis=-1)


def by_quadruples(x: Any) -> Any:
    """Both U-statistics as means over four distinct rows, whose halves are independent."""
    squared_trace = trace_squared = 0.0
    for i, j, k, m in permutations(range(len(x)), 4):
        a, b = x[i] - x[j], x[k] - x[m]
        squared_trace += (a @ b) ** 2
        trace_squared += (a @ a) * (b @ b)
    return trace_squared / squared_trace


def every_sample(points: Any, chances: Any, n: Any) -> Any:
    """All samples of n points (S, n, d) and the chance of each."""
    index = np.array(list(product(range(len(points)), repeat=n)))
    return points[index], chances[index].prod(axis=1)


TRIANGLE = np.array([[0.0, 0.0], [1.0, 0.0], [3.0, 2.0]])
CHANCES = np.array([0.5, 0.25, 0.25])


@pytest.mark.parametrize("n", [4, 5, 6])
def test_both_estimates_have_no_bias_whatever_the_law(n: int) -> None:
    # No angle of the triangle is right: the lower estimate is zero only where the upper one is.
    offset = TRIANGLE - CHANCES @ TRIANGLE
    sigma = offset.T @ (offset * CHANCES[:, None])
    samples, chances = every_sample(TRIANGLE, CHANCES, n)
    gram, norms4 = sums(samples)
    trace = np.trace(gram, axis1=1, axis2=2)
    told = trace > 0
    gram, norms4, trace, chances = gram[told], norms4[told], trace[told], chances[told]
    square = (gram**2).sum(axis=(1, 2)) / trace**2
    lower = unbiased_self_overlap(square, norms4 / trace**2, n) * trace**2 / (n * (n - 3))
    upper = participation_ratio_corrected_from_moments(gram, norms4, n) * lower
    lower, upper = np.nan_to_num(lower), np.nan_to_num(upper)  # both are zero there
    assert chances @ lower == pytest.approx(np.trace(sigma @ sigma), rel=ROUNDING)
    assert chances @ upper == pytest.approx(np.trace(sigma) ** 2, rel=ROUNDING)


def test_is_the_ratio_of_the_means_over_distinct_rows(rng: Any) -> None:
    x = rng.exponential(size=(8, 3)) * np.array([3.0, 1.0, 0.5])
    assert participation_ratio_corrected(x) == pytest.approx(by_quadruples(x), rel=ROUNDING)


def test_fewer_rows_than_dimensions_agree_with_the_definition(rng: Any) -> None:
    x = rng.normal(size=(6, 20))
    assert participation_ratio_corrected(x) == pytest.approx(by_quadruples(x), rel=1e-10)


def test_few_rows_of_an_isotropic_law_see_all_its_directions(rng: Any) -> None:
    found = [participation_ratio_corrected(rng.normal(size=(20, 10))) for _ in range(400)]
    plain = [participation_ratio(rng.normal(size=(20, 10))) for _ in range(400)]
    # scatter 1.3 a sample, and a bias of the ratio of 2 %: four standard errors and that
    assert np.mean(found) == pytest.approx(10.0, abs=0.26 + 0.2)
    assert np.mean(plain) < 7.2  # n d / (n + d) = 6.7


def test_many_rows_agree_with_the_plain_ratio(rng: Any) -> None:
    x = rng.normal(size=(20000, 4)) * np.arange(1, 5)
    # the plain one is off by PR / n
    assert participation_ratio_corrected(x) == pytest.approx(participation_ratio(x), rel=1e-3)


def test_rows_on_a_line_have_exactly_one(rng: Any) -> None:
    x = np.outer(rng.normal(size=30), rng.normal(size=5)) + 3.0
    assert participation_ratio_corrected(x) == pytest.approx(1.0, abs=ROUNDING)


def test_is_never_below_one(rng: Any) -> None:
    for _ in range(50):
        x = rng.standard_t(1.5, size=(5, 3))
        assert participation_ratio_corrected(x) >= 1.0 - ROUNDING


def test_is_blind_to_offset_scale_and_rotation(rng: Any) -> None:
    x = rng.normal(size=(30, 6)) * np.arange(1, 7)
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    expected = participation_ratio_corrected(x)
    assert participation_ratio_corrected(x + 100.0) == pytest.approx(expected, rel=1e-10)
    assert participation_ratio_corrected(x @ turn) == pytest.approx(expected, rel=ROUNDING)
    assert participation_ratio_corrected(1e-200 * x) == pytest.approx(expected, rel=ROUNDING)
    assert participation_ratio_corrected(1e200 * x) == pytest.approx(expected, rel=ROUNDING)


def test_stack_of_moments_is_as_each_alone(rng: Any) -> None:
    x = rng.normal(size=(3, 20, 4))
    together = participation_ratio_corrected_from_moments(*sums(x), 20)
    assert together.shape == (3,)
    for index in range(3):
        expected = participation_ratio_corrected(x[index])
        assert together[index] == pytest.approx(expected, rel=ROUNDING)


def test_number_of_rows_may_differ_along_a_stack(rng: Any) -> None:
    x = [rng.normal(size=(n, 4)) for n in (3, 10, 20)]
    gram, norms4 = (np.array(part) for part in zip(*map(sums, x), strict=True))
    found = participation_ratio_corrected_from_moments(gram, norms4, np.array([3, 10, 20]))
    assert np.isnan(found[0])
    for index in (1, 2):
        expected = participation_ratio_corrected(x[index])
        assert found[index] == pytest.approx(expected, rel=ROUNDING)


def test_mutually_orthogonal_rows_are_nan(rng: Any) -> None:
    # a simplex: no two differences share a direction, and rounding leaves 1e-17 of that
    turn = np.linalg.qr(rng.normal(size=(12, 12)))[0]
    for n in (4, 7, 12):
        assert np.isnan(participation_ratio_corrected(turn[:n]))


@pytest.mark.parametrize(
    "bad",
    [
        np.full((6, 3), 0.1),
        np.full((6, 3), np.nan),
        np.full((6, 3), np.inf),
        np.arange(9.0).reshape(3, 3) ** 2,
    ],
    ids=["constant", "nan", "inf", "three_rows"],
)
def test_degenerate_layers_are_nan(bad: Any) -> None:
    assert np.isnan(participation_ratio_corrected(bad))


def test_degenerate_moments_are_nan_and_leave_their_neighbours(rng: Any) -> None:
    gram, norms4 = sums(rng.normal(size=(10, 2)))
    stack = np.stack([gram, 0 * gram, np.full((2, 2), np.nan), np.full((2, 2), np.inf)])
    found = participation_ratio_corrected_from_moments(stack, np.array([norms4, 0, 1, 1]), 10)
    np.testing.assert_array_equal(np.isnan(found), [False, True, True, True])
