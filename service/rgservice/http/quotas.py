"""What is answered to who would use more of the lab than they may: 429, and what is left.

The headers are those of draft-ietf-httpapi-ratelimit-headers, versions 08 to 11: `RateLimit-Policy`
says what there is (q, of the unit qu, within w seconds), `RateLimit` what is left (r, until t
seconds have passed). Until it is a standard nobody needs them: the body says the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from sqlalchemy.orm import Session

from rgcontract import Code
from rgcontract.quotas import Amount, Quota, use_of
from rgservice.http.errors import OverQuota
from rgservice.http.rates import TooFastError, burst_of
from rgstore.quotas import Amounts, Over, OverQuotaError, check, hold, of_lab
from rgstore.settings import Settings
from rgstore.tokens import Caller


@dataclass(frozen=True)
class Room:
    """What somebody may still put in line, kept from their other requests meanwhile."""

    session: Session
    person: str
    limits: Amounts
    """Those of what is stored."""

    @classmethod
    def of(cls, session: Session, caller: Caller, settings: Settings) -> Room:
        """Of who asks, in a transaction that has locked nothing yet."""
        person = caller.user
        return cls(session, person, hold(session, [person], of_lab(settings))[person])

    def check(self, added: Callable[[], Amounts]) -> None:
        """Refuse what they have no room for.

        Args:
            added: counts what they ask for; where nothing is limited it is not asked.

        Raises:
            OverQuota: it is more than they may use.
        """
        if not self.limits:
            return
        try:
            check(self.session, self.person, self.limits, added())
        except OverQuotaError as error:
            raise over_quota(error.over) from error


def over_quota(over: Sequence[Over]) -> OverQuota:
    """Of quotas that a request would exceed, at least one; the code is that of the first."""
    policies, left = [], []
    for one in over:
        row = one.quota.row
        unit, scale = row.header_unit or row.unit, row.header_scale
        policy = [f"q={one.limit // scale:.0f}", f'qu="{unit}"']
        policies.append(_item(one.quota, *policy, _seconds("w", row.window_seconds)))
        rest = max(0, one.limit - one.used) // scale
        left.append(_item(one.quota, f"r={rest:.0f}", _seconds("t", one.retry_seconds)))
    waits = [one.retry_seconds for one in over if one.retry_seconds is not None]
    retry = max(waits) if len(waits) == len(over) else None
    said = "; ".join(map(_said, over))
    return OverQuota(
        f"{said}; GET /v1/me tells what is left, and an admin sets your quotas",
        over[0].quota.row.code,
        _headers(policies, left, retry),
        quotas=[_told(one.quota, one.limit, one.used, one.asked) for one in over],
    )


def too_fast(error: TooFastError) -> OverQuota:
    """Of a person's requests."""
    quota = Quota.REQUESTS_PER_SECOND
    row = quota.row
    return OverQuota(
        f"you may send {error.rate:g} {row.unit} to this server, and {burst_of(error.rate)} at "
        f"once; {row.remedy}, or ask an admin for more",
        row.code,
        _of_rate(quota, error),
        quotas=[_told(quota, error.rate, error.rate, 1)],
    )


def too_many_failures(error: TooFastError) -> OverQuota:
    """Of an address whose requests come with no good token."""
    return OverQuota(
        f"more than {error.rate:g} requests per second came from your address with no token that "
        "is good; send Authorization: Bearer TOKEN, which an admin gives you, and try again later",
        Code.REQUEST_RATE,
        _of_rate("failures_per_second", error),
    )


def _said(one: Over) -> str:
    row = one.quota.row
    return (
        f"{one.quota}: this asks for {one.asked:.6g} {row.unit} more where {one.used:.6g} of "
        f"{one.limit:.6g} are used; {row.remedy}"
    )


def _told(quota: Quota, limit: Amount, used: Amount, asked: Amount) -> dict[str, Any]:
    return {**use_of(quota, limit, used).model_dump(), "asked": asked}


def _of_rate(name: str, error: TooFastError) -> dict[str, str]:
    burst = burst_of(error.rate)
    policy = _item(name, f"q={burst}", _seconds("w", burst / error.rate))
    return _headers([policy], [_item(name, "r=0", _seconds("t", error.wait))], error.wait)


def _headers(policies: Sequence[str], left: Sequence[str], retry: float | None) -> dict[str, str]:
    found = {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(left)}
    return found if retry is None else {**found, "Retry-After": str(max(1, ceil(retry)))}


def _item(name: str, *parameters: str) -> str:
    """An item of a structured field (RFC 9651): a string with its parameters."""
    return ";".join([f'"{name}"', *filter(None, parameters)])


def _seconds(name: str, seconds: float | None) -> str:
    return "" if seconds is None else f"{name}={max(1, ceil(seconds))}"
