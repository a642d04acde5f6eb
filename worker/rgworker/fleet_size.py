"""How many runs of a spec a worker trains together."""

from __future__ import annotations

from typing import Any

from rgcore.sizing import choose_fleet_size
from rgstore.submissions import UnreadableSpecError, loaded_spec
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
    model = spec.model
    size = choose_fleet_size(
        mixing=model.mixing,
        n_states=spec.chain.n_states,
        seq_len=spec.data.seq_len,
        mask_prob=spec.data.mask_prob,
        batch_size=spec.training.batch_size,
        context=model.context or 0,
        depth=model.depth,
        width=model.width,
        hidden=max(1, round(model.hidden_ratio * model.width)),
        device=ready.kind,
        memory=ready.memory // trainers,
    )
    return size if most is None else min(size, most)
