"""What a function takes by name, for the help and the completion of a notebook."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class _LeftOut:
    """In place of a default, where there is none: the keyword need not be given."""

    def __repr__(self) -> str:
        return "<left out>"


LEFT_OUT = _LeftOut()


def takes(defaults: Mapping[str, Any]) -> Callable[[F], F]:
    """Let a function that takes any keyword say which there are, with what they are if left out.

    Args:
        defaults: keyword -> default; an ellipsis where there is none, which is shown as left out.
    """

    def signed(function: F) -> F:
        own = inspect.signature(function)
        named = [one for one in own.parameters.values() if one.kind is one.POSITIONAL_OR_KEYWORD]
        keywords = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=LEFT_OUT if default is ... else default,
            )
            for name, default in defaults.items()
        ]
        signature = own.replace(parameters=[*named, *keywords])
        function.__signature__ = signature  # type: ignore[attr-defined]
        return function

    return signed
