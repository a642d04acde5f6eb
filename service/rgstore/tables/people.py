"""Who may ask, and what they asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    Identity,
    Index,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from rgstore.tables.base import DEVICE_KINDS, ROLES, Base, Moment


class UserRow(Base):
    """Somebody who may use the lab, unless they are disabled."""

    __tablename__ = "users"

    name: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(server_default=text("'member'"))
    created_at: Mapped[Moment]
    disabled_at: Mapped[datetime | None]
    """Since when none of their tokens speaks for them."""
    quotas: Mapped[dict[str, Any] | None]
    """Quota -> their own limit, in place of the lab's; null for none."""

    __table_args__ = (CheckConstraint(f"role IN ({ROLES})", name="role"),)


class TokenRow(Base):
    """A bearer token, by its digest: the token itself is not stored."""

    __tablename__ = "tokens"

    digest: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(Computed("'t-' || left(digest, 16)", persisted=True))
    """What it is called where it is listed."""
    owner: Mapped[str] = mapped_column(ForeignKey("users.name"))
    name: Mapped[str] = mapped_column(server_default=text("'unnamed'"))
    role: Mapped[str] = mapped_column(server_default=text("'member'"))
    """The most that it may be used for."""
    created_at: Mapped[Moment]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(f"role IN ({ROLES})", name="role"),
        UniqueConstraint("id"),
        Index("ix_tokens_owner", "owner"),
    )


class ChargeRow(Base):
    """Operations that a person put in line by one request; kept while they count for a quota."""

    __tablename__ = "charges"

    id: Mapped[int] = mapped_column(BigInteger(), Identity(), primary_key=True)
    owner: Mapped[str]
    at: Mapped[Moment]
    flops: Mapped[float]

    __table_args__ = (Index("ix_charges_at_owner", "at", "owner"),)


_OWNER = DDL(  # type: ignore[no-untyped-call]  # SQLAlchemy has no types for it
    """
CREATE FUNCTION token_owner_is_a_user() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO users (name) VALUES (NEW.owner) ON CONFLICT DO NOTHING;
    RETURN NEW;
END $$
"""
)
_ON_TOKENS = DDL(  # type: ignore[no-untyped-call]
    """
CREATE TRIGGER owner BEFORE INSERT ON tokens
FOR EACH ROW EXECUTE FUNCTION token_owner_is_a_user()
"""
)
"""A release that knows no users makes tokens without adding one."""
event.listen(TokenRow.__table__, "after_create", _OWNER)
event.listen(TokenRow.__table__, "after_create", _ON_TOKENS)


class SubmissionRow(Base):
    """A request: what one person asked for of an experiment, which others may share.

    It was acknowledged; with an idempotency key it is answered the same again.
    """

    __tablename__ = "submissions"

    id: Mapped[int] = mapped_column(BigInteger(), Identity(), primary_key=True)
    owner: Mapped[str]
    idempotency_key: Mapped[str | None]
    body_hash: Mapped[str]
    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"))
    created: Mapped[bool]
    added_seeds: Mapped[list[int]]
    seeds: Mapped[list[int] | None]
    """Training seeds that it named; null where that was not kept."""
    wanted: Mapped[list[int] | None]
    """Seeds that it still wants, none once it is withdrawn; null for all that are there. A run that
    nobody wants is stopped."""
    label: Mapped[str | None]
    tags: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    note: Mapped[str | None]
    """What its owner wrote beside it later."""
    priority: Mapped[int] = mapped_column(server_default="0")
    device: Mapped[str] = mapped_column(server_default=text("'any'"))
    """Kind of device that it asked for."""
    study_id: Mapped[str | None] = mapped_column(
        # at the end of the transaction: a study is stored after its experiments
        ForeignKey("studies.id", ondelete="CASCADE", deferrable=True, initially="DEFERRED")
    )
    """The study that it is part of."""
    batch: Mapped[str | None]
    """Names submissions that came in one request, of which the first carries the key."""
    place: Mapped[int] = mapped_column(server_default="0")
    """In its batch."""
    submitted_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("owner", "idempotency_key"),
        CheckConstraint(f"device IN ({DEVICE_KINDS})", name="device"),
        Index("ix_submissions_experiment_id", "experiment_id"),
        Index("ix_submissions_tags", "tags", postgresql_using="gin"),
        Index(
            "ix_submissions_study_id_experiment_id",
            "study_id",
            "experiment_id",
            postgresql_where=text("study_id IS NOT NULL"),
        ),
        Index(
            "ix_submissions_batch_place",
            "batch",
            "place",
            postgresql_where=text("batch IS NOT NULL"),
        ),
    )


MOST_COUNTED = 16
"""Of more who want a run the first by name count for its turn: an index has room for so many."""
_WANTED_BY = DDL(  # type: ignore[no-untyped-call]
    f"""
CREATE FUNCTION runs_say_who_wants_them() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE runs r SET wanted_by = w.owners
    FROM (
        SELECT r.id, (array_agg(DISTINCT s.owner ORDER BY s.owner))[1:{MOST_COUNTED}] AS owners
        FROM runs r JOIN submissions s ON s.experiment_id = r.experiment_id
            AND (s.wanted IS NULL OR r.seed = ANY (s.wanted))
        WHERE r.experiment_id IN (SELECT experiment_id FROM written) AND r.state <> 'done'
        GROUP BY r.id
    ) w
    WHERE w.id = r.id AND w.owners <> r.wanted_by;
    RETURN NULL;
END $$
"""  # noqa: S608 - our own number
)
event.listen(SubmissionRow.__table__, "after_create", _WANTED_BY)
for _when in ("insert", "update"):
    _of_wishes = DDL(  # type: ignore[no-untyped-call]
        f"""
CREATE TRIGGER wanted_by_{_when} AFTER {_when} ON submissions
REFERENCING NEW TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION runs_say_who_wants_them()
"""
    )
    event.listen(SubmissionRow.__table__, "after_create", _of_wishes)
