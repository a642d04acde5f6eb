"""Why there are no kernels."""

from __future__ import annotations


class UnusableError(RuntimeError):
    """There are no kernels here, or none that may be loaded; one sentence says why."""
