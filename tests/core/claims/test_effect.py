import numpy as np
import pytest
from scipy import stats

from rgcore.claims import CONFIDENCE
from rgcore.claims.effect import mean_effect, ratio_effect


def test_interval_is_students() -> None:
    values = [1.0, 2.0, 6.0]
    effect = mean_effect(values, "", null=0.0)
    expected = stats.t.interval(CONFIDENCE, 2, loc=3.0, scale=stats.sem(values))
    assert (effect.low, effect.high) == pytest.approx(expected, rel=1e-12)  # rounding


def test_three_intervals_miss_on_one_side_in_a_twentieth() -> None:
    missed_on_one_side = (1 - CONFIDENCE) / 2
    assert 3 * missed_on_one_side == pytest.approx(0.05, rel=1e-12)  # rounding


def test_p_value_is_the_one_of_a_paired_t_test() -> None:
    first, second = [1.0, 2.0, 6.0, 4.0], [2.0, 2.5, 6.2, 5.5]
    effect = mean_effect(np.subtract(second, first), "", null=0.0)
    # rounding
    assert effect.p_value == pytest.approx(stats.ttest_rel(second, first).pvalue, rel=1e-12)


def test_p_value_is_against_the_null() -> None:
    effect = mean_effect([1.0, 2.0, 6.0], "", null=2.5)
    assert effect.p_value == pytest.approx(stats.ttest_1samp([1, 2, 6], 2.5).pvalue, rel=1e-12)


def test_bootstrap_of_two_seeds_is_known_exactly() -> None:
    # resampled means 0, 1/2, 1 with weights 1/4, 1/2, 1/4
    effect = mean_effect([0.0, 1.0], "", null=0.0)
    assert (effect.bootstrap_low, effect.bootstrap_high) == (0.0, 1.0)


def test_bootstrap_can_be_left_out() -> None:
    effect = mean_effect([0.0, 1.0], "", null=0.0, n_resamples=0)
    assert (effect.bootstrap_low, effect.bootstrap_high) == (None, None)


def test_ratios_have_a_geometric_mean() -> None:
    effect = ratio_effect(np.log([0.5, 1.0, 2.0]), "")
    assert effect.estimate == pytest.approx(1.0, rel=1e-15)
    assert effect.low is not None
    assert effect.high is not None
    assert effect.low * effect.high == pytest.approx(1.0, rel=1e-12)  # symmetric in the logarithm
    assert effect.per_seed == pytest.approx((0.5, 1.0, 2.0), rel=1e-15)


def test_interval_is_cut_at_what_is_possible() -> None:
    effect = mean_effect([-1.0, -1.0, -0.5], "", null=0.0, bounds=(-1.0, 1.0))
    assert effect.low == -1.0


def test_a_seed_without_a_number_is_left_out_at_its_place() -> None:
    effect = mean_effect([1.0, np.nan, 3.0, np.inf], "", null=0.0)
    assert effect.estimate == 2.0
    assert effect.per_seed == (1.0, None, 3.0, None)
    assert effect.note == "2 of 4 seeds have a number"


def test_one_seed_has_no_interval() -> None:
    effect = mean_effect([2.0], "", null=0.0)
    assert effect.estimate == 2.0
    assert (effect.low, effect.high, effect.p_value) == (None, None, None)
    assert effect.note == "one seed has no interval"


def test_no_seed_has_nothing() -> None:
    effect = mean_effect([np.nan, np.nan], "", null=0.0)
    assert (effect.estimate, effect.low, effect.high, effect.p_value) == (None,) * 4
    assert effect.note == "no seed has a number"


def test_what_does_not_exist_lies_nowhere() -> None:
    effect = mean_effect([2.0], "", null=0.0)
    assert not effect.below(3.0)
    assert not effect.above(1.0)


def test_equal_seeds_have_no_test() -> None:
    effect = mean_effect([2.0, 2.0, 2.0], "", null=0.0)
    assert (effect.low, effect.high, effect.p_value) == (2.0, 2.0, None)
    assert "no width" in effect.note


def test_spread_that_underflows_is_no_spread() -> None:
    assert mean_effect([0.0, 1e-300, 2e-300], "", null=0.0).p_value is None


def test_effect_reads_as_estimate_and_interval() -> None:
    assert str(mean_effect([2.0, 2.0, 2.0], "", null=0.0)) == "2 [2, 2]"
    assert str(mean_effect([2.0], "", null=0.0)) == "2"
    assert str(mean_effect([np.nan], "", null=0.0)) == "unknown"
