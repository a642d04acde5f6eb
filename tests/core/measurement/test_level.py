from typing import Any

import numpy as np
import pytest

from rgcore.measurement.level import LevelMeasurement
from rgcore.measurement.observe import Observed


def ranks(*values: Any) -> Any:
    array = np.array(values)
    return Observed({"effective_rank": array}, {"effective_rank": np.isnan(array).astype(np.uint8)})


def too_few(whole: Any, half: Any, n_rows: int = 1000, width: int = 10) -> Any:
    return LevelMeasurement.of(whole, half, n_rows=n_rows, width=width).too_few_samples


def test_ten_rows_per_dimension_are_enough() -> None:
    assert not too_few(ranks(5.0), ranks(5.0), n_rows=100)
    assert too_few(ranks(5.0), ranks(5.0), n_rows=99)


@pytest.mark.parametrize(("half", "expected"), [(4.96, False), (4.94, True), (5.06, True)])
def test_a_rank_may_move_by_one_percent(half: float, expected: bool) -> None:
    assert too_few(ranks(3.0, 5.0), ranks(3.0, half)) is expected


def test_a_rank_that_exists_in_neither_does_not_move() -> None:
    assert not too_few(ranks(np.nan, 5.0), ranks(np.nan, 5.0))


@pytest.mark.parametrize("pair", [(np.nan, 5.0), (5.0, np.nan)])
def test_a_rank_that_exists_in_one_of_the_two_moves(pair: Any) -> None:
    assert too_few(ranks(pair[0]), ranks(pair[1]))


def test_without_ranks_the_rows_decide() -> None:
    nothing = Observed({}, {})
    assert not too_few(nothing, nothing)
    assert too_few(nothing, nothing, n_rows=1)


def test_reasons_are_spelled_by_flat_index() -> None:
    codes = {"a": np.array([[0, 1], [2, 0]], dtype=np.uint8)}
    arrays = {"a": np.array([[0.0, np.nan], [np.nan, 0.0]])}
    part = LevelMeasurement.of(Observed(arrays, codes), Observed({}, {}), n_rows=9, width=1)
    assert part.reasons == {"a": {1: "no_drift", 2: "below_noise"}}
    assert part.half_reasons == {}


def test_a_wide_network_on_few_sequences_says_so(network_of: Any, measured: Any) -> None:
    wide = measured(network_of("context", width=16))
    assert wide.levels["position"].too_few_samples  # 128 rows, 16 dimensions
    assert wide.levels["token"].n_rows == 1024
