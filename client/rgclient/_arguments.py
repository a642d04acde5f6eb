"""What the functions of the package are given in place of what they take, and what to do then."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

from rgclient._errors import InvalidValue, UnknownField
from rgclient._named import Named
from rgclient._plain import plain
from rgcontract.sorting import TAKEN, NoSuchOrder, order
from rgcontract.synonyms import meant

PAGE = 100
"""Items of a list that are asked for at a time."""


def keywords_only(function: str, given: tuple[Any, ...]) -> None:
    """Refuse what came without a name.

    Raises:
        InvalidValue: something did.
    """
    if not given:
        return
    if isinstance(given[0], Mapping):
        raise InvalidValue(f"{function} takes fields by name: {function}(**{{...}}) for a dict")
    if isinstance(given[0], list | tuple):
        raise InvalidValue(f"{function} asks for one; a list of specs goes to submit_many([...])")
    raise InvalidValue(f"{function} takes fields by name: {function}(corr_len=7)")


def filters_by_name(function: str, given: tuple[Any, ...]) -> None:
    """Refuse a filter that came without a name.

    Raises:
        InvalidValue: one did.
    """
    if given:
        raise InvalidValue(f'{function} takes filters by name: {function}(owner="ada")')


def preset_name(preset: Any) -> str:
    """The name of a preset.

    Raises:
        InvalidValue: it is something else, such as the fields of a study.
    """
    if isinstance(preset, Mapping):
        raise InvalidValue("study takes fields by name: study(**{...}) for a dict")
    if not isinstance(preset, str):
        raise InvalidValue(f'{_kind(preset)} is no name of a preset; such as study("demo")')
    return preset


def many(specs: Any) -> list[Mapping[str, Any]]:
    """The specs of `submit_many`.

    Raises:
        InvalidValue: it is no list of specs.
    """
    if isinstance(specs, Mapping):
        raise InvalidValue("submit_many takes a list of specs: submit_many([{...}, {...}])")
    if callable(getattr(specs, "to_dict", None)):
        raise InvalidValue('submit_many takes a list of specs: table.to_dict("records") is one')
    if isinstance(specs, str | bytes) or not isinstance(specs, Iterable):
        raise InvalidValue(f"submit_many takes a list of specs; this is {_kind(specs)}")
    found = list(specs)
    for index, spec in enumerate(found):
        if not isinstance(spec, Mapping):
            raise InvalidValue(
                f"experiments.{index} is {_kind(spec)}; a spec is a dict of fields, "
                'such as {"corr_len": 7}'
            )
    return found


def identifier(given: Any, noun: str) -> str:
    """The id of an experiment or a study, as the server gave it.

    Raises:
        InvalidValue: it cannot be one.
    """
    if isinstance(given, Named):
        raise InvalidValue(f"this is a handle already: {given!r}; .refresh() asks how far it is")
    if not isinstance(given, str):
        raise InvalidValue(f"{_kind(given)} is no id; an id is a text, the .id of {noun}")
    if not given.strip("./ \t\n"):
        raise InvalidValue(f"{given!r} is no id; an id is the .id of {noun} of the server")
    return given


def one_handle(given: Any) -> Any:
    """The handle that is waited for.

    Raises:
        InvalidValue: it is none.
    """
    if isinstance(given, Named):
        return given
    if isinstance(given, Iterable):
        raise InvalidValue(
            "wait takes one experiment; for several: [rgclient.wait(e) for e in them]"
        )
    raise InvalidValue(f"wait takes an experiment or its id; this is {_kind(given)}")


def seconds(name: str, given: Any) -> None:
    """Check a time to wait; None is for ever.

    Raises:
        InvalidValue: it is no number of seconds.
    """
    if given is None:
        return
    if isinstance(given, bool) or not isinstance(given, Real) or math.isnan(given) or given < 0:
        raise InvalidValue(f"{name} is {given!r}; give seconds, 0 or more, or None")


def attempts_in_all(given: Any) -> int:
    """How many requests in all.

    Raises:
        InvalidValue: it is no count, or none would be sent.
    """
    if isinstance(given, bool) or not isinstance(given, Integral) or given < 1:
        raise InvalidValue(f"attempts is {given!r}; give how many in all, 1 or more")
    return int(given)


def text(name: str, given: Any) -> None:
    """Check an address or a token; None is found elsewhere.

    Raises:
        InvalidValue: it is no text.
    """
    if given is not None and not isinstance(given, str):
        raise InvalidValue(f"{name} is {_kind(given)}; give a text, or leave it out")


def filters(asked: Mapping[str, Any], unknown: Mapping[str, Any]) -> dict[str, str]:
    """The query of a list; what is None is not asked for.

    Raises:
        UnknownField: there is no such filter; the message has the nearest.
        InvalidValue: a value is a list, or nothing that a query can carry.
    """
    for name in unknown:
        field = (meant(name) or name).rpartition(".")[2]
        near = [known for known in asked if known in {field, f"{field}_min", f"{field}_max"}]
        near = near or difflib.get_close_matches(name, asked, n=2)
        did_you = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(asked)}"
        raise UnknownField(f"no filter {name!r}; {did_you}")
    return {name: _one(value, name) for name, value in asked.items() if value is not None}


def sorted_by(sort: Any) -> dict[str, str]:
    """The query of the order of a list.

    Raises:
        UnknownField: there is no such order; the message has the nearest.
        InvalidValue: it is no text.
    """
    if sort is None:
        return {}
    if not isinstance(sort, str):
        raise InvalidValue(f'sort is {_kind(sort)}; give a name, such as sort="-corr_len"')
    try:
        return {"sort": str(order(sort))}
    except NoSuchOrder as error:
        raise UnknownField(f"{error} (allowed: {TAKEN})") from None


def page_size(limit: Any) -> int:
    """How many to ask for at a time.

    Raises:
        InvalidValue: the limit is no count.
    """
    if limit is None:
        return PAGE
    if isinstance(limit, bool) or not isinstance(limit, Integral) or limit < 0:
        raise InvalidValue(f"limit is {limit!r}; give how many at most, or leave it out for all")
    return max(1, min(int(limit), PAGE))


def _one(value: Any, name: str) -> str:
    found = plain(value, name)
    if isinstance(found, list | bool):
        raise InvalidValue(f"{name} is {value!r}; a filter has one value, a number or a text")
    return str(found)


def _kind(value: object) -> str:
    kind = type(value).__name__
    return f"{'an' if kind[0].lower() in 'aeiou' else 'a'} {kind}"
