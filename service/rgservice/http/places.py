"""Places for what is large: so many for everybody, and of them so many for one person."""

from __future__ import annotations

from collections import Counter

from rgservice.http.errors import Busy


class Places:
    """Those of an application, and who has them."""

    def __init__(self, most: int, most_of_one: int, full: str) -> None:
        """All are free.

        Args:
            most: of everybody.
            most_of_one: of one person.
            full: what to say where there is none left, after whose they are.
        """
        self._most, self._most_of_one, self._full = most, most_of_one, full
        self._of: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """How many, of everybody."""
        return self._of.total()

    def take(self, who: str) -> None:
        """Have one until `leave`: nobody else runs between the look and the count.

        Raises:
            Busy: there is none left.
        """
        of_one = self._of[who] >= self._most_of_one
        if of_one or self.taken >= self._most:
            whose = "yours" if of_one else "the lab's"
            raise Busy(f"of {whose}, {self._full}")
        self._of[who] += 1

    def leave(self, who: str) -> None:
        """Have one less."""
        self._of[who] -= 1
        if not self._of[who]:
            del self._of[who]
