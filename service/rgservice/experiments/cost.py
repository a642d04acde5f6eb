"""What an experiment costs, and what this server allows."""

from __future__ import annotations

from rgcontract import ExperimentSpec, FieldProblem
from rgcontract.observables import measured_at
from rgcore.architecture import Architecture
from rgcore.cost import RunCost, run_cost
from rgservice.http.errors import OverLimit
from rgstore.settings import Settings


def cost_of_run(spec: ExperimentSpec) -> RunCost:
    """The cost of one run of a spec, of its sizes alone."""
    training, measurement = spec.training, spec.measurement
    levels = frozenset(map(str, measurement.levels or ()))
    return run_cost(
        Architecture(**spec.architecture),
        steps=training.steps,
        batch_size=training.batch_size,
        mask_prob=spec.data.mask_prob,
        n_sequences=measurement.n_sequences,
        levels=levels,
        arrays=[row.axes for row in measured_at(levels, spec.model.mixing)],
        moments=len(measurement.moments(training.steps)),
    )


def over_limits(cost: RunCost, n_runs: int, settings: Settings) -> list[FieldProblem]:
    """Which limits so many runs of this cost would exceed, with the estimate."""
    return exceeded(
        "RGLAB_MAX_",
        ("flops", n_runs * cost.flops, settings.max_flops,
         "operations; lower training.steps, training.batch_size, model.width or model.depth"),
        ("memory_bytes", cost.memory_bytes, settings.max_memory_bytes,
         "bytes in one run; lower model.width, model.depth or training.batch_size"),
        ("stored_bytes", n_runs * cost.stored_bytes, settings.max_stored_bytes,
         "stored bytes; lower seeds, model.width or measurement.levels"),
    )  # fmt: skip


def exceeded(prefix: str, *estimates: tuple[str, float, float, str]) -> list[FieldProblem]:
    """A problem for each estimate above its limit.

    Args:
        prefix: of the settings that limit them, which end in the field's name.
        estimates: field, estimate, limit, and what is said of it: unit and remedy.
    """
    return [
        FieldProblem(
            field=name,
            message=f"estimated at {estimate:.3g} {said}",
            allowed=f"at most {limit:.3g} ({prefix}{name.upper()})",
        )
        for name, estimate, limit, said in estimates
        if estimate > limit
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
