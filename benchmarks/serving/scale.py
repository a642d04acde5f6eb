"""How much is stored and how often each request is made."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """The size of a measurement of the server.

    Attributes:
        runs: stored beforehand, three to an experiment.
        probes: experiments of the default size among them, whose results are read.
        requests: of each kind.
        bulks: requests of many submissions.
        bulk_specs: submissions in each of them.
        lives: runs that are taken from the line to their result.
    """

    runs: int
    probes: int
    requests: int
    bulks: int
    bulk_specs: int
    lives: int


QUICK = Scale(runs=20_000, probes=10, requests=100, bulks=1, bulk_specs=5000, lives=15)
FULL = Scale(runs=200_000, probes=50, requests=300, bulks=3, bulk_specs=5000, lives=30)
