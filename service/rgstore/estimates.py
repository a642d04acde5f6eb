"""Stored numbers as the wire carries them: nested, with null where there is no number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from math import prod

from rgcontract import Estimate
from rgcontract.result import Numbers
from rgcontract.strictjson import number_or_none
from rgstore.damaged import sum_of
from rgstore.records import Summary


def estimate(summary: Summary) -> Estimate:
    """A stored summary.

    Raises:
        DamagedRecordError, ValidationError: it cannot be read.
    """
    shape = summary.shape
    return Estimate(
        shape=shape,
        mean=nested(summary.mean, shape),
        standard_error=nested(summary.standard_error, shape),
        low=nested(summary.low, shape),
        high=nested(summary.high, shape),
        n=summary.n_rows,
        estimator=summary.estimator,
        half_shift=None if summary.half_shift is None else nested(summary.half_shift, shape),
        reasons=summary.reasons,
    )


def nested(flat: Sequence[float], shape: Sequence[int]) -> Numbers:
    """A flat array as nested lists, null where it is not a number.

    Raises:
        DamagedRecordError: it has not as many numbers as its shape says, or one is missing.
    """
    if not math.isfinite(sum_of(flat, shape)):  # of some number, or of so many large ones
        return _shaped([number_or_none(value) for value in flat], shape)
    return _shaped(flat, shape)


def _shaped(flat: Sequence[float | None], shape: Sequence[int]) -> Numbers:
    if not shape:
        return flat[0]
    if len(shape) == 1:
        return list(flat)
    stride = prod(shape[1:])
    return [
        _shaped(flat[start : start + stride], shape[1:])
        for start in range(0, shape[0] * stride, stride)
    ]
