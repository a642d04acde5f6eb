"""What people call an experiment: everybody who asked for it has words of their own.

Those of who asked first stand at the experiment too, for whoever has none. A request adds to its
owner's words and changes nobody's; `put` changes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from rgcontract.updates import MOST_TAGS
from rgstore.among import among
from rgstore.tables import ExperimentRow, SubmissionRow


class TooManyTagsError(Exception):
    """Somebody would have more than `MOST_TAGS` tags on an experiment."""

    def __init__(self, name: str, tags: int) -> None:
        """Say on which and how many."""
        super().__init__(f"{tags} tags on {name}")
        self.name, self.tags = name, tags


@dataclass(frozen=True)
class Words:
    """What someone calls an experiment."""

    label: str | None
    tags: list[str]
    note: str | None = None


NO_WORDS = Words(None, [])


def words_of(session: Session, names: Iterable[str], reader: str) -> dict[str, Words]:
    """Experiment -> what its reader calls it, for those of which they asked for anything."""
    row = SubmissionRow
    requests = session.execute(
        select(row.experiment_id, row.label, func.array_remove(row.tags, None), row.note)
        .where(row.owner == reader, among(row.experiment_id, names))
        .order_by(row.id)
    )
    found: dict[str, Words] = {}
    for name, label, tags, note in requests:
        before = found.get(name, NO_WORDS)
        found[name] = Words(
            before.label or label, sorted({*before.tags, *tags}), before.note or note
        )
    return found


def check_tags(session: Session, given: Sequence[tuple[str, Sequence[str]]], owner: str) -> None:
    """Check that nobody's tags on an experiment become too many.

    Args:
        session: a transaction that has locked the experiments that were there.
        given: (experiment, tags) of each request.
        owner: who asks.

    Raises:
        TooManyTagsError: they would be. Who has too many from before may ask again with the same.
    """
    there = words_of(session, {name for name, tags in given if tags}, owner)
    tagged = {name: {*words.tags} for name, words in there.items()}
    for name, tags in given:
        before = tagged.get(name, set())
        together = before.union(tags)
        if len(together) > MOST_TAGS and together != before:
            raise TooManyTagsError(name, len(together))
        tagged[name] = together


def put(session: Session, experiment: ExperimentRow, owner: str, given: Mapping[str, Any]) -> None:
    """Put words in place of those that someone gave, in all their requests together.

    Args:
        session: a transaction that has locked the experiment.
        experiment: of which.
        owner: whose words; those of who asked first are the experiment's too.
        given: label, tags, note: those that are to change.
    """
    row = SubmissionRow
    own = (row.owner == owner, row.experiment_id == experiment.id)
    values = {name: given[name] for name in ("label", "note") if name in given}
    if "tags" in given:
        values["tags"] = []
    if values:
        statement = update(row).where(*own).values(values)
        session.execute(statement.execution_options(synchronize_session=False))
    if "tags" in given:
        first = select(row.id).where(*own).order_by(row.id).limit(1).scalar_subquery()
        values["tags"] = sorted(set(given["tags"]))
        statement = update(row).where(row.id == first).values(tags=values["tags"])
        session.execute(statement.execution_options(synchronize_session=False))
    if owner == experiment.owner:
        for name, value in values.items():
            setattr(experiment, name, value)
    session.flush()
