"""Finding an experiment, or those of its seeds that one is about; cancelling and retrying them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from rgcontract import State
from rgservice.http.errors import NotAsked, NotCancellable, NotFound, NotRetryable
from rgservice.http.seeds import chosen
from rgstore import experiments, wishes
from rgstore.among import among
from rgstore.runs import runs_of, seeds_of
from rgstore.tables import ExperimentRow, RunRow
from rgstore.transitions import combined
from rgstore.wishes import Withdrawal


@dataclass(frozen=True)
class Found:
    """An experiment and the seeds of it that a request is about."""

    row: ExperimentRow
    seeds: list[int]
    """Those that were named, else all that are there."""
    named: bool

    def state(self, session: Session) -> State:
        """Of their runs."""
        runs = runs_of(session, self.row.id, self.seeds)
        return combined({run.state for run in runs})


def find(session: Session, name: str, seeds: Sequence[str] | None = None) -> Found:
    """An experiment by its name.

    Args:
        session: the transaction.
        name: of the experiment.
        seeds: as the query has them.

    Raises:
        NotFound: there is none. InvalidQuery: seeds that are none, or not there.
    """
    row = experiments.get(session, name) if "\x00" not in name else None
    if row is None:
        raise NotFound(f"no experiment {name[:80]!r}; GET /v1/experiments lists them")
    there = seeds_of(session, name)
    named = seeds is not None
    return Found(row, chosen(seeds, there) if seeds is not None else there, named)


def cancel(session: Session, found: Found, owner: str) -> None:
    """Withdraw what one person asked for; a run that nobody else wants stops.

    Queued runs stop at once, running ones at their next heartbeat.

    Raises:
        NotAsked: it is not theirs. NotCancellable: all that they asked for has ended.
    """
    name = found.row.id
    done = wishes.withdraw(session, [name], owner, seeds=found.seeds if found.named else None)
    check(done, experiments.owners_of(session, name))
    session.refresh(found.row)


def check(done: Withdrawal, owners: Sequence[str]) -> None:
    """Refuse to withdraw what was not asked for, or has ended.

    Args:
        done: what came of it.
        owners: who has asked for it.

    Raises:
        NotAsked, NotCancellable: as they say.
    """
    if not done.asked:
        raise NotAsked(
            "you have not asked for this, so nothing is cancelled; what was asked for can be "
            f"withdrawn by who did: {', '.join(owners)}"
        )
    if done.ended is not None:
        raise NotCancellable(f"what you asked for is {done.ended}", state=done.ended)


def retry(session: Session, found: Found, owner: str, *, attempt_limit: int) -> None:
    """Queue failed and cancelled runs again; who asks for that wants them from now on.

    Raises:
        NotRetryable: no run has failed or been cancelled.
    """
    these = [RunRow.experiment_id == found.row.id, among(RunRow.seed, found.seeds)]
    if not wishes.want_again(session, these, owner, attempt_limit=attempt_limit):
        state = found.state(session)
        raise NotRetryable(f"the experiment is {state}", state=state)
    session.refresh(found.row)
