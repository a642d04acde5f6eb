"""The filters of a list as keywords: their names are told where a notebook looks for them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from rgcontract.filters import FILTERS
from rgcontract.sorting import SORTS

Given = ParamSpec("Given")
Found = TypeVar("Found")


def with_filters(function: Callable[Given, Found]) -> Callable[Given, Found]:
    """Itself, with every filter and order in its signature and its documentation."""
    signature = inspect.signature(function)
    *before, rest = signature.parameters.values()
    keywords = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in FILTERS
    ]
    function.__dict__["__signature__"] = signature.replace(parameters=[*before, *keywords, rest])
    told = [
        f"    {row.name}: {row.meaning}{f', {row.unit}' if row.unit else ''}."
        for row in FILTERS.values()
    ]
    orders = [f"    {name}" for name in SORTS]
    text = inspect.cleandoc(function.__doc__ or "")
    function.__doc__ = "\n".join([text, "", "Filters:", *told, "", "Orders:", *orders])
    return function
