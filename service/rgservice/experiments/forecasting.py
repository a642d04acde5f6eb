"""What is asked for would cost so much, together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rgcontract import Forecast
from rgcore.cost import Source
from rgservice.experiments.pricing import Price, Priced

WEAKEST_FIRST = (Source.DEFAULT, Source.BACKEND, Source.SHAPE)


def forecast(priced: Priced) -> Forecast:
    """What the missing runs would cost. Nothing is stored.

    Parameters and memory are those of the largest network: runs need not run side by side.
    """
    prices = priced.prices.values()
    missing = [run for price in prices for run in price.missing]
    flops = priced.total("flops")
    low, seconds, high = _seconds(prices)
    asked = [price for price in prices if price.missing] or list(prices)
    source = min((price.factor.source for price in asked), key=WEAKEST_FIRST.index)
    return Forecast(
        cached=not missing,
        missing_seeds=sorted({seed for _, seed in missing}),
        missing_runs=len(missing),
        parameters=max(price.cost.parameters for price in prices),
        flops=flops,
        seconds=seconds,
        seconds_low=low,
        seconds_high=high,
        flops_per_second=_rate(asked),
        rate_measured=source is not Source.DEFAULT,
        rate_from=str(source),
        rate_attempts=min(price.factor.n for price in asked),
        rate_backend=_backend(asked, source),
        memory_bytes=max(price.cost.memory_bytes for price in prices),
        stored_bytes=int(priced.stored_bytes()),
    )


def _seconds(prices: Iterable[Price]) -> tuple[float, float, float]:
    """(low, expected, high) of all missing runs: they are all off alike, so the ends add up."""
    low = seconds = high = 0.0
    for price in prices:
        expected = len(price.missing) * price.seconds
        seconds += expected
        low += expected * price.factor.low / price.factor.middle
        high += expected * price.factor.high / price.factor.middle
    return low, seconds, high


def _rate(asked: Sequence[Price]) -> float:
    """Operations per second over these experiments, each with as many runs as are missing."""
    runs = [max(1, len(price.missing)) for price in asked]
    flops = sum(n * price.cost.flops for n, price in zip(runs, asked, strict=True))
    return flops / sum(n * price.seconds for n, price in zip(runs, asked, strict=True))


def _backend(asked: Sequence[Price], source: Source) -> str | None:
    """What they are learnt from; null where that is not one backend."""
    backends = {price.backend for price in asked}
    return None if source is Source.DEFAULT or len(backends) > 1 else backends.pop()
