"""Subnormal numbers count while a spec is read, though they are flushed to zero in training."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def kept() -> Iterator[None]:
    """Numbers below 2.2e-308 are what they are, in this thread.

    What the service accepted is then read as it read it: flushed, a matrix with an entry of
    1e-310 would be another one.
    """
    flushed = sys.float_info.min * 0.5 == 0.0
    torch.set_flush_denormal(False)
    try:
        yield
    finally:
        torch.set_flush_denormal(flushed)
