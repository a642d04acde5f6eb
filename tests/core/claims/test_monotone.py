from typing import Any

import numpy as np
import pytest
from scipy import stats

from rgcore.claims import monotone_collapse

DEPTH = np.linspace(0.0, 1.0, 9)


def _profiles(*ratios: Any) -> Any:
    """Smooth ranks, one seed per rank_L / rank_0."""
    return 20.0 * np.power.outer(np.array(ratios), DEPTH)  # (S, K)


TRAINED = _profiles(0.68, 0.70, 0.66)
UNTRAINED = _profiles(0.94, 0.95, 0.93)


def test_a_fall_that_training_makes_is_supported() -> None:
    finding = monotone_collapse(TRAINED, UNTRAINED)
    assert finding.verdict == "supported"
    assert "training makes it" in finding.reason
    assert (finding.n_seeds, finding.n_dropped) == (3, 0)


def test_a_fall_that_is_there_before_training_is_refuted() -> None:
    finding = monotone_collapse(TRAINED, TRAINED * np.array([[1.0], [1.1], [0.9]]))
    assert finding.verdict == "refuted"
    assert "Training does not make the rank fall" in finding.reason


def test_a_rise_is_refuted() -> None:
    finding = monotone_collapse(_profiles(1.1, 1.11, 1.12), UNTRAINED)
    assert finding.verdict == "refuted"
    assert "rises with depth" in finding.reason


def test_a_negligible_fall_is_refuted_however_certain() -> None:
    finding = monotone_collapse(_profiles(0.990, 0.991, 0.992), _profiles(1.0, 1.0, 1.0))
    assert finding.effects["log_collapse"].below(0)
    assert finding.verdict == "refuted"
    assert "falls by less than 2%" in finding.reason


def test_a_fall_without_order_is_refuted() -> None:
    # up at every layer but the last, which falls far below the first: 28 pairs rise, 8 fall
    ranks = np.hstack([_profiles(1.1, 1.12, 1.14)[:, :8], [[12.0], [12.5], [13.0]]])
    finding = monotone_collapse(ranks, UNTRAINED)
    assert finding.verdict == "refuted"
    assert finding.effects["kendall_tau"].estimate == pytest.approx(20 / 36, rel=1e-12)
    assert "weakly ordered" in finding.reason


def test_seeds_that_disagree_are_inconclusive() -> None:
    finding = monotone_collapse(_profiles(0.6, 1.2, 0.9), UNTRAINED)
    assert finding.verdict == "inconclusive"


def test_equal_falls_of_few_seeds_do_not_hide_a_noisy_size() -> None:
    # tau is -1 in every seed, with an interval of no width; the size of the fall is uncertain
    finding = monotone_collapse(_profiles(0.5, 0.99, 0.97), _profiles(1.1, 1.1, 1.1))
    assert finding.effects["kendall_tau"].high == -1.0
    assert finding.verdict == "inconclusive"


def test_effects_are_the_textbook_ones() -> None:
    effects = monotone_collapse(TRAINED, UNTRAINED).effects
    fall, before = np.log([0.68, 0.70, 0.66]), np.log([0.94, 0.95, 0.93])
    # rounding
    assert effects["log_collapse"].per_seed == pytest.approx(fall, rel=1e-12)
    assert effects["log_collapse_from_training"].estimate == pytest.approx(
        (fall - before).mean(), rel=1e-12
    )
    p = stats.ttest_rel(fall, before).pvalue
    assert effects["log_collapse_from_training"].p_value == pytest.approx(p, rel=1e-9)


def test_page_is_reported_with_its_one_sided_p() -> None:
    page = monotone_collapse(TRAINED, UNTRAINED).effects["page"]
    expected = stats.page_trend_test(TRAINED, predicted_ranks=np.arange(9, 0, -1)).pvalue
    assert page.p_value == pytest.approx(expected, rel=1e-12)
    assert "one-sided" in page.note


def test_strictly_monotone_seeds_are_counted() -> None:
    ranks = TRAINED.copy()
    ranks[0, 3] = ranks[0, 2] + 0.1
    strict = monotone_collapse(ranks, UNTRAINED).effects["strictly_monotone"]
    assert strict.estimate == pytest.approx(2 / 3, rel=1e-15)
    assert strict.per_seed == (0.0, 1.0, 1.0)


def test_strictly_monotone_has_the_exact_binomial_interval() -> None:
    strict = monotone_collapse(TRAINED, UNTRAINED).effects["strictly_monotone"]
    # 3 of 3: the share that gives this with probability (1 - CONFIDENCE) / 2 = 1 / 60
    assert strict.low == pytest.approx((1 / 60) ** (1 / 3), rel=1e-9)
    assert strict.high == 1.0


def test_constant_ranks_are_refuted() -> None:
    flat = np.full((3, 9), 5.0)
    finding = monotone_collapse(flat, flat)
    assert finding.verdict == "refuted"
    assert finding.effects["kendall_tau"].estimate == 0.0


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
def test_a_seed_without_a_rank_is_dropped_from_everything(bad: Any) -> None:
    untrained = np.vstack([UNTRAINED, UNTRAINED[:1]])
    untrained[1, 4] = bad
    finding = monotone_collapse(np.vstack([TRAINED, TRAINED[:1]]), untrained)
    assert (finding.n_seeds, finding.n_dropped) == (3, 1)
    assert "1 of 4 seeds dropped" in finding.reason
    assert all(e.per_seed[1] is None for e in finding.effects.values())


@pytest.mark.parametrize("n_seeds", [1, 2])
def test_few_seeds_give_no_verdict(n_seeds: int) -> None:
    finding = monotone_collapse(TRAINED[:n_seeds], UNTRAINED[:n_seeds])
    assert finding.verdict == "inconclusive"
    assert "needs at least 3 seeds" in finding.reason


def test_no_seed_with_numbers_gives_no_verdict() -> None:
    finding = monotone_collapse(np.full((3, 9), np.nan), UNTRAINED)
    assert finding.verdict == "inconclusive"
    assert all(e.estimate is None for e in finding.effects.values())


def test_two_layers_cannot_support_the_claim() -> None:
    finding = monotone_collapse(TRAINED[:, [0, -1]], UNTRAINED[:, [0, -1]])
    assert finding.verdict == "inconclusive"
    assert "3 layers" in finding.effects["page"].note


@pytest.mark.parametrize(
    ("trained", "untrained"),
    [
        (TRAINED, UNTRAINED[:2]),
        (TRAINED, UNTRAINED[:, :5]),
        (TRAINED[0], UNTRAINED[0]),
        (TRAINED[:, :1], UNTRAINED[:, :1]),
        (TRAINED[:0], UNTRAINED[:0]),
    ],
)
def test_shapes_that_cannot_be_paired_are_refused(trained: Any, untrained: Any) -> None:
    with pytest.raises(ValueError, match="allowed"):
        monotone_collapse(trained, untrained)
