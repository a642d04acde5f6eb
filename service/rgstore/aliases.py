"""Names of before: what was stored under a hash that its spec no longer has is found by today's.

A hash is a name for ever: it stands in papers and notebooks. Where the form that hashes are made
of has changed, the old one stays the key of its rows, and the migration that brings the change
writes down which of today's hashes it goes by.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from rgstore.among import among
from rgstore.tables import AliasRow, ExperimentRow


def of(session: Session, digests: Iterable[str]) -> dict[str, list[str]]:
    """Hash of today -> those that its rows may be stored under besides, for those that have any."""
    rows = session.execute(
        select(AliasRow.today, AliasRow.stored)
        .where(among(AliasRow.today, digests))
        .order_by(AliasRow.today, AliasRow.stored)
    )
    found: dict[str, list[str]] = {}
    for today, stored in rows:
        found.setdefault(today, []).append(stored)
    return found


def names_of(session: Session, digest: str) -> set[str]:
    """All names, itself included, of what goes by a hash of today or of before."""
    row = AliasRow
    pairs = session.execute(
        select(row.today, row.stored).where(or_(row.today == digest, row.stored == digest))
    )
    return {digest, *(name for pair in pairs for name in pair)}


def of_experiments(session: Session, spec_hashes: Sequence[str]) -> dict[str, str]:
    """Hash of today -> that of the experiment which is the same spec under a name of before.

    Of several, the one that was completed first. None for a spec that has an experiment of today's
    name.
    """
    today = aliased(ExperimentRow)
    rows = session.execute(
        select(AliasRow.today, AliasRow.stored)
        .join(ExperimentRow, ExperimentRow.spec_hash == AliasRow.stored)
        .where(
            among(AliasRow.today, spec_hashes),
            ~select(today.id).where(today.spec_hash == AliasRow.today).exists(),
        )
        .order_by(
            AliasRow.today,
            ExperimentRow.completed_at.nulls_last(),
            ExperimentRow.created_at,
            ExperimentRow.id,
        )
    )
    found: dict[str, str] = {}
    for name, stored in rows:
        found.setdefault(name, stored)
    return found
