"""How a process that trains or calibrates computes: the same wherever it is started."""

from __future__ import annotations

import torch


def settle() -> None:
    """One thread, no subnormal numbers, float32 products of full precision.

    So a run's numbers do not depend on the number of cores, several trainers share a machine
    evenly, weights that decay to nothing cost no hundredfold of the time, and no observable shows
    the 10 bits of 23 that TF32 keeps.
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def float32() -> str:
    """How float32 products are rounded in this process."""
    tf32 = torch.backends.cuda.matmul.allow_tf32 or torch.backends.cudnn.allow_tf32
    return "tf32" if tf32 else "ieee, no tf32"
