from itertools import permutations, product
from typing import Any

import numpy as np
import pytest
from scipy import stats

from rgcore.claims import kendall_tau, page_p_value
from rgcore.claims.order import spearman

DEPTH = np.arange(9)


def _untied(rows: int = 6, columns: int = 9) -> Any:
    return np.random.default_rng(0).normal(size=(rows, columns))


def test_tau_is_scipys_without_ties() -> None:
    values = _untied()
    expected = [stats.kendalltau(DEPTH, row).statistic for row in values]
    np.testing.assert_allclose(kendall_tau(values), expected, rtol=0, atol=1e-15)  # rounding


def test_tau_with_ties_is_somers_d() -> None:
    # tau-a has all pairs below the line, and so has Somers' D of values given an untied depth
    values = np.random.default_rng(1).integers(4, size=(6, 9)).astype(float)
    expected = [stats.somersd(DEPTH, row).statistic for row in values]
    np.testing.assert_allclose(kendall_tau(values), expected, rtol=0, atol=1e-15)  # rounding


def test_tau_counts_pairs() -> None:
    # 3 > 2, 3 > 1, 3 < 4, 2 > 1, 2 < 4, 1 < 4
    assert kendall_tau([[3.0, 2.0, 1.0, 4.0]])[0] == 0.0


def test_only_a_fall_at_every_layer_has_tau_minus_one() -> None:
    assert kendall_tau([[4.0, 3.0, 2.0], [4.0, 3.0, 3.0]]).tolist() == [-1.0, -2.0 / 3.0]


def test_constant_rank_has_no_order() -> None:
    assert kendall_tau(np.full((2, 5), 7.0)).tolist() == [0.0, 0.0]


def test_rounding_of_ranks_is_a_tie() -> None:
    assert kendall_tau([[7.0, 7.0 - 1e-9, 7.0 - 2e-9]])[0] == 0.0


def test_spearman_is_scipys_without_ties() -> None:
    values = _untied()
    expected = [stats.spearmanr(DEPTH, row).statistic for row in values]
    np.testing.assert_allclose(spearman(values), expected, rtol=0, atol=1e-14)  # rounding


def test_page_is_exact_for_few_layers() -> None:
    # all 6^2 orders of two rows are equally likely; L weighs the layers 3, 2, 1 for a fall
    rows = [(3.0, 2.0, 1.0), (3.0, 1.0, 2.0)]
    scores = [np.dot(order, [3, 2, 1]) for order in permutations([1, 2, 3])]
    seen = sum(np.dot(row, [3, 2, 1]) for row in rows)
    p = np.mean([first + second >= seen for first, second in product(scores, scores)])
    assert page_p_value(rows) == pytest.approx(p, rel=1e-12)  # rounding


def test_page_is_normal_for_many_layers() -> None:
    values = _untied()
    m, n = values.shape
    ranks = values.argsort(axis=1).argsort(axis=1) + 1
    trend = (ranks * (n - DEPTH)).sum()
    expected = m * n * (n + 1) ** 2 / 4
    spread = np.sqrt(m * n**2 * (n + 1) * (n**2 - 1) / 144)
    p = stats.norm.sf((trend - expected) / spread)
    assert page_p_value(values) == pytest.approx(p, rel=1e-12)  # rounding


def test_page_is_for_a_fall() -> None:
    falling = np.tile(np.arange(9.0, 0.0, -1.0), (3, 1))
    down, up = page_p_value(falling), page_p_value(falling[:, ::-1])
    assert down is not None
    assert up is not None
    assert down < 1e-4  # 3 x 8 standard deviations / sqrt(24): 4.9
    assert up > 0.999


@pytest.mark.parametrize("shape", [(1, 9), (5, 2)])
def test_page_needs_two_seeds_and_three_layers(shape: Any) -> None:
    assert page_p_value(np.ones(shape)) is None
