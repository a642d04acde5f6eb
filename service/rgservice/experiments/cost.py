"""What an experiment costs, and what this server allows."""

from __future__ import annotations

from dataclasses import dataclass

from rgcontract import ExperimentSpec, FieldProblem
from rgcore.architecture import Architecture
from rgcore.cost import RunCost, run_cost
from rgservice.http.errors import OverLimit
from rgstore.settings import Settings


def cost_of_run(spec: ExperimentSpec) -> RunCost:
    """The cost of one run of a spec, of its sizes alone."""
    return run_cost(Architecture(**spec.architecture), **spec.budget)


@dataclass(frozen=True)
class Limit:
    """What may not be exceeded, and by how much a request would."""

    field: str
    estimate: float
    most: float
    setting: str
    said: str
    """Unit and remedy."""


def over_limits(
    cost: RunCost, n_runs: int, settings: Settings, *, seconds: float, chain_bytes: int = 0
) -> list[FieldProblem]:
    """Which limits so many runs of this cost would exceed, with the estimate.

    Args:
        cost: of one run.
        n_runs: how many.
        settings: the limits.
        seconds: that one run by itself is expected to take on this lab's workers.
        chain_bytes: that their chains add to the database.
    """
    return exceeded(
        Limit("flops", n_runs * cost.flops, settings.max_flops, "MAX_FLOPS",
              "operations; lower training.steps, training.batch_size, model.width or model.depth"),
        Limit("memory_bytes", cost.memory_bytes, settings.max_memory_bytes, "MAX_MEMORY_BYTES",
              "bytes in one run; lower model.width, model.depth or training.batch_size"),
        Limit("stored_bytes", n_runs * cost.stored_bytes + chain_bytes,
              settings.max_stored_bytes,
              "MAX_STORED_BYTES",
              "stored bytes; lower seeds, model.width or measurement.levels"),
        Limit("run_seconds", seconds, settings.run_time_limit_seconds,
              "RUN_TIME_LIMIT_SECONDS",
              "seconds for one run, which would be ended before; lower training.steps, "
              "training.batch_size, model.width or model.depth"),
    )  # fmt: skip


def exceeded(*limits: Limit) -> list[FieldProblem]:
    """A problem for each estimate above its limit."""
    return [
        FieldProblem(
            field=one.field,
            message=f"estimated at {one.estimate:.3g} {one.said}",
            allowed=f"at most {one.most:.3g} (RGLAB_{one.setting})",
        )
        for one in limits
        if one.estimate > one.most
    ]


def check_runs(n_runs: int, settings: Settings, remedy: str) -> None:
    """Refuse more runs than one request may ask for.

    Raises:
        OverLimit: there are more.
    """
    most = settings.max_bulk_runs
    if n_runs > most:
        runs = FieldProblem(
            field="runs",
            message=f"{n_runs} are asked for; {remedy}",
            allowed=f"at most {most} (RGLAB_MAX_BULK_RUNS)",
        )
        raise OverLimit.of([runs])
