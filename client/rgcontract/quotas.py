"""Quotas: how much of the lab one person may use, a row for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from rgcontract.problem import Code
from rgcontract.status import View
from rgcontract.updates import Update

Amount = int | float


class Quota(StrEnum):
    """What is limited for each person."""

    QUEUED_RUNS = "queued_runs"
    FLOPS_PER_DAY = "flops_per_day"
    STORED_BYTES = "stored_bytes"
    REQUESTS_PER_SECOND = "requests_per_second"

    @property
    def row(self) -> QuotaRow:
        """What there is to know of it."""
        return QUOTAS[self]

    @property
    def setting(self) -> str:
        """The variable that sets it for everybody who has none of their own."""
        return f"RGLAB_QUOTA_{self.upper()}"


@dataclass(frozen=True)
class QuotaRow:
    """How a quota is counted, and what is answered when it is used up."""

    unit: str
    counted: str
    """What counts, in words."""
    code: Code
    remedy: str
    """What to do when it is used up."""
    window_seconds: int | None = None
    """For how long what was used counts; None for as long as it is there."""
    header_unit: str = ""
    """Of the numbers in `RateLimit`, if they are counted otherwise there."""
    header_scale: float = 1
    """How many of its units are one of those: the integers of a header have 15 digits."""


QUOTAS: dict[Quota, QuotaRow] = {
    Quota.QUEUED_RUNS: QuotaRow(
        unit="runs",
        counted="runs in line that you want, whoever else wants them",
        code=Code.QUEUED_RUNS_QUOTA,
        remedy="ask again when some have left the line, or cancel what you need no more",
    ),
    Quota.FLOPS_PER_DAY: QuotaRow(
        unit="operations",
        counted="estimated operations of all runs that your requests put in line within a day, "
        "whatever became of them",
        code=Code.FLOPS_PER_DAY_QUOTA,
        remedy="ask again later, or for less",
        window_seconds=24 * 3600,
        header_unit="1e9 operations",
        header_scale=1e9,
    ),
    Quota.STORED_BYTES: QuotaRow(
        unit="bytes",
        counted="estimated bytes of the runs that your requests put in line first and that are "
        "measured or still to be; without their chains, which all experiments share",
        code=Code.STORED_BYTES_QUOTA,
        remedy="cancel what waits and you need no more, or ask for less",
    ),
    Quota.REQUESTS_PER_SECOND: QuotaRow(
        unit="requests per second",
        counted="requests with any of your tokens to one process of the API; what is not used is "
        "kept for ten seconds",
        code=Code.REQUEST_RATE,
        remedy="send fewer requests at once",
    ),
}

QueuedRuns = Annotated[int, Field(ge=0, le=10**9)]
FlopsPerDay = Annotated[float, Field(ge=0, le=1e23)]
StoredBytes = Annotated[int, Field(ge=0, lt=10**15)]
RequestsPerSecond = Annotated[float, Field(ge=0.01, le=1e6)]
"""What a quota may be."""


class QuotaUpdate(Update):
    """Limits of one person's own; null takes one away, and the lab's holds again."""

    queued_runs: QueuedRuns | None = None
    """Runs in line."""
    flops_per_day: FlopsPerDay | None = None
    """Operations within a day."""
    stored_bytes: StoredBytes | None = None
    """Bytes in the database."""
    requests_per_second: RequestsPerSecond | None = None
    """Requests a second, to each process of the API."""


class QuotaUse(View):
    """How far a quota is used."""

    quota: str
    """Which, a value of `Quota` or of a newer server's."""
    unit: str
    limit: Amount | None
    """The most; null for no limit."""
    used: Amount | None
    """Null where who tells it does not count it."""
    left: Amount | None
    """What may still be asked for; null for no limit."""


def use_of(quota: Quota, limit: Amount | None, used: Amount | None) -> QuotaUse:
    """A quota as it is told."""
    left = None if limit is None or used is None else max(0, limit - used)
    return QuotaUse(quota=quota, unit=quota.row.unit, limit=limit, used=used, left=left)


def known(limits: Mapping[str, object]) -> dict[Quota, Amount]:
    """Of what another release may have stored, the limits that this one knows."""
    return {
        Quota(name): limit
        for name, limit in limits.items()
        if name in {*Quota} and isinstance(limit, int | float)
    }
