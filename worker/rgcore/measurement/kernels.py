"""Kernels that layers are compared by."""

from __future__ import annotations

from collections.abc import Sequence

from rgcore.errors import ParameterError

KERNELS: Sequence[str] = ("linear",)
"""linear: the inner product of two rows; its Gram matrices come from moments of the channels."""


class KernelError(ParameterError):
    """No such kernel."""


def checked_kernel(kernel: str) -> None:
    """Refuse a kernel that does not exist.

    Raises:
        KernelError: there is none of that name.
    """
    if kernel not in KERNELS:
        raise KernelError("kernel", kernel, ", ".join(KERNELS))
