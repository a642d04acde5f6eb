"""Seconds of a unit of work on a core: written by `python -m benchmarks.prices`."""

from __future__ import annotations

ONE_CORE: dict[str, float] = {
    "run": 0.0021,
    "step": 0.000828,
    "kernel": 3.69e-05,
    "batch": 0.000958,
    "block": 0.00027,
    "layer": 0.000127,
    "reading": 0.000656,
    "value": 4.47e-09,
    "token": 4.09e-08,
    "product": 1.71e-11,
    "value64": 8.82e-09,
    "moment": 3.92e-08,
    "product64": 3.68e-11,
    "decomposed": 2.37e-11,
}
"""Name of a unit -> seconds. Fitted to 1156 parts of runs on AMD EPYC."""
SPREAD = 0.24
"""Standard deviation of ln(measured / modelled) over those parts."""
