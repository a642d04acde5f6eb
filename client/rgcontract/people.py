"""Users and tokens, as they are asked for and as the wire carries them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from rgcontract.moments import Moment
from rgcontract.quotas import Amount, QuotaUpdate, QuotaUse
from rgcontract.roles import Role
from rgcontract.section import Section
from rgcontract.status import View
from rgcontract.unknown import OrAsTold

UserName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")]
"""Letters, digits and `. _ @ -`: it stands in addresses and in file names."""
Label = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A line of text."""


class NewUser(Section):
    """Somebody who shall use the lab."""

    name: UserName
    """What all that they do is known by; it stays theirs."""
    role: Role = Field(default=Role.MEMBER)
    """What they may do."""


class UserChange(Section):
    """What shall be another with a user; what is left out stays."""

    role: Role | None = Field(default=None)
    """What they may do from now on, with whatever token."""
    disabled: bool | None = None
    """Whether none of their tokens speaks for them. What they asked for goes on."""
    quotas: QuotaUpdate | None = None
    """How much of the lab they may use, where that is not what everybody may."""


class NewToken(Section):
    """A token that somebody wants."""

    name: Label
    """What it is for, such as the machine that it is kept on."""
    role: Role | None = Field(default=None)
    """The most that it may be used for; as much as may be, if left out."""
    expires_at: Moment | None = Field(default=None)
    """When it stops; never, if left out."""
    user: UserName | None = None
    """Whose it shall be; one's own, if left out. Others' are for admins to make."""


class User(View):
    """Somebody who may use the lab, unless they are disabled."""

    name: str
    role: OrAsTold[Role]
    created_at: datetime
    disabled_at: datetime | None
    """Since when none of their tokens speaks for them; null while they do."""
    quotas: dict[str, Amount] = Field(default_factory=dict)
    """Limits of their own, in place of the lab's."""


class Users(View):
    """All users, by name."""

    items: list[User]


class Token(View):
    """A token, without its text, which nobody has but who was shown it."""

    id: str
    """`t-` and the first 16 digits of the SHA-256 of its text."""
    user: str
    name: str
    role: OrAsTold[Role]
    """The most that it may be used for."""
    created_at: datetime
    expires_at: datetime | None
    """When it stops; null for never."""
    last_used_at: datetime | None
    """To within a minute; null if never."""
    revoked_at: datetime | None = None
    """When it was revoked; null while it is not."""


class Tokens(View):
    """Tokens that are not revoked, oldest first."""

    items: list[Token]


class MadeToken(Token):
    """A token that was made just now."""

    token: str
    """Its text. It is shown this once: only its digest is stored."""

    def __repr__(self) -> str:
        """Without its text."""
        return f"MadeToken(id={self.id!r}, user={self.user!r}, token='***')"

    __str__ = __repr__


class Me(View):
    """Who asks."""

    user: str
    role: OrAsTold[Role]
    """What they may do with this token: no more than the user may, nor the token."""
    token: str
    """Its id."""
    expires_at: datetime | None
    """When the token stops; null for never."""
    quotas: list[QuotaUse] = Field(default_factory=list)
    """What of the lab the user has used and may still; empty for a server of before."""
