"""What is asked for, as one value: completed, named and priced once, for one, many and a grid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy.orm import Session

from rgcontract import FieldProblem, Submission, shape_hash
from rgcore.architecture import Architecture
from rgcore.cost import Factor, RunCost, Sample, factor, model_name
from rgcore.sizing import MOST_MEMBERS, choose_fleet_size
from rgservice.experiments.completing import completed
from rgservice.experiments.cost import cost_of_run, over_limits
from rgstore.asked import Asked, under_kept_names
from rgstore.records import RunKey
from rgstore.runs import missing_runs
from rgstore.settings import Settings
from rgstore.speed import Speeds, speeds

FLEET_BYTES = 8 * 2**30
"""Memory of a worker, which decides the size of a fleet where its members are large."""


@dataclass(frozen=True)
class Named:
    """A submission that is complete, under the name of its experiment."""

    asked: Asked
    cost: RunCost
    """Of each run."""
    shape: str
    """Runs of one shape are trained together."""
    most_together: Mapping[str, int]
    """Kind of device -> how many of them."""


@dataclass(frozen=True)
class Price:
    """What an experiment costs that is asked for."""

    cost: RunCost
    """Of each run."""
    missing: list[RunKey]
    """Runs that are asked for and that the lab has neither measured nor queued."""
    fleet: int
    """Runs that are trained together with each of them, itself included."""
    factor: Factor
    """Of the seconds of such a run on this lab's workers over those of one core."""
    alone: Factor
    """The same of a run by itself."""
    backend: str | None
    """What the attempts ran on that the factors are learnt from."""

    @cached_property
    def seconds(self) -> float:
        """Expected working time of each run."""
        return self.factor.middle * self.cost.modelled(fleet=self.fleet).seconds

    @cached_property
    def seconds_alone(self) -> float:
        """The same of a run that goes by itself."""
        return self.alone.middle * self.cost.modelled().seconds

    @property
    def chain_bytes(self) -> int:
        """What their chains add to the database, at most: others may have them already."""
        return len({chain_seed for chain_seed, _ in self.missing}) * self.cost.chain_bytes

    def over_limits(self, settings: Settings) -> list[FieldProblem]:
        """The limits that its missing runs would exceed."""
        if not self.missing:
            return []
        return over_limits(
            self.cost,
            len(self.missing),
            settings,
            seconds=self.seconds_alone,
            chain_bytes=self.chain_bytes,
        )


@dataclass(frozen=True)
class Priced:
    """All that a request asks for, under the names that the lab has it under, at its price."""

    asked: list[Asked]
    """Submissions as they came; the same experiment may come several times."""
    prices: dict[str, Price]
    """Experiment -> its price over all submissions of it, in the order in which they came."""

    def total(self, what: str, *, later: int = 0) -> float:
        """The sum of a cost over all missing runs.

        Args:
            what: `flops` or `stored_bytes`, which is without `chain_bytes`.
            later: runs that each experiment may get besides.
        """
        found: float = sum(
            (len(price.missing) + later) * getattr(price.cost, what)
            for price in self.prices.values()
        )
        return found

    def stored_bytes(self, *, later: int = 0) -> float:
        """What all missing runs and their chains add to the database.

        Args:
            later: runs that each experiment may get besides, on the same chains.
        """
        chains = sum(price.chain_bytes for price in self.prices.values())
        return self.total("stored_bytes", later=later) + chains


def named(submission: Submission) -> Named:
    """A submission completed and named. It takes no database, and longer than all the rest.

    Raises:
        InvalidSpec: what follows from its matrix refuses it.
    """
    whole = completed(submission)
    cost, arch = cost_of_run(whole), Architecture(**whole.architecture)
    most_together = {
        device: choose_fleet_size(
            arch,
            batch_size=whole.training.batch_size,
            mask_prob=whole.data.mask_prob,
            device=device,
            memory=FLEET_BYTES,
        )
        for device in MOST_MEMBERS
    }
    asked = Asked.of(whole, flops_per_run=cost.flops, bytes_per_run=cost.stored_bytes)
    return Named(asked, cost, shape_hash(whole), most_together)


def priced(session: Session, items: Sequence[Named]) -> Priced:
    """These submissions together, with what is missing of each experiment."""
    asked = under_kept_names(session, [item.asked for item in items])
    wanted: dict[str, set[RunKey]] = {}
    for one in asked:
        wanted.setdefault(one.name, set()).update(one.submission.runs)
    missing = missing_runs(session, wanted)
    item_of = {one.name: item for one, item in zip(asked, items, strict=True)}
    of_shape = Counter[str]()
    for name, runs in missing.items():
        of_shape[item_of[name].shape] += len(runs)
    devices = {item.asked.submission.device for item in items}
    learnt: dict[str, Speeds] = {
        device: speeds(session, device, model_name()) for device in devices
    }
    prices = {
        name: _price(item, missing[name], of_shape[item.shape], learnt)
        for name, item in item_of.items()
    }
    return Priced(asked, prices)


def _price(
    item: Named, missing: list[RunKey], of_shape: int, learnt: Mapping[str, Speeds]
) -> Price:
    device = item.asked.submission.device
    known = learnt[device]
    kind = "cuda" if (known.backend or device).startswith("cuda") else "cpu"
    fleet = max(1, min(item.most_together[kind], of_shape))
    return Price(
        item.cost,
        missing,
        fleet,
        _factor(item.cost, fleet, known),
        _factor(item.cost, 1, known),
        known.backend,
    )


def _factor(cost: RunCost, fleet: int, known: Speeds) -> Factor:
    of_class = known.of_class.get(cost.modelled(fleet=fleet).shape_class)
    return factor(
        None if of_class is None else Sample(*of_class),
        None if known.of_all is None else Sample(*known.of_all),
    )
