"""Wrong verdicts where the truth is at the very edge of what they deny, over 1,000 studies each.

The measurements are those of scripts/claims_calibration.py, whose table is in docs/claims.md.
"""

import numpy as np
import pytest

from scripts import claims_calibration as calibration

DRAWS = 1000
# 5 % and three binomial standard errors of 1,000 draws
MOST = 0.05 + 3 * np.sqrt(0.05 * 0.95 / DRAWS)


@pytest.mark.parametrize(
    ("claim", "truth", "verdict"),
    [
        ("monotone", "falls by 10 %, untrained as well", "supported"),
        ("monotone", "falls by 2 %: every threshold", "refuted"),
        ("selective", "both collapse to 0.7", "supported"),
        ("selective", "0.98 against 1: every threshold", "refuted"),
        ("localized", "N = 3", "supported"),
        ("localized", "N = 3", "refuted"),
    ],
)
def test_wrong_verdicts_are_at_most_a_twentieth(claim: str, truth: str, verdict: str) -> None:
    (scenario,) = (
        s for s in calibration.WRONG if (s.claim, s.truth, s.verdict) == (claim, truth, verdict)
    )
    assert calibration.rate(scenario, n_seeds=3, skewness=0.0, n_draws=DRAWS, seed=1) <= MOST


def test_students_interval_misses_a_twentieth_at_three_seeds() -> None:
    # 3 standard errors of 4,000 draws
    assert calibration.misses("Student's t", 3, 0.0, 4000) == pytest.approx(0.05, abs=0.0104)


def test_percentile_bootstrap_misses_a_fifth_at_three_seeds() -> None:
    # the reason why it decides nothing
    assert calibration.misses("percentile bootstrap", 3, 0.0, 1000) > 0.2
