"""What may be changed of what one has asked for: `PATCH`. A field that is not given stays."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from rgcontract.section import Section
from rgcontract.spec import Priority, Tag

MOST_TAGS = 64
"""Tags of each person on an experiment, in all their requests together."""
MOST_NOTED = 2_000
"""Characters of a note."""


class Update(Section):
    """Base of what may be changed."""

    @property
    def given(self) -> dict[str, Any]:
        """The fields that were sent; null takes away what was there."""
        return {name: getattr(self, name) for name in sorted(self.model_fields_set)}


class ExperimentUpdate(Update):
    """Of an experiment: one's own words and priority."""

    label: str | None = Field(default=None, min_length=1, max_length=200)
    """A name for people; null for none."""
    tags: tuple[Tag, ...] = Field(default=(), max_length=MOST_TAGS)
    """Words to find it by, in place of all that one gave before."""
    note: str | None = Field(default=None, min_length=1, max_length=MOST_NOTED)
    """A few lines beside it; null for none."""
    priority: Priority = 0
    """Larger goes first, also of runs that wait already."""


class StudyUpdate(Update):
    """Of a study: one's own name for it and priority."""

    name: str | None = Field(default=None, min_length=1, max_length=200)
    """A name for people; null for none."""
    priority: Priority = 0
    """Larger goes first, also of runs that wait already and seeds that `target_error` adds."""
