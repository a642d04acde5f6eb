"""The audit log: who changed what, when, by which token, from what to what."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from rgcontract.status import View


class Action(StrEnum):
    """What a person did. A value never changes its meaning."""

    EXPERIMENT_SUBMIT = "experiment.submit"
    EXPERIMENT_CANCEL = "experiment.cancel"
    EXPERIMENT_RETRY = "experiment.retry"
    EXPERIMENT_UPDATE = "experiment.update"
    STUDY_SUBMIT = "study.submit"
    STUDY_CANCEL = "study.cancel"
    STUDY_RETRY = "study.retry"
    STUDY_UPDATE = "study.update"
    USER_ADD = "user.add"
    USER_UPDATE = "user.update"
    USER_DISABLE = "user.disable"
    USER_ENABLE = "user.enable"
    TOKEN_CREATE = "token.create"  # noqa: S105 - an action, not a token
    TOKEN_REVOKE = "token.revoke"  # noqa: S105

    @property
    def meaning(self) -> str:
        """The same in words."""
        return _MEANT[self]


_MEANT = {
    Action.EXPERIMENT_SUBMIT: "asked for an experiment, or for more of it",
    Action.EXPERIMENT_CANCEL: "withdrew what was asked for of an experiment",
    Action.EXPERIMENT_RETRY: "queued failed or cancelled runs of an experiment again",
    Action.EXPERIMENT_UPDATE: "changed label, tags, note or priority of an experiment",
    Action.STUDY_SUBMIT: "asked for a study, or for more of it",
    Action.STUDY_CANCEL: "withdrew what was asked for by a study",
    Action.STUDY_RETRY: "queued failed or cancelled runs of a study again",
    Action.STUDY_UPDATE: "changed name, target or priority of a study",
    Action.USER_ADD: "added a person",
    Action.USER_UPDATE: "changed the role or the quotas of a person",
    Action.USER_DISABLE: "shut a person out",
    Action.USER_ENABLE: "let a person in again",
    Action.TOKEN_CREATE: "made a token",
    Action.TOKEN_REVOKE: "revoked a token",
}


class AuditEntry(View):
    """One change of one thing."""

    id: int
    """Counts up; what was done later has a larger one, or was under way at the same time."""
    at: datetime
    """When, by the clock of the database."""
    who: str
    """Who did it."""
    token_id: str | None
    """By which of their tokens; null for what was done on the server itself."""
    action: str
    """What was done, a value of `Action` or of a newer server's."""
    target: str
    """Name of what was changed: an experiment, a study, a person, or the id of a token."""
    before: dict[str, Any] | None
    """What of it was changed, as it was; null where it was not there."""
    after: dict[str, Any] | None
    """The same as it is now; null where it is gone."""


class AuditPage(View):
    """A page of the log, newest first."""

    items: list[AuditEntry]
    next_cursor: str | None
    """Send it back as `cursor` for the next page; null on the last one."""
