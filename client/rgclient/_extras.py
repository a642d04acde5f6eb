"""Optional libraries, imported when they are first needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from rgclient._errors import MissingExtra


def optional(module: str, extra: str) -> Any:
    """A module of an optional library.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        library = module.partition(".")[0]
        raise MissingExtra(
            f"this needs {library} ({error}): pip install 'rgclient[{extra}]'"
        ) from error
