"""What experiments would cost, together."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from rgcontract import ExperimentSpec, Forecast
from rgservice.experiments import cost
from rgstore.runs import missing_runs
from rgstore.speed import measured_rate


def forecast(session: Session, specs: Mapping[str, ExperimentSpec]) -> Forecast:
    """What the missing runs of experiments would cost. Nothing is stored.

    Parameters and memory are those of the largest network: runs need not run side by side.

    Args:
        session: the transaction to read in.
        specs: experiment -> its spec, with the seeds that are asked for.
    """
    missing = missing_runs(session, specs)
    costs = {name: cost.cost_of_run(spec) for name, spec in specs.items()}
    measured = measured_rate(session)
    rate = measured or cost.FLOPS_PER_SECOND
    flops = sum(costs[name].flops * len(runs) for name, runs in missing.items())
    return Forecast(
        cached=not any(missing.values()),
        missing_seeds=sorted({seed for runs in missing.values() for _, seed in runs}),
        missing_runs=sum(map(len, missing.values())),
        parameters=max(one.parameters for one in costs.values()),
        flops=flops,
        seconds=flops / rate,
        flops_per_second=rate,
        rate_measured=measured is not None,
        memory_bytes=max(one.memory_bytes for one in costs.values()),
        stored_bytes=sum(costs[name].stored_bytes * len(runs) for name, runs in missing.items()),
    )
