"""What was measured of storing and serving, as Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.markdown import number, table
from benchmarks.serving.latency import Latency
from benchmarks.serving.programme import OVERHEAD_AIM, RUN_SECONDS, Serving

LATENCIES = ("request", "n", "p50, ms", "p95, ms", "p99, ms", "most, ms", "aim", "met")
BOUNDS = ("ceiling", "n", "p50, ms", "p95, ms")
LIFE = ("database in the life of a run", "ms")


def tables(found: Serving) -> list[str]:
    """One of the requests, one of the ceilings, one of a run's life."""
    return [
        f"{found.runs} runs stored, {found.megabytes:.0f} MB",
        latencies(found.latencies),
        table(BOUNDS, [_bound(one) for one in found.bounds]),
        life(found),
    ]


def latencies(found: Iterable[Latency]) -> str:
    """Percentiles of every kind of request, and whether the aim is met."""
    return table(LATENCIES, [_latency(one) for one in found])


def life(found: Serving) -> str:
    """Where the database's part of a run goes."""
    rows = [[name, number(1e3 * seconds)] for name, seconds in found.life.items()]
    share = f"share of a run of {RUN_SECONDS:.0f} s (aim: at most {OVERHEAD_AIM:.0%})"
    return table(LIFE, [*rows, [share, f"{found.overhead:.2%}"]])


def _latency(one: Latency) -> list[str]:
    met = {None: "", True: "yes", False: "no"}[one.met]
    aim = "" if one.aim is None else f"p{one.percentile} <= {number(1e3 * one.aim)}"
    return [one.name, str(len(one.seconds)), *_ms(one, 50, 95, 99, 100), aim, met]


def _bound(one: Latency) -> list[str]:
    return [one.name, str(len(one.seconds)), *_ms(one, 50, 95)]


def _ms(one: Latency, *percentiles: float) -> list[str]:
    return [number(1e3 * one.at(percentile)) for percentile in percentiles]
