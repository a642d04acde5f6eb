"""What counts as zero in the spectrum of a Gram matrix."""

import numpy as np
import pytest

from rgcore.observables import effective_rank_from_spectrum, gram_spectrum
from rgcore.observables.centring import EPSILON, without_noise


def test_floor_is_the_rounding_of_the_largest_times_the_dimensions() -> None:
    floor = 4 * EPSILON * 8.0
    values = [8.0, 1.01 * floor, 0.99 * floor, -1e-12]
    assert without_noise(values).tolist() == [8.0, 1.01 * floor, 0.0, 0.0]


def test_directions_of_rounding_alone_are_none() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 2)) @ rng.normal(size=(2, 64))  # two directions of sixty-four
    values = gram_spectrum(rows.T @ rows)
    assert (values[:2] > 0).all()
    assert (values[2:] == 0).all()
    singular = np.linalg.svd(rows, compute_uv=False)[:2]
    share = singular / singular.sum()
    expected = np.exp(-(share * np.log(share)).sum())
    assert effective_rank_from_spectrum(values) == pytest.approx(expected, rel=1e-12)
