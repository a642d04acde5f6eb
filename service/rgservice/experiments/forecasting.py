"""What is asked for would cost so much, together."""

from __future__ import annotations

from sqlalchemy.orm import Session

from rgcontract import Forecast
from rgservice.experiments.pricing import Priced
from rgstore.speed import measured_rate

FLOPS_PER_SECOND = 2e10
"""One core on small matrices, until this lab has measured its own."""


def forecast(session: Session, priced: Priced) -> Forecast:
    """What the missing runs would cost. Nothing is stored.

    Parameters and memory are those of the largest network: runs need not run side by side.
    """
    prices = priced.prices.values()
    missing = [run for price in prices for run in price.missing]
    measured = measured_rate(session)
    rate, flops = measured or FLOPS_PER_SECOND, priced.total("flops")
    return Forecast(
        cached=not missing,
        missing_seeds=sorted({seed for _, seed in missing}),
        missing_runs=len(missing),
        parameters=max(price.cost.parameters for price in prices),
        flops=flops,
        seconds=flops / rate,
        flops_per_second=rate,
        rate_measured=measured is not None,
        memory_bytes=max(price.cost.memory_bytes for price in prices),
        stored_bytes=int(priced.total("stored_bytes")),
    )
