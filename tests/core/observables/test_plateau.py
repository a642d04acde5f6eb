from typing import Any

import numpy as np
import pytest

from rgcore.observables import (
    effective_transitions,
    plateau_layers,
    plateau_runs,
    top_two_share,
)

EXACT = 1e-14
"""A handful of logarithms of order one."""


def test_equal_drift_has_as_many_transitions_as_there_are() -> None:
    assert effective_transitions(np.full(8, 0.03)) == pytest.approx(8.0, rel=EXACT)


def test_drift_in_one_transition_has_one() -> None:
    assert effective_transitions([0.0, 0.2, 0.0]) == 1.0


def test_transitions_of_unequal_drift_are_counted_by_entropy() -> None:
    # shares 1/2, 1/4, 1/4: exp(H) = 2^(3/2)
    assert effective_transitions([0.2, 0.1, 0.1]) == pytest.approx(2**1.5, rel=EXACT)


def test_two_largest_transitions_are_a_share_of_all() -> None:
    assert top_two_share([0.1, 0.4, 0.2, 0.3]) == pytest.approx(0.7, rel=EXACT)


def test_one_transition_has_the_whole_drift() -> None:
    assert top_two_share([0.4]) == 1.0
    assert effective_transitions([0.4]) == 1.0


def test_transitions_below_the_fraction_of_the_largest_are_flat() -> None:
    np.testing.assert_array_equal(plateau_layers([1.0, 0.05, 0.2, 0.09]), [0, 1, 0, 1])
    np.testing.assert_array_equal(plateau_layers([1.0, 0.05, 0.2, 0.09], 0.5), [0, 1, 1, 1])


def test_largest_transition_is_never_flat() -> None:
    np.testing.assert_array_equal(plateau_layers([0.3, 0.3], 1.0), [0, 0])


def test_where_nothing_drifts_all_is_flat_and_nothing_is_counted() -> None:
    assert np.isnan(effective_transitions(np.zeros(3)))
    assert np.isnan(top_two_share(np.zeros(3)))
    np.testing.assert_array_equal(plateau_layers(np.zeros(3)), np.ones(3))
    assert plateau_runs(np.zeros(3)) == [(0, 3)]


def test_drift_below_zero_by_rounding_counts_as_zero() -> None:
    drift = np.array([-1e-17, 0.3, 0.1])
    assert effective_transitions(drift) == effective_transitions([0.0, 0.3, 0.1])
    assert top_two_share(drift) == pytest.approx(1.0, rel=EXACT)
    np.testing.assert_array_equal(plateau_layers(drift), [1, 0, 0])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_drift_that_is_not_finite_is_nan_and_leaves_its_neighbours(bad: Any) -> None:
    drift = np.array([[0.1, bad, 0.1], [0.2, 0.2, 0.0]])
    np.testing.assert_allclose(effective_transitions(drift), [np.nan, 2.0], rtol=EXACT)
    np.testing.assert_allclose(top_two_share(drift), [np.nan, 1.0], rtol=EXACT)
    np.testing.assert_array_equal(plateau_layers(drift), [[np.nan] * 3, [0, 0, 1]])
    assert plateau_runs(drift[0]) == []


def test_runs_name_their_first_and_last_layer() -> None:
    # transitions 1 and 2 join layers 1, 2, 3; transition 5 joins layers 5 and 6
    assert plateau_runs([1.0, 0.01, 0.02, 0.5, 0.5, 0.0]) == [(1, 3), (5, 6)]


def test_runs_may_reach_from_the_first_layer() -> None:
    assert plateau_runs([0.01, 0.01, 1.0]) == [(0, 2)]


def test_drift_everywhere_has_no_run() -> None:
    assert plateau_runs([0.3, 0.2, 0.1]) == []


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.5, np.nan])
def test_fraction_out_of_range_is_refused(fraction: Any) -> None:
    with pytest.raises(ValueError, match="fraction is"):
        plateau_layers([0.1, 0.2], fraction)


def test_runs_of_a_stack_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(2, 3\)"):
        plateau_runs(np.zeros((2, 3)))
