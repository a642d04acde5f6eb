"""Asking again until something has ended, through a restart of the server if need be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from rgclient._arguments import seconds
from rgclient._backoff import PASSING
from rgclient._errors import ResponseError, ServerUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from rgclient._clock import Clock
    from rgcontract import State


class HasState(Protocol):
    """An experiment, or whatever else comes to an end."""

    @property
    def state(self) -> State:
        """Final once nothing more happens."""


Seen = TypeVar("Seen", bound=HasState)
Shown_contra = TypeVar("Shown_contra", contravariant=True)


class Display(Protocol[Shown_contra]):
    """Where the progress is shown."""

    def show(self, view: Shown_contra) -> None:
        """Show how far it is."""

    def note(self, text: str) -> None:
        """Say something else."""


FIRST_PAUSE = 0.25
LONGEST_PAUSE = 3.0
GROWTH = 1.3
"""Seconds between two questions, growing: a short run is seen to end at once, a long one costs
the server little."""
SHORTEST_PAUSE = 0.05
OUTAGE = 300.0
"""Seconds that a server may be away while somebody waits: a restart, with a migration."""


class OutOfTime(Exception):
    """The time is over; what was waited for goes on."""

    def __init__(self, last: Any) -> None:
        super().__init__("out of time")
        self.last = last


def until_final(
    fetch: Callable[[], Seen],
    display: Display[Seen],
    clock: Clock,
    *,
    timeout: float | None,
    poll: float | None,
) -> Seen:
    """What is fetched, once nothing more happens to it.

    Args:
        fetch: asks the server.
        display: is shown every answer.
        clock: sleeps and tells the time.
        timeout: seconds; None for as long as it takes.
        poll: seconds between two questions; growing from short to long if not given.

    Raises:
        InvalidValue: `timeout` or `poll` is no number of seconds.
        OutOfTime: the timeout came first.
        ServerUnreachable: no answer at all, or none for `OUTAGE` seconds.
        ResponseError: the server refused to answer.
    """
    seconds("timeout", timeout)
    seconds("poll", poll)
    begun = clock.now()
    heard: float | None = None
    last: Seen | None = None
    pause = FIRST_PAUSE if poll is None else max(poll, SHORTEST_PAUSE)
    while True:
        try:
            last = fetch()
        except (ServerUnreachable, ResponseError) as error:
            if heard is None or not _may_pass(error) or clock.now() - heard > OUTAGE:
                raise
            display.note("the server does not answer; still trying")
        else:
            heard = clock.now()
            display.show(last)
            if last.state.is_final:
                return last
        left = float("inf") if timeout is None else begun + timeout - clock.now()
        if left <= 0:
            raise OutOfTime(last)
        clock.sleep(min(pause, left))
        if poll is None:
            pause = min(pause * GROWTH, LONGEST_PAUSE)


def _may_pass(error: ServerUnreachable | ResponseError) -> bool:
    return isinstance(error, ServerUnreachable) or error.status in PASSING
