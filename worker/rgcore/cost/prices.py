"""Seconds of a unit of work on a core: written by `python -m benchmarks.prices`."""

from __future__ import annotations

ONE_CORE: dict[str, float] = {
    "run": 0.00246,
    "step": 0.00165,
    "kernel": 5.37e-05,
    "batch": 0.00137,
    "block": 0.00038,
    "layer": 0.000223,
    "reading": 0.000949,
    "value": 5.23e-09,
    "token": 3e-08,
    "product": 2.03e-11,
    "value64": 1.02e-08,
    "moment": 5.31e-08,
    "product64": 4.1e-11,
    "decomposed": 2.17e-11,
}
"""Name of a unit -> seconds. Fitted to 1283 parts of runs on AMD EPYC."""
SPREAD = 0.26
"""Standard deviation of ln(measured / modelled) over those parts."""
