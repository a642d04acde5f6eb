"""How many runs of a spec a worker trains together."""

from __future__ import annotations

from typing import Any

from rgcore.architecture import Architecture
from rgcore.sizing import choose_fleet_size
from rgstore.stored_specs import UnreadableSpecError, loaded_spec
from rgworker.protocol import Ready


def fleet_size(stored: dict[str, Any], ready: Ready, *, trainers: int, most: int | None) -> int:
    """K for a stored spec, at least 1.

    Args:
        stored: the spec.
        ready: what the trainer said of its device.
        trainers: that share the device's memory.
        most: no more than so many; None for what pays.
    """
    try:
        spec = loaded_spec(stored, [0])
    except UnreadableSpecError:  # it is handed back by itself, with the reason
        return 1
    size = choose_fleet_size(
        Architecture(**spec.architecture),
        batch_size=spec.training.batch_size,
        mask_prob=spec.data.mask_prob,
        device=ready.kind,
        memory=ready.memory // trainers,
    )
    return size if most is None else min(size, most)
