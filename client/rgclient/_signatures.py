"""What a function takes by name, for the help and the completion of a notebook."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def takes(defaults: Mapping[str, Any]) -> Callable[[F], F]:
    """Let a function that takes any keyword say which there are, with what they are if left out.

    Args:
        defaults: keyword -> default; an ellipsis where the server fills in more than one value.
    """

    def signed(function: F) -> F:
        own = inspect.signature(function)
        named = [one for one in own.parameters.values() if one.kind is one.POSITIONAL_OR_KEYWORD]
        keywords = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)
            for name, default in defaults.items()
        ]
        signature = own.replace(parameters=[*named, *keywords])
        function.__signature__ = signature  # type: ignore[attr-defined]
        return function

    return signed
