"""From flat keywords to the body of a submission."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rgclient._errors import AmbiguousField, UnknownField
from rgclient._plain import plain
from rgcontract import Submission
from rgcontract.fields import children, nearest, paths

if TYPE_CHECKING:
    from pydantic import BaseModel

SEED_IS_AMBIGUOUS = (
    "'seed' could mean two things: write seeds=[3] for the seed of the training, "
    'chain={"seed": 3} for the seed that draws the chain'
)


def body(fields: dict[str, Any], model: type[BaseModel] = Submission) -> dict[str, Any]:
    """The JSON of a submission: sections as given, flat keywords put where they belong.

    Args:
        fields: names and values.
        model: whose fields they are.

    Raises:
        UnknownField: no field has that name; the message has the nearest ones.
        AmbiguousField: the name has several places, or a field is given twice.
        InvalidValue: a value that JSON cannot carry.
    """
    written: dict[str, Any] = {}
    for name, value in fields.items():
        section, _, leaf = place(name, model).rpartition(".")
        if not section:
            given = plain(value, name)
            written[name] = _merged(written.get(name), given, name)
            continue
        written[section] = _merged(written.get(section), {leaf: plain(value, name)}, section)
    return written


def place(name: str, model: type[BaseModel] = Submission) -> str:
    """The one dotted path that a flat keyword stands for."""
    if name == "seed":
        raise AmbiguousField(SEED_IS_AMBIGUOUS)
    if name in model.model_fields:  # `seeds` is the training's, not `chain.seeds`
        return name
    found = paths(model, name)
    if not found:
        raise UnknownField(f"unknown field {name!r}; {_instead(name, model)}")
    if len(found) > 1:
        sections = ", ".join(found)
        raise AmbiguousField(f"{name!r} could mean {sections}: write it in its section")
    return found[0]


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
        suggestions = (_suggestion(path) for path in close)
        return f"did you mean {' or '.join(suggestions)}?"
    sections = [top for top in children(model, "") if children(model, top)]
    known = {leaf for section in sections for leaf in children(model, section)}
    others = (set(children(model, "")) | known) - {"seed"}
    return f"there are {', '.join(sorted(others))}"


def _suggestion(path: str) -> str:
    """`corr_len (chain.corr_len)`, or `seeds`, which is in no section."""
    leaf = path.rpartition(".")[2]
    return leaf if leaf == path else f"{leaf} ({path})"
