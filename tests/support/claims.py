"""Runs claimed one at a time, as a worker does that trains no fleets."""

from __future__ import annotations

from sqlalchemy.orm import Session

from rgstore.claiming import Claim, Holder, claim_fleet


def claim_one(session: Session, holder: Holder, *, lease_seconds: float) -> Claim | None:
    """The first run in line; None if there is none."""
    claims = claim_fleet(session, holder, lease_seconds=lease_seconds, size_of=lambda _: 1, share=1)
    return claims[0] if claims else None
