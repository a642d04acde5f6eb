"""Bootstrap intervals are of 2,000 resamples unless another number is asked for."""

from __future__ import annotations

import numpy as np

from rgcore.claims import localized_drift

DRIFT = np.random.default_rng(0).gamma(2.0, size=(40, 7))


def test_two_thousand_are_drawn_where_nobody_says_how_many() -> None:
    assert localized_drift(DRIFT) == localized_drift(DRIFT, n_resamples=2000)


def test_another_number_of_them_moves_the_bootstrap_interval() -> None:
    assert localized_drift(DRIFT) != localized_drift(DRIFT, n_resamples=2001)
