from typing import Any

import numpy as np
import pytest
import torch

from rgcore.measurement import Moments

G, K, D, N = 3, 4, 5, 40
CPU = torch.device("cpu")


@pytest.fixture
def rows() -> Any:
    """(G, N, K, d) float64: layers that share part of what they see, off centre."""
    drawn = np.random.default_rng(0).normal(size=(G, N, K, D))
    return torch.from_numpy(drawn.cumsum(axis=2) + np.arange(G)[:, None, None, None] + 2.0)


def gathered(rows: Any, sizes: Any = (N,), **how: Any) -> Any:
    groups, _, n_layers, width = rows.shape
    moments = Moments(n_layers, groups, width, CPU, **how)
    begin = 0
    for size in sizes:
        for layer in range(n_layers):
            moments.add(layer, rows[:, begin : begin + size, layer])
        begin += size
    return moments


def assert_sums(moments: Any, x: Any, *, apart: Any = K) -> None:
    """The sums of (G, n, K, d) rows; tolerance: some hundred products of order 10."""
    size2 = x.square().sum(dim=-1)  # (G, n, K)
    close: dict[str, Any] = {"rtol": 1e-12, "atol": 1e-9}
    torch.testing.assert_close(moments.total, x.sum(dim=1), **close)
    torch.testing.assert_close(moments.power, size2.sum(dim=1), **close)
    for first in range(K):
        for second in range(max(0, first - apart), min(K, first + apart + 1)):
            a, b = x[:, :, first], size2[:, :, second]
            torch.testing.assert_close(
                moments.cubic[:, first, second], torch.einsum("gnd,gn->gd", a, b), **close
            )
            torch.testing.assert_close(
                moments.quartic[:, first, second], (size2[:, :, first] * b).sum(dim=1), **close
            )
            if first <= second:
                product = torch.einsum("gni,gnj->gij", a, x[:, :, second])
                torch.testing.assert_close(moments.block(first, second), product, **close)


@pytest.mark.parametrize("sizes", [(N,), (7, 20, 13), (1,) * N])
def test_sums_are_about_the_mean_once_centred(rows: Any, sizes: Any) -> None:
    centred = gathered(rows, sizes).centred()
    assert centred.n_rows == N
    torch.testing.assert_close(centred.reference, rows.mean(dim=1))
    assert_sums(centred, rows - rows.mean(dim=1, keepdim=True))


def test_any_reference_can_be_had(rows: Any) -> None:
    reference = torch.full((G, K, D), 0.5, dtype=torch.float64)
    assert_sums(gathered(rows).about(reference), rows - 0.5)


def test_merging_is_as_gathering_all(rows: Any) -> None:
    first, second = gathered(rows[:, :11], (11,)), gathered(rows[:, 11:], (29,))
    first.merge(second)
    assert first.n_rows == N
    assert_sums(first.centred(), rows - rows.mean(dim=1, keepdim=True))


def test_merging_into_nothing_is_a_copy(rows: Any) -> None:
    empty = Moments(K, G, D, CPU)
    empty.merge(gathered(rows))
    assert_sums(empty.centred(), rows - rows.mean(dim=1, keepdim=True))


def test_merging_nothing_changes_nothing(rows: Any) -> None:
    moments = gathered(rows)
    moments.merge(Moments(K, G, D, CPU))
    assert_sums(moments.centred(), rows - rows.mean(dim=1, keepdim=True))


def test_groups_together_are_one_group_of_all_rows(rows: Any) -> None:
    together = gathered(rows).together()
    everyone = rows.flatten(0, 1)[None]
    assert together.shape == (1, K, D)
    assert together.n_rows == G * N
    assert_sums(together.centred(), everyone - everyone.mean(dim=1, keepdim=True))


def test_neighbours_alone_are_kept_the_same(rows: Any) -> None:
    moments = gathered(rows, complete=False)
    assert [gram.shape[2] for gram in moments.gram] == [1, 2, 2, 2]
    assert_sums(moments.centred(), rows - rows.mean(dim=1, keepdim=True), apart=1)
    together = moments.together().centred()
    everyone = rows.flatten(0, 1)[None]
    assert_sums(together, everyone - everyone.mean(dim=1, keepdim=True), apart=1)


def test_all_pairs_take_half_of_the_whole_product(rows: Any) -> None:
    kept = sum(gram.numel() for gram in gathered(rows).gram)
    assert kept == G * D**2 * K * (K + 1) / 2


@pytest.mark.parametrize("sizes", [(N,), (3, 17, 20)])
def test_a_constant_layer_is_exactly_zero(rows: Any, sizes: Any) -> None:
    rows[:, :, 1] = 0.1  # not a binary fraction: its sums are rounded
    moments = gathered(rows, sizes).centred()
    assert (moments.gram[1] == 0).all()
    assert (moments.block(1, 3) == 0).all()
    assert (moments.quartic[:, 1] == 0).all()


def test_a_far_mean_costs_no_digits(rows: Any) -> None:
    shift = 2.0**30  # rows keep 22 bits; their sums of squares alone would keep none
    far = rows.float().double() + shift
    near = gathered(far - shift).centred()
    there = gathered(far, (9, 31)).centred()
    for layer in range(K):
        torch.testing.assert_close(there.gram[layer], near.gram[layer], rtol=1e-12, atol=1e-10)
    torch.testing.assert_close(there.quartic, near.quartic, rtol=1e-12, atol=0)


def test_single_precision_rows_are_summed_in_double(rows: Any) -> None:
    single = rows.float()
    exact = single.double() - single.double().mean(dim=1, keepdim=True)
    assert_sums(gathered(single, (13, 27)).centred(), exact)


def test_a_batch_without_rows_is_nothing(rows: Any) -> None:
    moments = gathered(rows, (0, N, 0))
    assert moments.n_rows == N


def test_a_layer_that_is_not_finite_spoils_no_other(rows: Any) -> None:
    clean = gathered(rows).centred()
    rows[1, 2, 3, 0] = torch.inf
    moments = gathered(rows).centred()
    for layer in range(3):
        assert torch.equal(moments.gram[layer], clean.gram[layer])
    assert torch.equal(moments.quartic[:, :3, :3], clean.quartic[:, :3, :3])
    assert moments.quartic[1, 3, 3].isnan()
    assert moments.gram[3][[0, 2]].isfinite().all()
