"""Sums of rows looked up in a table, with a gradient that sorts nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional


def summed_rows(table: Tensor, ids: Tensor) -> Tensor:
    """Sum over i of table[ids[:, i]]: tables (r, d) and ids (m, k) int64 to (m, d).

    As `embedding_bag`, whose gradient on the CPU sorts the ids first, which took longer than all
    the rest of it. Rows are added to the gradient in the order of the ids.
    """
    if table.device.type != "cpu":
        return functional.embedding_bag(ids, table, mode="sum")
    found: Tensor = _SummedRows.apply(table, ids)  # type: ignore[no-untyped-call]
    return found


class _SummedRows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, table: Tensor, ids: Tensor) -> Tensor:
        ctx.save_for_backward(ids)
        ctx.n_rows = len(table)
        return functional.embedding_bag(ids, table, mode="sum")

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (ids,), gradient = ctx.saved_tensors, gradients[0].numpy()
        m, k = ids.shape
        ones = np.ones(m * k, dtype=gradient.dtype)
        begins = np.arange(0, m * k + 1, k)
        chosen = csr_array((ones, ids.numpy().reshape(-1), begins), shape=(m, ctx.n_rows))
        return torch.from_numpy(chosen.T @ gradient), None
