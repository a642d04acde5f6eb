"""Which edition of this contract a program speaks: client and server tell each other in a header.

Within a major version, whoever knows less does without: fields are added, never taken away, and
what reads an answer is lenient. Another major version is another contract.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

CONTRACT_HEADER = "RGLab-Contract"
"""Of every request of the client and every answer of the server."""
NUMBER = "(0|[1-9][0-9]{0,3})"
"""Each of the two of a version, as a regular expression."""
_WRITTEN = re.compile(rf"{NUMBER}(?:\.{NUMBER})?")


@dataclass(frozen=True, order=True)
class Version:
    """A version of the contract."""

    major: int
    """Rises when something is taken away or means something else."""
    minor: int
    """Rises when something is added."""

    @classmethod
    def parse(cls, text: str) -> Version:
        """A version as it is written: `1.3`, or `1` for `1.0`.

        Raises:
            ValueError: it is written otherwise.
        """
        found = _WRITTEN.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is no version; write 1 or 1.3")
        return cls(int(found[1]), int(found[2] or 0))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


CONTRACT = Version(1, 2)
"""What this package says."""
