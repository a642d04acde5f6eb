"""What a forked process must not share with its parent: sockets, and locks that nobody unlocks.

After `os.fork` (joblib, multiprocessing, a DataLoader) parent and child hold the same sockets and
would read each other's answers; a lock that a thread of the parent held stays locked in the child.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class _Forks:
    """How often this process and its ancestors have forked on the way to it."""

    count = 0

    @classmethod
    def one_more(cls) -> None:
        """This is the child."""
        cls.count += 1


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_Forks.one_more)


def this_process() -> tuple[int, int]:
    """Tells this process from its ancestors; a pid alone may be used again."""
    return _Forks.count, os.getpid()


class PerProcess(Generic[T]):
    """A value that every process makes for itself, when it first needs it.

    A child never touches what its parent made: to close a socket, or even to ask a pool for it,
    may take a lock that a thread of the parent held when it forked.

    Args:
        make: called once for each process; by two threads at once it may be called twice, and
            both get the same value.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: dict[tuple[int, int], T] = {}

    def __call__(self) -> T:
        """The value of this process."""
        key = this_process()
        if key not in self._made:
            self._made.setdefault(key, self._make())  # atomic: no lock that a fork could copy
        return self._made[key]

    @property
    def made(self) -> T | None:
        """The value of this process; None if it has not been needed."""
        return self._made.get(this_process())
