"""The packages that RGLab races with; the extra `bench` installs them."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Any

from benchmarks.race import RefusedError


def peer(module: str, distribution: str) -> Any:
    """A peer's module.

    Args:
        module: its name for `import`.
        distribution: its name for `pip install`.

    Raises:
        RefusedError: it cannot be imported; the message says what to do.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise RefusedError(f"no {distribution}: {error}; pip install -e '.[bench]'") from error


def named(distribution: str) -> str:
    """A peer's name and version."""
    return f"{distribution} {version(distribution)}"
