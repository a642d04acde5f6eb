"""What is asked for, as one value: completed, named and priced once, for one, many and a grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from rgcontract import Submission
from rgcore.cost import RunCost
from rgservice.experiments.completing import completed
from rgservice.experiments.cost import cost_of_run
from rgstore.asked import Asked, under_kept_names
from rgstore.records import RunKey
from rgstore.runs import missing_runs
from rgstore.speed import measured_rate

FLOPS_PER_SECOND = 2e10
"""One core on small matrices."""


@dataclass(frozen=True)
class Named:
    """A submission that is complete, under the name of its experiment."""

    asked: Asked
    cost: RunCost
    """Of each run."""


@dataclass(frozen=True)
class Price:
    """What an experiment costs that is asked for."""

    cost: RunCost
    """Of each run."""
    missing: list[RunKey]
    """Runs that are asked for and that the lab has neither measured nor queued."""


@dataclass(frozen=True)
class Priced:
    """All that a request asks for, under the names that the lab has it under, at its price."""

    asked: list[Asked]
    """Submissions as they came; the same experiment may come several times."""
    prices: dict[str, Price]
    """Experiment -> its price over all submissions of it, in the order in which they came."""
    rate: float
    """Operations per second of one run on this lab's workers."""
    rate_measured: bool
    """Or it is what one core does, until this lab has measured its own."""

    def total(self, what: str, *, later: int = 0) -> float:
        """The sum of a cost over all missing runs.

        Args:
            what: `flops` or `stored_bytes`.
            later: runs that each experiment may get besides.
        """
        found: float = sum(
            (len(price.missing) + later) * getattr(price.cost, what)
            for price in self.prices.values()
        )
        return found


def named(submission: Submission) -> Named:
    """A submission completed and named. It takes no database, and longer than all the rest.

    Raises:
        InvalidSpec: what follows from its matrix refuses it.
    """
    whole = completed(submission)
    cost = cost_of_run(whole)
    asked = Asked.of(whole, flops_per_run=cost.flops, bytes_per_run=cost.stored_bytes)
    return Named(asked, cost)


def priced(session: Session, items: Sequence[Named]) -> Priced:
    """These submissions together, with what is missing of each experiment."""
    asked = under_kept_names(session, [item.asked for item in items])
    wanted: dict[str, set[RunKey]] = {}
    for one in asked:
        wanted.setdefault(one.name, set()).update(one.submission.runs)
    missing = missing_runs(session, wanted)
    costs = {one.name: item.cost for one, item in zip(asked, items, strict=True)}
    prices = {name: Price(costs[name], missing[name]) for name in wanted}
    measured = measured_rate(session)
    return Priced(asked, prices, measured or FLOPS_PER_SECOND, measured is not None)
