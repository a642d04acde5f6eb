"""What the hourly look at the invariants found last, kept for whoever watches the lab."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from rgstore import clock
from rgstore.among import among
from rgstore.invariants import INVARIANTS
from rgstore.tables import InspectionRow


def keep(session: Session, invariant: str, broken: int) -> None:
    """Write down how many rows break an invariant, in place of what was found before.

    Args:
        session: the transaction to write in.
        invariant: its name.
        broken: rows that were found.
    """
    found = {"broken": broken, "inspected_at": clock.instant()}
    session.execute(
        insert(InspectionRow)
        .values(invariant=invariant, **found)
        .on_conflict_do_update(index_elements=[InspectionRow.invariant], set_=found)
    )


def latest(session: Session) -> Sequence[InspectionRow]:
    """What was found last of each invariant that this release has, if it was looked at."""
    row = InspectionRow
    ours = among(row.invariant, [one.name for one in INVARIANTS])
    return session.scalars(select(row).where(ours).order_by(row.invariant)).all()
