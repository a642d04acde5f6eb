"""The units of work and the attempts at them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from rgstore.tables.base import DEVICE_KINDS, OUTCOMES, STATES, Base, Moment


class RunRow(Base):
    """One training seed on one chain of an experiment: the unit of work, leases and retries."""

    __tablename__ = "runs"

    id: Mapped[int] = mapped_column(BigInteger(), Identity(), primary_key=True)
    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"))
    chain_seed: Mapped[int]
    seed: Mapped[int]
    state: Mapped[str]
    priority: Mapped[int]
    attempt: Mapped[int] = mapped_column(server_default="0")
    """Attempts begun; together with `lease_owner` the fence of every write."""
    shape: Mapped[str | None]
    """Queued runs of one shape may be trained as one fleet; null goes alone."""
    device: Mapped[str] = mapped_column(server_default=text("'any'"))
    """Kind of device that it waits for."""
    wanted_by: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    """Who wants it, by name; once it is done, who did. A trigger of `submissions` writes it."""
    attempt_limit: Mapped[int]
    """A run that is lost at this attempt is failed and not queued again."""
    lease_owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    cancel_requested: Mapped[bool] = mapped_column(server_default=text("false"))
    queued_at: Mapped[Moment]
    sent_at: Mapped[datetime | None]
    """Written by workers of the release before, while they still run; dropped by the next."""
    phase: Mapped[str | None]
    fraction: Mapped[float] = mapped_column(server_default="0")
    step: Mapped[int] = mapped_column(server_default="0")
    loss: Mapped[float | None]
    error: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("experiment_id", "chain_seed", "seed"),
        CheckConstraint(f"state IN ({STATES})", name="state"),
        CheckConstraint(f"device IN ({DEVICE_KINDS})", name="device"),
        CheckConstraint(
            "(state = 'running') = (lease_owner IS NOT NULL AND lease_until IS NOT NULL)",
            name="lease",
        ),
        Index(
            "ix_runs_line",
            "wanted_by",
            "device",
            text("priority DESC"),
            "queued_at",
            "id",
            postgresql_where=text("state = 'queued'"),
        ),
        Index("ix_runs_waiting", "device", postgresql_where=text("state = 'queued'")),
        Index(
            "ix_runs_shape",
            "shape",
            text("priority DESC"),
            "wanted_by",
            "device",
            "queued_at",
            "id",
            postgresql_where=text("state = 'queued' AND shape IS NOT NULL"),
        ),
        Index("ix_runs_lease_until", "lease_until", postgresql_where=text("state = 'running'")),
    )


class AttemptRow(Base):
    """One try of one worker at one run."""

    __tablename__ = "attempts"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    worker: Mapped[str]
    host: Mapped[str]
    device: Mapped[str]
    versions: Mapped[dict[str, Any]]
    spec_schema: Mapped[int] = mapped_column(server_default=text("1"))
    training_protocol: Mapped[int] = mapped_column(server_default=text("2"))
    protocol: Mapped[int] = mapped_column(server_default=text("3"))
    """What its worker implements; by default what those did that do not say it."""
    calibration: Mapped[dict[str, Any]]
    """Known answer -> whether this worker measured it within its tolerance."""
    fleet: Mapped[int] = mapped_column(server_default=text("1"))
    """Runs that were claimed together, this one included."""
    trained: Mapped[bool] = mapped_column(server_default=text("true"))
    """False where stored weights were measured and nothing was trained."""
    started_at: Mapped[Moment]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    error: Mapped[str | None]
    traceback: Mapped[str | None]

    __table_args__ = (
        CheckConstraint(f"outcome IN ({OUTCOMES})", name="outcome"),
        Index("ix_attempts_ended_at", "ended_at"),
    )


_IMPLEMENTED = DDL(  # type: ignore[no-untyped-call]  # SQLAlchemy has no types for it
    """
CREATE FUNCTION attempt_is_implemented() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT AS $$
DECLARE
    needs experiments;
BEGIN
    SELECT e.* INTO needs FROM experiments e JOIN runs r ON r.experiment_id = e.id
    WHERE r.id = NEW.run_id;
    IF (NEW.training_protocol, NEW.protocol) <> (needs.training_protocol, needs.protocol)
        OR NEW.spec_schema < needs.spec_schema
    THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = concat(
            'worker ', NEW.worker, ' implements measurement protocol ', NEW.protocol,
            ', training protocol ', NEW.training_protocol, ' and spec schema ', NEW.spec_schema,
            '; run ', NEW.run_id, ' takes ', needs.protocol, ', ', needs.training_protocol,
            ' and ', needs.spec_schema, ': upgrade the worker');
    END IF;
    RETURN NEW;
END $$
"""
)
_ON_ATTEMPTS = DDL(  # type: ignore[no-untyped-call]
    """
CREATE TRIGGER implemented BEFORE INSERT ON attempts
FOR EACH ROW EXECUTE FUNCTION attempt_is_implemented()
"""
)
"""Releases that claim whatever is first in line are kept from what they do not implement."""
event.listen(AttemptRow.__table__, "after_create", _IMPLEMENTED)
event.listen(AttemptRow.__table__, "after_create", _ON_ATTEMPTS)
