"""From flat keywords to the body of a submission."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rgclient._errors import AmbiguousField, InvalidValue, UnknownField
from rgclient._plain import plain
from rgclient._plain import section as plain_section
from rgcontract import Submission
from rgcontract.fields import allowed, children, nearest, nearest_by_section, paths
from rgcontract.study import LISTS

if TYPE_CHECKING:
    from pydantic import BaseModel

SEED_IS_AMBIGUOUS = (
    "'seed' could mean two things: write seeds=[3] for the seed of the training, "
    'chain={"seed": 3} for the seed that draws the chain'
)
SHOWN = 60
"""Characters of a value that a message repeats."""


def body(fields: dict[str, Any], model: type[BaseModel] = Submission) -> dict[str, Any]:
    """The JSON of a submission: sections as given, flat keywords put where they belong.

    Args:
        fields: names and values.
        model: whose fields they are.

    Raises:
        UnknownField: no field has that name; the message has the nearest ones.
        AmbiguousField: the name has several places, or a field is given twice.
        InvalidValue: a value that JSON cannot carry, or a list where an experiment has one value.
    """
    written: dict[str, Any] = {}
    for name, value in fields.items():
        path = place(name, model)
        section, _, leaf = path.rpartition(".")
        if section:
            given: Any = {leaf: _value(value, name, path, model)}
        elif children(model, name):
            section, given = name, plain_section(value, name)
        else:
            section, given = name, _value(value, name, path, model)
        written[section] = _merged(written.get(section), given, section)
    for name, given in written.items():
        if children(model, name) and not isinstance(given, dict):
            raise InvalidValue(f"{name} is {given!r}; it takes a dict of {_fields(name, model)}")
    if issubclass(model, Submission):
        _no_grid(written)
    return written


def place(name: str, model: type[BaseModel] = Submission) -> str:
    """The one dotted path that a flat keyword stands for."""
    if name == "seed":
        raise AmbiguousField(SEED_IS_AMBIGUOUS)
    if name in children(model, ""):  # `seeds` is the training's, not `chain.seeds`
        return name
    found = paths(model, name)
    if not found:
        raise UnknownField(f"unknown field {name!r}; {_instead(name, model)}")
    if len(found) > 1:
        sections = ", ".join(found)
        raise AmbiguousField(f"{name!r} could mean {sections}: write it in its section")
    return found[0]


def _value(value: Any, name: str, path: str, model: type[BaseModel]) -> Any:
    try:
        return plain(value, name)
    except InvalidValue as error:
        raise InvalidValue(f"{error} (allowed: {allowed(model, path)})") from error


def _no_grid(written: dict[str, Any]) -> None:
    """A list in place of one value is meant as a grid."""
    for section, given in written.items():
        known = children(Submission, section)
        for leaf, value in given.items() if isinstance(given, dict) else ():
            if isinstance(value, list) and leaf in known and leaf not in LISTS:
                shown = repr(value) if len(repr(value)) <= SHOWN else "[...]"
                call = f"{section}={{'seed': {shown}}}" if leaf == "seed" else f"{leaf}={shown}"
                raise InvalidValue(
                    f"{section}.{leaf} is a list, and an experiment has one value of it; "
                    f"a study measures all: rgclient.study({call})"
                )


def _merged(there: Any, new: Any, section: str) -> Any:
    """What is there of a section, and what comes to it."""
    if there is None:
        return new
    if not isinstance(there, dict) or not isinstance(new, dict):
        raise AmbiguousField(f"{section!r} is given as {there!r} and as {new!r}")
    twice = ", ".join(sorted(there.keys() & new.keys()))
    if twice:
        raise AmbiguousField(f"{twice} is given twice: in {section}={{...}} and by itself")
    return {**there, **new}


def _instead(name: str, model: type[BaseModel]) -> str:
    close = [path for path in nearest(name, model) if path != "chain.seed"]  # see above
    if close:
        return f"did you mean {' or '.join(map(_suggestion, close))}?"
    near = ", ".join(nearest_by_section(name, model))
    return f"nearest in each section: {near}; the server's page /docs has all fields"


def _fields(section: str, model: type[BaseModel]) -> str:
    return "its fields: " + ", ".join(children(model, section))


def _suggestion(path: str) -> str:
    """`corr_len (chain.corr_len)`, or `seeds`, which is in no section."""
    leaf = path.rpartition(".")[2]
    return leaf if leaf == path else f"{leaf} ({path})"
