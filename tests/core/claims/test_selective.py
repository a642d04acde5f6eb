from typing import Any

import numpy as np
import pytest
from scipy import stats

from rgcore.claims import selective_collapse

DEPTH = np.linspace(0.0, 1.0, 7)


def _profiles(*ratios: Any) -> Any:
    """Smooth ranks, one seed per rank_L / rank_0."""
    return 20.0 * np.power.outer(np.array(ratios), DEPTH)  # (S, K)


COLLAPSED = _profiles(0.68, 0.70, 0.69)
HALFWAY = _profiles(0.85, 0.86, 0.85)
WHOLE = _profiles(1.01, 1.012, 1.008)
UNTRAINED = _profiles(0.97, 0.972, 0.971)


def test_paper_contrast_is_supported_with_the_long_chain_absent() -> None:
    finding = selective_collapse(COLLAPSED, WHOLE, UNTRAINED, UNTRAINED)
    assert finding.verdict == "supported"
    assert finding.flags["long_collapse"] == "absent"
    assert finding.flags["short_collapse"] == "stronger"


def test_a_long_chain_that_collapses_less_is_weaker() -> None:
    finding = selective_collapse(COLLAPSED, HALFWAY, UNTRAINED, UNTRAINED)
    assert finding.verdict == "supported"
    assert finding.flags["long_collapse"] == "weaker"


def test_equal_collapse_is_refuted() -> None:
    finding = selective_collapse(COLLAPSED, COLLAPSED * 1.1, UNTRAINED, UNTRAINED)
    assert finding.verdict == "refuted"
    assert finding.flags["long_collapse"] == "as_strong"
    assert "as much as the short one" in finding.reason


def test_a_contrast_that_is_certain_but_negligible_is_refuted() -> None:
    long = _profiles(0.690, 0.711, 0.701)
    finding = selective_collapse(COLLAPSED, long, UNTRAINED, UNTRAINED)
    assert finding.effects["contrast"].above(0)
    assert finding.verdict == "refuted"
    assert finding.flags["long_collapse"] == "as_strong"


def test_the_reverse_order_is_refuted() -> None:
    finding = selective_collapse(HALFWAY, COLLAPSED, UNTRAINED, UNTRAINED)
    assert finding.verdict == "refuted"
    assert finding.flags["long_collapse"] == "stronger"
    assert finding.flags["short_collapse"] == "weaker"


def test_a_short_chain_that_does_not_collapse_is_refuted() -> None:
    finding = selective_collapse(WHOLE, WHOLE * 2.0, UNTRAINED, UNTRAINED)
    assert finding.verdict == "refuted"
    assert finding.flags["short_collapse"] == "absent"
    assert "short chain does not collapse" in finding.reason


def test_a_collapse_that_is_there_before_training_is_refuted() -> None:
    finding = selective_collapse(COLLAPSED, WHOLE, COLLAPSED, WHOLE)
    assert finding.verdict == "refuted"
    assert finding.flags["short_from_training"] == "no"
    assert "Training does not make the short chain collapse" in finding.reason


def test_noise_is_inconclusive() -> None:
    finding = selective_collapse(_profiles(0.7, 1.0, 0.85), HALFWAY, UNTRAINED, UNTRAINED)
    assert finding.verdict == "inconclusive"
    assert finding.flags["long_collapse"] == "undetermined"


def test_a_long_chain_at_the_edge_is_undetermined() -> None:
    finding = selective_collapse(COLLAPSED, _profiles(0.97, 0.99, 0.98), UNTRAINED, UNTRAINED)
    assert finding.verdict == "supported"
    assert finding.flags["long_collapse"] == "undetermined"


def test_what_training_does_to_each_chain_is_flagged() -> None:
    flags = selective_collapse(COLLAPSED, UNTRAINED, UNTRAINED, UNTRAINED).flags
    assert flags["short_from_training"] == "yes"
    assert flags["long_from_training"] == "no"
    assert flags["contrast_from_training"] == "yes"


def test_a_contrast_of_the_untrained_networks_is_flagged() -> None:
    # training takes a tenth off both chains
    finding = selective_collapse(
        _profiles(0.70, 0.71, 0.72),
        HALFWAY,
        _profiles(0.80, 0.81, 0.82),
        _profiles(0.95, 0.96, 0.95),
    )
    assert finding.verdict == "supported"
    assert finding.flags["contrast_from_training"] == "no"


def test_contrast_is_the_paired_one() -> None:
    contrast = selective_collapse(COLLAPSED, HALFWAY, UNTRAINED, UNTRAINED).effects["contrast"]
    short, long = [0.68, 0.70, 0.69], [0.85, 0.86, 0.85]
    assert contrast.per_seed == pytest.approx(np.subtract(long, short), rel=1e-12)  # rounding
    assert contrast.p_value == pytest.approx(stats.ttest_rel(long, short).pvalue, rel=1e-9)
    # the bootstrap of three differences reaches from the smallest to the largest: 1/27 > 2.5 %
    assert contrast.bootstrap_low == pytest.approx(0.16, rel=1e-12)
    assert contrast.bootstrap_high == pytest.approx(0.17, rel=1e-12)


def test_collapse_ratio_is_a_geometric_mean() -> None:
    effects = selective_collapse(COLLAPSED, HALFWAY, UNTRAINED, UNTRAINED).effects
    expected = stats.gmean([0.68, 0.70, 0.69])
    assert effects["collapse_ratio_short"].estimate == pytest.approx(expected, rel=1e-12)


def test_chains_may_have_different_depths() -> None:
    finding = selective_collapse(COLLAPSED, WHOLE[:, ::2], UNTRAINED, UNTRAINED[:, ::2])
    assert finding.verdict == "supported"


def test_a_seed_without_a_rank_is_dropped_from_every_condition() -> None:
    conditions = [
        np.vstack([ranks, ranks[:1]]) for ranks in (COLLAPSED, HALFWAY, UNTRAINED, UNTRAINED)
    ]
    conditions[3][2, 0] = np.nan
    finding = selective_collapse(*conditions)
    assert (finding.n_seeds, finding.n_dropped) == (3, 1)
    assert all(e.per_seed[2] is None for e in finding.effects.values())


def test_few_seeds_give_no_verdict_and_no_flags() -> None:
    finding = selective_collapse(COLLAPSED[:2], WHOLE[:2], UNTRAINED[:2], UNTRAINED[:2])
    assert finding.verdict == "inconclusive"
    assert "needs at least 3 seeds" in finding.reason
    assert set(finding.flags.values()) == {"undetermined"}


def test_one_seed_gives_no_verdict() -> None:
    finding = selective_collapse(COLLAPSED[:1], WHOLE[:1], UNTRAINED[:1], UNTRAINED[:1])
    assert finding.verdict == "inconclusive"
    assert finding.effects["contrast"].note == "one seed has no interval"


def test_constant_ranks_are_refuted() -> None:
    flat = np.full((3, 7), 5.0)
    assert selective_collapse(flat, flat, flat, flat).verdict == "refuted"


def test_conditions_with_other_seeds_are_refused() -> None:
    with pytest.raises(ValueError, match=r"long has 2 seeds; allowed: the 3 of short"):
        selective_collapse(COLLAPSED, WHOLE[:2], UNTRAINED, UNTRAINED)
