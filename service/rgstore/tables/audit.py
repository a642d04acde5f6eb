"""What people changed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import DDL, JSON, BigInteger, Identity, Index, event
from sqlalchemy.orm import Mapped, mapped_column

from rgstore.tables.base import Base, Moment


class AuditRow(Base):
    """A change that a person made. Rows are added, and never changed or deleted."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(BigInteger(), Identity(always=True), primary_key=True)
    at: Mapped[Moment]
    who: Mapped[str]
    token_id: Mapped[str | None]
    """The token that was used, by its id; null for what was done on the server itself."""
    action: Mapped[str]
    target: Mapped[str]
    """Name of what was changed."""
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    __table_args__ = (
        # a page is narrowed by any of these and goes on from an (at, id)
        Index("ix_audit_at_id", "at", "id"),
        *(Index(f"ix_audit_{name}_at_id", name, "at", "id") for name in ("who", "target")),
    )


_REFUSES = DDL(  # type: ignore[no-untyped-call]  # SQLAlchemy has no types for it
    """
CREATE FUNCTION audit_is_kept() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'restrict_violation',
        MESSAGE = 'the audit log is only added to: no ' || lower(TG_OP) || ' of what it says';
END $$
"""
)
_OF_ROWS = DDL(  # type: ignore[no-untyped-call]
    """
CREATE TRIGGER kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_kept()
"""
)
event.listen(AuditRow.__table__, "after_create", _REFUSES)
event.listen(AuditRow.__table__, "after_create", _OF_ROWS)
