"""How many requests a person, or an address without a good token, may send to this process.

Token buckets in memory: what is not used is kept for some seconds, and nothing is written or asked
of the database. Each process of the API has its own, so that a person may send that many to each.
Whose a token was is remembered so that a flood is refused before the database is asked; what it
may do is not: it is looked up for every request that is let in.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Network, ip_address
from threading import Lock

from rgstore.token_text import digest_of

BURST_SECONDS = 10
"""What is not used is kept for so long."""
MOST_KEPT = 10_000
"""Buckets, and tokens whose person is known; of more, those are forgotten that were used first."""


class TooFastError(Exception):
    """A rate is used up."""

    def __init__(self, rate: float, wait: float) -> None:
        """With the rate, requests per second, and the seconds until the next may come."""
        super().__init__(f"{rate:g} requests per second")
        self.rate, self.wait = rate, wait


class TooManyFailuresError(TooFastError):
    """It is that of an address, for requests that come with no good token."""


def burst_of(rate: float) -> int:
    """Requests that may come at once."""
    return max(1, math.floor(rate * BURST_SECONDS))


class Buckets:
    """A bucket of requests for each of many: it fills with time, and each request takes one."""

    def __init__(self, now: Callable[[], float], error: type[TooFastError] = TooFastError) -> None:
        """On a clock in seconds; what is refused is refused with this error."""
        self._now, self._error = now, error
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """Requests, and when there were so many."""

    def left(self, name: str, rate: float) -> float:
        """Requests that somebody may send at once."""
        now = self._now()
        left, at = self._left.get(name, (math.inf, now))
        return min(float(burst_of(rate)), left + (now - at) * rate)

    def check(self, name: str, rate: float) -> None:
        """Go on, if a request may come.

        Raises:
            TooFastError: it may not.
        """
        missing = 1 - self.left(name, rate)
        if missing > 0:
            raise self._error(rate, missing / rate)

    def take(self, name: str, rate: float) -> None:
        """Count a request; one that is refused does not count.

        Raises:
            TooFastError: it is.
        """
        self.check(name, rate)
        self._left[name] = (self.left(name, rate) - 1, self._now())
        self._left.move_to_end(name)
        if len(self._left) > MOST_KEPT:
            self._left.popitem(last=False)


class Rates:
    """Who has sent how much of late to this process."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """On a clock in seconds."""
        self._of_people = Buckets(now)
        self._of_addresses = Buckets(now, TooManyFailuresError)
        self._known: OrderedDict[str, tuple[str, float]] = OrderedDict()
        """Digest of a token that was good -> whose it was, and their rate."""
        self._lock = Lock()  # requests are counted in threads

    def admit(self, address: str, token: str, failures: float) -> bool:
        """Refuse a flood before anybody is asked whose it is. Whether the request is counted.

        Args:
            address: it came from.
            token: its text, which is not kept; empty for none.
            failures: the rate of an address whose requests come with no good token.

        Raises:
            TooFastError: the rate of whose token it was is used up.
            TooManyFailuresError: that of the address is, and the token is not known to be good.
        """
        with self._lock:
            known = self._known.get(digest_of(token))
            if known is None:
                self._of_addresses.check(network_of(address), failures)
                return False
            self._of_people.take(*known)
            return True

    def failed(self, address: str, token: str, failures: float) -> None:
        """A request came with no token, or with one that speaks for nobody.

        Raises:
            TooManyFailuresError: others came meanwhile, and used up the rate of the address.
        """
        with self._lock:
            self._known.pop(digest_of(token), None)
            self._of_addresses.take(network_of(address), failures)

    def spoke(self, token: str, person: str, rate: float, *, counted: bool) -> None:
        """A token speaks for somebody.

        Args:
            token: its text, which is not kept.
            person: for whom.
            rate: theirs.
            counted: what `admit` said.

        Raises:
            TooFastError: theirs is used up.
        """
        with self._lock:
            digest = digest_of(token)
            self._known[digest] = (person, rate)
            self._known.move_to_end(digest)
            if len(self._known) > MOST_KEPT:
                self._known.popitem(last=False)
            if not counted:
                self._of_people.take(person, rate)

    def used(self, person: str, rate: float) -> float:
        """How much of their rate somebody uses, over the time that the bucket remembers."""
        with self._lock:
            return rate * (1 - self._of_people.left(person, rate) / burst_of(rate))


def network_of(address: str) -> str:
    """What one sender has: an address, or of IPv6 the network that a customer is given."""
    try:
        found = ip_address(address)
    except ValueError:  # a socket of this machine
        return address
    if isinstance(found, IPv4Address):
        return address
    return str(found.ipv4_mapped or IPv6Network((found, 64), strict=False))
