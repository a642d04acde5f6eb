"""Operations of the matrix products that torch is asked for, counted as they are dispatched."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

_FACTORS_FROM = {"mm": 0, "bmm": 0, "addmm": 1, "addmm_": 1, "baddbmm": 1, "baddbmm_": 1}
"""Product -> the place of its first factor among the arguments."""


class CountedFlops(TorchDispatchMode):  # type: ignore[no-untyped-call]  # so it is in torch
    """Within it, `total` grows by 2 k for every number that a matrix product over k makes."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # so it is in torch
        self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        first = _FACTORS_FROM.get(func.overloadpacket.__name__)
        if first is not None:
            self.total += 2 * args[first].shape[-1] * found.numel()
        return found


def counted(do: Any) -> int:
    """Operations of what is done."""
    flops = CountedFlops()
    with flops, torch.autograd.set_multithreading_enabled(False):
        do()
    return flops.total
