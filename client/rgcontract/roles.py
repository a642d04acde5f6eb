"""Who may do what with a token."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Role:
    """What a token lets its bearer do."""

    name: str
    may: tuple[str, ...]


MEMBER = Role(
    "member",
    (
        "read everything that the lab has",
        "submit experiments and studies",
        "cancel what they asked for themselves",
        "retry whatever failed or was cancelled",
    ),
)
ROLES = (MEMBER,)
"""Every token is a member's."""
