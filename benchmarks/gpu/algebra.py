"""Stage `algebra`: float64 Gram products and batched eigenvalues, behind checks, against the CPU.

A batched `eigvalsh` on a GPU goes matrix by matrix for n > 32 before torch 2.12: measured here is
from which n on, and by how much, it is worth leaving the CPU's LAPACK.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from benchmarks.gpu.part import Part, milliseconds
from benchmarks.gpu.setting import CPU, Setting
from benchmarks.timing import interleave
from rgcore.random import derive_generator

EIGEN = {16: 256, 32: 256, 33: 256, 64: 128, 128: 64, 256: 16, 512: 4}
"""Size of a matrix, and how many of them."""
GRAM = ((32, 1024, 32), (32, 1024, 128), (1, 32768, 128), (1, 8192, 512))
"""Positions, rows of each, width."""
TOY_EIGEN, TOY_GRAM = {4: 3, 33: 2}, ((2, 16, 4),)
ROUNDS = 5
ALLOWED = 100 * torch.finfo(torch.float64).eps
"""Per dimension, over the largest eigenvalue: what orders of sums leave is below 10 eps."""


def run(setting: Setting, part: Part) -> None:
    """A row for each size."""
    for groups, rows, width in TOY_GRAM if setting.toy else GRAM:
        stream = _normal(groups, rows, width)
        part.add(**_compared(setting, "gram", (groups, rows, width), stream, _gram))
    for n, batch in (TOY_EIGEN if setting.toy else EIGEN).items():
        if setting.left < 0:
            part.add(what="eigvalsh", shape=[batch, n, n], note="not measured: no time left")
            continue
        grams = _gram(_normal(batch, 3 * n, n) / torch.arange(1, n + 1))
        part.add(**_compared(setting, "eigvalsh", (batch, n, n), grams, torch.linalg.eigvalsh))


def _gram(stream: Tensor) -> Tensor:
    """(G, m, d) to (G, d, d)."""
    return stream.mT @ stream


def _compared(
    setting: Setting,
    what: str,
    shape: tuple[int, ...],
    given: Tensor,
    work: Callable[[Tensor], Tensor],
) -> dict[str, object]:
    there = given.to(setting.device)
    rounds = 2 if setting.toy else ROUNDS
    times = interleave(
        {"cpu": Setting(CPU, setting.toy, setting.left).timed(lambda: work(given)),
         "device": setting.timed(lambda: work(there))},
        rounds,
        enough=lambda: setting.left < 0,
    )  # fmt: skip
    checks = _checks(what, given, work(there).to(CPU), work(given))
    allowed = ALLOWED * shape[-1]
    return {
        "what": what,
        "shape": list(shape),
        "device_ms": milliseconds(times["device"]),
        "cpu_ms": milliseconds(times["cpu"]),
        "ratio": times["cpu"].median / times["device"].median,
        "checks": checks,
        "tolerance": allowed,
        "agree": all(error <= allowed for error in checks.values()),
    }


def _checks(what: str, given: Tensor, found: Tensor, exact: Tensor) -> dict[str, float]:
    """Errors over the largest entry; for eigenvalues also those that need no other LAPACK."""
    largest = exact.abs().amax()
    errors = {"of the CPU": float((found - exact).abs().amax() / largest)}
    if what == "eigvalsh":
        trace = given.diagonal(dim1=-2, dim2=-1).sum(-1)
        frobenius = torch.linalg.matrix_norm(given)
        errors["trace"] = float(((found.sum(-1) - trace) / trace).abs().amax())
        norm = torch.linalg.vector_norm(found, dim=-1)
        errors["Frobenius norm"] = float(((norm - frobenius) / frobenius).abs().amax())
    return {name: error if np.isfinite(error) else float("inf") for name, error in errors.items()}


def _normal(*shape: int) -> Tensor:
    generator = derive_generator(0, "gpu algebra")
    return torch.randn(*shape, dtype=torch.float64, generator=generator)
