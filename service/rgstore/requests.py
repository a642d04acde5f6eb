"""Requests as they are remembered: acknowledged, and answered the same again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    Integer,
    Text,
    column,
    exists,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from rgstore.asked import Asked, Submitted, words
from rgstore.recordset import recordset
from rgstore.tables import SubmissionRow


class IdempotencyKeyReusedError(Exception):
    """The key came before with another body."""


def earlier(session: Session, owner: str, key: str | None) -> Sequence[SubmissionRow]:
    """All that came under this key, in the order in which it came."""
    keyed = session.scalars(
        select(SubmissionRow).where(
            SubmissionRow.owner == owner, SubmissionRow.idempotency_key == key
        )
    ).first()
    if keyed is None or keyed.batch is None:
        return [keyed] if keyed else []
    return session.scalars(
        select(SubmissionRow)
        .where(SubmissionRow.batch == keyed.batch)
        .order_by(SubmissionRow.place)
    ).all()


def came_before(session: Session, owner: str, key: str | None) -> bool:
    """Whether a request came under this key, so that it is only answered again."""
    if key is None:
        return False
    row = SubmissionRow
    there = exists().where(row.owner == owner, row.idempotency_key == key)
    return session.scalars(select(there)).one()


def replay(before: Sequence[SubmissionRow], body_hash: str) -> list[Submitted]:
    """What came under a key is answered as it was then.

    Raises:
        IdempotencyKeyReusedError: it came with another body.
    """
    if before[0].body_hash != body_hash:
        raise IdempotencyKeyReusedError
    return [
        Submitted(
            row.experiment_id, row.created, row.added_seeds, row.seeds, 0, [], row.submitted_at
        )
        for row in before
    ]


def insert_submissions(
    session: Session,
    asked: Sequence[Asked],
    submitted: Sequence[Submitted],
    owner: str,
    key: str | None,
    body_hash: str,
    study_id: str | None,
) -> bool:
    """Remember what was asked for and acknowledged. Returns False if the key is taken."""
    row, place = SubmissionRow, column("place", Integer())
    batch = f"b-{uuid4().hex}" if len(submitted) > 1 else None
    rows = [
        {
            "place": index,
            "experiment_id": told.experiment_id,
            "created": told.created,
            "added_seeds": told.added_seeds,
            "seeds": told.seeds,
            "wanted": told.seeds,
            **words(one.submission),
        }
        for index, (one, told) in enumerate(zip(asked, submitted, strict=True))
    ]

    def inserted(these: Sequence[Mapping[str, Any]], key: str | None) -> bool:
        asked = recordset(
            these, place, row.experiment_id, row.created, row.added_seeds, row.seeds, row.wanted,
            row.label, row.tags, row.priority, row.device,
        )  # fmt: skip
        values = {
            **dict(asked.c.items()),
            "owner": literal(owner),
            "study_id": literal(study_id, Text()),
            "idempotency_key": literal(key, Text()),
            "body_hash": literal(body_hash),
            "batch": literal(batch, Text()),
        }
        statement = (
            insert(row)
            .from_select(list(values), select(*values.values()))
            .on_conflict_do_nothing()
            .returning(row.id)
        )
        return bool(session.scalars(statement).all())

    if not inserted(rows[:1], key):  # the first carries the key of all
        return False
    return len(rows) == 1 or inserted(rows[1:], None)
