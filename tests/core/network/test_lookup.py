from typing import Any

import pytest
import torch

from rgcore.network.lookup import summed_rows

SHAPES = [(1, 1, 1, 1), (5, 1, 4, 3), (40, 7, 126, 8), (3, 9, 4, 2)]
"""(m, k, r, d); of the last, most ids of a sum are the same."""


def drawn(m: Any, k: Any, r: Any, d: Any) -> Any:
    generator = torch.Generator().manual_seed(0)
    table = torch.randn(r, d, dtype=torch.float64, generator=generator, requires_grad=True)
    ids = torch.randint(r, (m, k), generator=generator)
    weight = torch.randn(m, d, dtype=torch.float64, generator=generator)
    return table, ids, weight


@pytest.mark.parametrize("shape", SHAPES)
def test_the_rows_are_summed(shape: Any) -> None:
    table, ids, _ = drawn(*shape)
    # at most nine terms of order 1 in another order
    torch.testing.assert_close(summed_rows(table, ids), table[ids].sum(dim=1), rtol=0, atol=1e-14)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_gradient_is_that_of_the_sums_written_out(shape: Any) -> None:
    table, ids, weight = drawn(*shape)
    (found,) = torch.autograd.grad((summed_rows(table, ids) * weight).sum(), table)
    (expected,) = torch.autograd.grad((table[ids].sum(dim=1) * weight).sum(), table)
    # at most 40 terms of order 1 in another order
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)


def test_the_gradient_of_an_expanded_one_is_read_right() -> None:
    # of a plain sum autograd hands on a tensor without strides
    table, ids, _ = drawn(5, 2, 4, 3)
    (found,) = torch.autograd.grad(summed_rows(table, ids).sum(), table)
    counts = torch.bincount(ids.flatten(), minlength=4).double()
    torch.testing.assert_close(found, counts[:, None].expand(4, 3), rtol=0, atol=0)


def test_single_precision_stays_single() -> None:
    table, ids, weight = drawn(5, 2, 4, 3)
    single = table.detach().float().requires_grad_()
    loss = (summed_rows(single, ids) * weight.float()).sum()
    (found,) = torch.autograd.grad(loss, single)
    assert found.dtype == torch.float32
