"""The verdict on one claim."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from rgcore.claims.effect import Effect
from rgcore.claims.thresholds import LEAST_SEEDS

Verdict = Literal["supported", "refuted", "inconclusive"]


@dataclass(frozen=True)
class Finding:
    """What the measurements say about one claim.

    Attributes:
        claim: `monotone`, `selective` or `localized`.
        verdict: where refuting and supporting conditions both hold, the effect is real but
            negligible, and the verdict is `refuted`.
        reason: one sentence with the numbers that decide it.
        n_seeds: seeds that the verdict rests on.
        n_dropped: seeds left out, because a number in them does not exist.
        effects: every number that was looked at, by name.
        flags: what else was found, by name.
    """

    claim: str
    verdict: Verdict
    reason: str
    n_seeds: int
    n_dropped: int
    effects: dict[str, Effect]
    flags: dict[str, str] = field(default_factory=dict)


def finding(
    claim: str,
    counts: tuple[int, int],
    effects: dict[str, Effect],
    *,
    against: str,
    for_it: str,
    open_because: str,
    flags: dict[str, str] | None = None,
) -> Finding:
    """The finding that the sentences amount to.

    Args:
        claim: its name.
        counts: (seeds kept, seeds dropped).
        effects: all of them.
        against: what refutes the claim; empty if nothing does.
        for_it: what supports it; empty if something is missing.
        open_because: what is missing for either.
        flags: what else was found.
    """
    n_seeds, n_dropped = counts
    verdict: Verdict
    if n_seeds < LEAST_SEEDS:
        verdict = "inconclusive"
        reason = f"A verdict needs at least {LEAST_SEEDS} seeds; there are {n_seeds}"
    elif against:
        verdict, reason = "refuted", against
    elif for_it:
        verdict, reason = "supported", for_it
    else:
        verdict, reason = "inconclusive", open_because
    if n_dropped:
        reason += f" ({n_dropped} of {n_seeds + n_dropped} seeds dropped: a number is missing)"
    return Finding(
        claim=claim,
        verdict=verdict,
        reason=f"{reason}.",
        n_seeds=n_seeds,
        n_dropped=n_dropped,
        effects=effects,
        flags=flags or {},
    )
