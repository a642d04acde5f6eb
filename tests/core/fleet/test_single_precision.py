"""Solo and fleet in float32, where sums are added up in another order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rgcore.fleet import train_fleet
from rgcore.measurement import LEVELS_OF, measure

SEQ_LEN = 6
STEPS = 100
CLOSE = 1e-5
"""Rounding, 6e-8 of a gradient, moves a step of Adam by some 1e-7 of the rate; a hundred steps and
what one does to the next leave 1e-7 to 1e-6. Observables are of order 1, and so is what they make
of it."""
CLOSE_MIXER = 1e-3
"""Under layer norm a mixer's `token_leave.bias` moves all channels of a position alike, which the
norm takes out. Its gradient is rounding, 1e-9, and Adam, which divides by sqrt(v) + 1e-8, makes
steps of it; level `token` sees the positions move."""


@pytest.fixture
def pair(make_member: Any, trained_alone: Any) -> Any:
    """One member as out of a fleet of three, and by itself."""

    def run(mixing: Any) -> Any:
        fleet, alone = (
            [
                make_member(seed, double=False, arch={"mixing": mixing}, steps=STEPS)
                for seed in range(3)
            ]
            for _ in range(2)
        )
        train_fleet(fleet, seq_len=SEQ_LEN)
        trained_alone(alone[1])
        return fleet[1], alone[1]

    return run


@pytest.mark.parametrize("mixing", ["context", "flat", "window"])
def test_weights_agree(mixing: str, pair: Any, furthest_apart: Any) -> None:
    together, alone = pair(mixing)
    assert furthest_apart(together, alone) < CLOSE


@pytest.mark.parametrize(
    ("mixing", "tolerance"),
    [("context", CLOSE), ("flat", CLOSE), ("mixer", CLOSE_MIXER), ("window", CLOSE)],
)
def test_observables_agree(mixing: str, tolerance: Any, pair: Any) -> None:
    together, alone = (
        measure(
            member.network,
            member.chain,
            seq_len=SEQ_LEN,
            n_sequences=256,
            mask_prob=0.3,
            levels=LEVELS_OF[mixing],
            seed=7,
        )
        for member in pair(mixing)
    )
    assert together.loss == pytest.approx(alone.loss, abs=CLOSE)
    for own, expected in zip(
        (*together.levels.values(), together.network),
        (*alone.levels.values(), alone.network),
        strict=True,
    ):
        assert own.reasons == expected.reasons
        for name, values in own.arrays.items():
            np.testing.assert_allclose(
                values, expected.arrays[name], rtol=tolerance, atol=tolerance, err_msg=name
            )
