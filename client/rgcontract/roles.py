"""Who may do what: a user has a role, and so has each of their tokens, which may be a lower one."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What somebody may do. Each may also do what those before it may."""

    READER = "reader"
    MEMBER = "member"
    ADMIN = "admin"

    @property
    def may(self) -> tuple[str, ...]:
        """What it lets one do, in words."""
        return tuple(right for role in Role if self.includes(role) for right in _MAY[role])

    def includes(self, other: Role) -> bool:
        """Whether it may do all that another may."""
        return _ORDER.index(self) >= _ORDER.index(other)

    def at_most(self, other: Role) -> Role:
        """The lower one of the two."""
        return other if self.includes(other) else self


_ORDER = tuple(Role)
_MAY = {
    Role.READER: (
        "read everything that the lab has",
        "revoke tokens of their own that only read",
    ),
    Role.MEMBER: (
        "submit experiments and studies",
        "cancel what they asked for themselves",
        "rename and hurry what is theirs",
        "retry what failed or was cancelled of what is theirs",
        "make and revoke tokens of their own",
    ),
    Role.ADMIN: (
        "act on what others asked for",
        "add users, disable them and set their roles and quotas",
        "see, make and revoke the tokens of others",
    ),
}
