"""What is asked for would cost so much, together."""

from __future__ import annotations

from rgcontract import Forecast
from rgservice.experiments.pricing import Priced


def forecast(priced: Priced) -> Forecast:
    """What the missing runs would cost. Nothing is stored.

    Parameters and memory are those of the largest network: runs need not run side by side.
    """
    prices = priced.prices.values()
    missing = [run for price in prices for run in price.missing]
    flops = priced.total("flops")
    return Forecast(
        cached=not missing,
        missing_seeds=sorted({seed for _, seed in missing}),
        missing_runs=len(missing),
        parameters=max(price.cost.parameters for price in prices),
        flops=flops,
        seconds=flops / priced.rate,
        flops_per_second=priced.rate,
        rate_measured=priced.rate_measured,
        memory_bytes=max(price.cost.memory_bytes for price in prices),
        stored_bytes=int(priced.stored_bytes()),
    )
