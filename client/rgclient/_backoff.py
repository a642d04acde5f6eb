"""How long to wait before asking again: exponential, with full jitter, or as the server says.

Full jitter spreads out the clients that a restart of the server has cut off together:
https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rgclient._clock import Clock

ATTEMPTS = 5
"""Requests in all, the first one included."""
PASSING = frozenset({429, 502, 503, 504})
"""Statuses that may be gone in a moment."""
PATIENCE = 60.0
"""A server that asks for more seconds than this is believed at once: no second attempt."""

_FIRST = 0.25
_LONGEST = 8.0


def delay(attempt: int, clock: Clock, asked: float | None = None) -> float:
    """Seconds to wait after the given attempt (1 is the first); at least what the server asks."""
    jittered = clock.jitter(min(_LONGEST, _FIRST * 2 ** (attempt - 1)))
    return max(jittered, asked or 0.0)


def asked_seconds(retry_after: str | None) -> float | None:
    """A Retry-After header, seconds or a date; None if it is neither."""
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
