from typing import Any

import numpy as np
import pytest
from scipy import stats

from rgcore.claims import LEAST_TRANSITIONS, LOCALIZED, localized_drift
from rgcore.claims.localized import LEAST_DRIFT
from rgcore.observables import effective_transitions


def _nine_tenths_in_two(n_transitions: Any) -> Any:
    return np.array([0.45, 0.45] + [0.1 / (n_transitions - 2)] * (n_transitions - 2))


def _seeds(drift: Any) -> Any:
    """Three seeds that differ by a few percent in the largest transition."""
    return drift * np.where(np.arange(len(drift)) == 0, [[1.0], [1.05], [0.95]], 1.0)  # (S, L)


SHARP = _seeds(np.array([0.6, 0.36, 0.01, 0.01, 0.01, 0.01]))
EVEN = _seeds(np.ones(6))


def test_number_of_transitions_is_the_observable_of_each_seed() -> None:
    drift = np.random.default_rng(0).gamma(1.0, size=(4, 7))
    found = localized_drift(drift).effects["effective_transitions"].per_seed
    assert found == tuple(effective_transitions(drift))
    assert found == pytest.approx(np.exp(stats.entropy(drift, axis=1)), rel=1e-14)  # rounding


@pytest.mark.parametrize(("n_transitions", "number"), [(4, 2.77), (8, 3.09), (16, 3.36)])
def test_nine_tenths_in_two_transitions_are_about_three(n_transitions: int, number: float) -> None:
    found = effective_transitions([_nine_tenths_in_two(n_transitions)])[0]
    assert found == pytest.approx(number, abs=0.005)  # digits given
    assert found == pytest.approx(LOCALIZED, rel=0.13)


def test_drift_in_two_transitions_is_supported() -> None:
    finding = localized_drift(SHARP)
    assert finding.verdict == "supported"
    assert "of 6 transitions, fewer than 3" in finding.reason


def test_equal_drift_is_refuted() -> None:
    finding = localized_drift(EVEN)
    assert finding.verdict == "refuted"
    assert "spread over" in finding.reason


def test_drift_around_three_transitions_is_inconclusive() -> None:
    finding = localized_drift([[1, 1, 0, 0, 0, 0], [1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 0, 0]])
    assert finding.verdict == "inconclusive"
    assert finding.effects["effective_transitions"].estimate == pytest.approx(3.0, rel=1e-15)


def test_few_transitions_cannot_support_the_claim() -> None:
    finding = localized_drift(SHARP[:, : LEAST_TRANSITIONS - 1])
    assert finding.verdict == "inconclusive"
    assert "at least 5" in finding.reason


def test_test_is_against_three_transitions() -> None:
    finding = localized_drift(SHARP)
    numbers = np.exp(stats.entropy(SHARP, axis=1))
    expected = stats.ttest_1samp(numbers, 3.0).pvalue
    assert finding.effects["effective_transitions"].p_value == pytest.approx(expected, rel=1e-9)


def test_top_two_share_is_against_equal_drift() -> None:
    share = localized_drift(SHARP).effects["top_two_share"]
    assert share.per_seed[0] == pytest.approx(0.96, rel=1e-12)
    assert share.null == pytest.approx(2 / 6, rel=1e-15)


def test_untrained_drift_is_compared() -> None:
    effects = localized_drift(SHARP, EVEN).effects
    numbers = np.exp(stats.entropy(SHARP, axis=1)) - np.exp(stats.entropy(EVEN, axis=1))
    found = effects["effective_transitions_from_training"]
    assert found.per_seed == pytest.approx(numbers, rel=1e-12)


def test_untrained_drift_decides_nothing() -> None:
    finding = localized_drift(SHARP, np.zeros_like(SHARP))
    assert (finding.verdict, finding.n_dropped) == ("supported", 0)
    assert finding.effects["effective_transitions_untrained"].note == "no seed has a number"


def test_no_drift_at_all_gives_no_verdict() -> None:
    finding = localized_drift(np.zeros((4, 6)))
    assert finding.verdict == "inconclusive"
    assert (finding.n_seeds, finding.n_dropped) == (0, 4)


@pytest.mark.parametrize("untrained", [None, EVEN])
def test_rounding_is_no_drift(untrained: Any) -> None:
    drift = SHARP.copy()
    drift[1] = LEAST_DRIFT / 6
    finding = localized_drift(drift, untrained)
    assert (finding.n_seeds, finding.n_dropped) == (2, 1)
    assert finding.effects["top_two_share"].per_seed[1] is None
    drift[1] *= 1.001
    assert localized_drift(drift, untrained).n_seeds == 3


def test_negative_drift_counts_as_none() -> None:
    found = localized_drift([[0.3, -0.01, 0.3]]).effects["effective_transitions"]
    assert found.per_seed == pytest.approx([2.0], rel=1e-15)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_seed_without_drift_numbers_is_dropped(bad: Any) -> None:
    drift = np.vstack([SHARP, SHARP[:1]])
    drift[2, 1] = bad
    finding = localized_drift(drift)
    assert (finding.verdict, finding.n_seeds, finding.n_dropped) == ("supported", 3, 1)
    assert finding.effects["effective_transitions"].per_seed[2] is None


def test_one_seed_gives_no_verdict() -> None:
    finding = localized_drift(SHARP[:1])
    assert finding.verdict == "inconclusive"
    assert "needs at least 3 seeds" in finding.reason


def test_one_transition_is_allowed() -> None:
    finding = localized_drift(np.ones((3, 1)))
    assert finding.verdict == "inconclusive"
    assert finding.effects["top_two_share"].estimate == 1.0


def test_untrained_drift_of_other_seeds_is_refused() -> None:
    with pytest.raises(ValueError, match="allowed"):
        localized_drift(SHARP, EVEN[:2])
