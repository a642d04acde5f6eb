"""All invariants, in the order in which they are checked: what takes long comes last."""

from __future__ import annotations

from rgstore.invariants import readable, stored, wants, work

INVARIANTS = (
    work.LEASE,
    work.FREED,
    work.ATTEMPTS,
    work.OPEN_ATTEMPT,
    work.ATTEMPTS_LEFT,
    work.DONE,
    work.MEASURED,
    work.STATE,
    work.COMPLETED,
    wants.SEEDS,
    wants.WANTED,
    wants.WANTED_BY,
    wants.FINDINGS,
    readable.READABLE,
    stored.HASHES,
    stored.COLUMNS,
    stored.WEIGHTS,
    stored.SUMMARIES,
)
