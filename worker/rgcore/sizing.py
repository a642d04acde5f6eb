"""How many networks of one shape to train together: arithmetic alone, without torch.

Whoever shares out the work asks here, and never loads torch.
"""

from __future__ import annotations

from rgcore.architecture import Architecture
from rgcore.cost.training import step_multiply_adds, training_bytes

MOST_MEMBERS = {"cpu": 64, "cuda": 256}
"""With more, members wait longer for each other and gain nothing."""
ROOM = 0.8
"""Part of the memory that a fleet may fill by the estimate."""
CPU_WORK = 2.5e8
"""Multiply-adds in a step of a fleet, beyond which it gains nothing on a core.

Measured on one thread against runs one after another. Below, starting the operations is what takes
the time, and a fleet starts them once for all; above, the products are, and what passes between
them no longer fits the cache.
"""


def choose_fleet_size(
    arch: Architecture, *, batch_size: int, mask_prob: float, device: str, memory: int
) -> int:
    """K, the most members that a fleet of this shape should have, at least 1.

    Args:
        arch: of the networks.
        batch_size: sequences per step.
        mask_prob: probability that a token is hidden.
        device: "cpu", for one thread, or "cuda".
        memory: bytes that the fleet may take on it.
    """
    one = training_bytes(arch, batch_size=batch_size, mask_prob=mask_prob)
    most = min(MOST_MEMBERS[device], int(ROOM * memory / one))
    if device == "cpu":
        work = step_multiply_adds(arch, batch_size=batch_size, mask_prob=mask_prob)
        most = min(most, round(CPU_WORK / work))
    return max(1, most)
