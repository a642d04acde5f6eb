"""`rglab audit`: who changed what, on the machine of the server."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from rgcontract import canonical_json
from rgcontract.audit import Action, AuditEntry
from rgcontract.visible import one_line
from rglab.cli.console import err, out, stop
from rglab.cli.lab_database import transaction
from rgstore import audit
from rgstore.audit import Asked
from rgstore.tables import AuditRow

MOST = 10_000
"""Changes that are told at once."""


def show(
    since: Annotated[
        str | None, typer.Option(help="Not before 2026-11-28, or 2026-11-28T09:30+00:00 (UTC)")
    ] = None,
    who: Annotated[str | None, typer.Option(help="By this person")] = None,
    action: Annotated[Action | None, typer.Option(help="Of this kind")] = None,
    target: Annotated[
        str | None, typer.Option(help="Of this experiment, study, person or token")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="At most so many, the newest")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each")] = False,
) -> None:
    """Who changed what, when, by which token, from what to what; the newest last."""
    asked = Asked(who=who, action=action, target=target, since=_moment(since))
    with transaction() as session:
        rows = audit.page(session, asked, after=None, limit=limit)
    for row in reversed(rows):
        out.print(_as_json(row) if as_json else _line(row), markup=False, soft_wrap=True)
    if len(rows) == limit:
        err.print(f"the newest {limit}; --limit takes more, --since fewer", markup=False)


def _moment(since: str | None) -> datetime | None:
    if since is None:
        return None
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        stop(f"--since is {since[:40]!r}: give a date or time such as 2026-11-28T09:30", 2)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _as_json(row: AuditRow) -> str:
    return AuditEntry.model_validate(row, from_attributes=True).model_dump_json()


def _line(row: AuditRow) -> str:
    at = row.at.astimezone(UTC).isoformat(sep=" ", timespec="seconds")
    said = [canonical_json(one) for one in (row.before, row.after) if one is not None]
    parts = (at, row.who, row.token_id or "-", row.action, row.target, " -> ".join(said))
    return one_line("  ".join(parts))
