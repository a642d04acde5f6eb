from typing import Any

import numpy as np
import pytest

from rgcore.measurement import LEAST_GAP, BayesReference, LevelMeasurement, Measurement

NOTHING = LevelMeasurement(0, {}, {}, {}, {}, too_few_samples=False)


def measurement(
    loss: Any, *, bayes: float = 1.0, visible: float = 1.2, unigram: float = 2.0
) -> Any:
    return Measurement(loss, BayesReference(bayes, visible, unigram, 10), {}, NOTHING)


def test_shares_are_of_what_there_is_to_learn() -> None:
    found = measurement(1.5)
    assert found.excess_loss == 0.5
    assert found.gap_fraction == 0.5
    assert found.view_fraction == pytest.approx(0.2)


@pytest.mark.parametrize(("loss", "expected"), [(1.2, False), (1.249, False), (1.251, True)])
def test_under_trained_is_what_is_missed_of_what_is_seen(loss: float, expected: bool) -> None:
    assert measurement(loss).under_trained is expected


@pytest.mark.parametrize("loss", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_is_under_trained(loss: Any) -> None:
    assert measurement(loss).under_trained


def test_where_there_is_nothing_to_learn_shares_stay_small() -> None:
    found = measurement(2.0001, bayes=2.0, visible=2.0, unigram=2.0)
    assert found.gap_fraction == pytest.approx(0.0001 / LEAST_GAP)
    assert not found.under_trained


def test_a_share_is_of_a_hundredth_of_a_nat_at_least() -> None:
    assert measurement(1.01, bayes=1.0, unigram=1.02).gap_fraction == pytest.approx(0.5)
    assert measurement(1.01, bayes=1.0, unigram=1.005).gap_fraction == pytest.approx(1.0)
