"""Which part of a result is asked for, by its query; what is not there is refused by its name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Query

from rgcontract import LeftOut, Losses
from rgcontract.arrays import MOST_NUMBERS, TRANSITION, Arrays
from rgcontract.observables import NETWORK
from rgcontract.observables.losses import FLAGS
from rgservice.http.paging import refused
from rgservice.http.seeds import listed
from rgstore.measured import Kept
from rgstore.records import Key
from rgstore.slicing import Part

MOST_SHOWN = 8
"""Of what is not there, in a refusal."""
LONGEST = 2_000
SHUFFLED = "shuffled"
"""The trained network, on sequences without memory: no step of a training."""
ERROR_BARS = 5
"""Numbers of each: mean, error, interval, shift."""
ALWAYS = frozenset({*Losses.model_fields, *(row.name for row in FLAGS)})
"""Quantities of one number that are in every result."""


@dataclass(frozen=True)
class Asked:
    """The query of a result, but for its seeds."""

    arrays: Annotated[
        Arrays,
        Query(
            description="layers: what has one index, and the matrices of the chains where they "
            "are small; small: all that is small; all: all; runs: all, and what has several "
            "indexes for each run too. `left_out` says what is not there, and where it is"
        ),
    ] = Arrays.LAYERS
    partial: Annotated[bool, Query(description="over the runs measured so far")] = False
    layers: Annotated[
        str | None,
        Query(max_length=LONGEST, description="of these layers alone: `layers=0,4,6-8`"),
    ] = None
    levels: Annotated[
        str | None,
        Query(max_length=LONGEST, description="at these levels alone: `levels=position,network`"),
    ] = None
    at: Annotated[
        str | None,
        Query(
            max_length=LONGEST,
            description="at these moments alone, by name or by steps trained: `at=initial,500`",
        ),
    ] = None
    observables: Annotated[
        str | None,
        Query(
            max_length=LONGEST,
            description="these alone, however large: `observables=effective_rank,spectrum`; "
            f"`{TRANSITION}` is the matrices of the chains. Losses and flags are always there",
        ),
    ] = None


AskedQuery = Annotated[Asked, Depends()]


@dataclass(frozen=True)
class Selection:
    """What is in an answer."""

    parts: Mapping[Key, Part]
    """The quantities, and what of each, in order."""
    layers: list[int] | None
    transition: bool
    """Whether the matrices of the chains are."""
    per_run: bool
    """Whether the values of each run of what has several indexes are."""
    left_out: list[LeftOut]

    def numbers(self, n_runs: int) -> int:
        """How many the quantities have, with error bars and the values of runs."""
        return sum(
            part.numbers * (ERROR_BARS + (n_runs if self.of_runs(part) else 0))
            for part in self.parts.values()
        )

    def of_runs(self, part: Part) -> bool:
        """Whether the values of each run of a quantity are in the answer."""
        return self.per_run or len(part.shape) <= 1


def selected(
    asked: Asked,
    there: Sequence[Kept],
    *,
    n_layers: int,
    transition: int,
    path: str,
    seeds: str | None,
) -> Selection:
    """What is in the answer to a query.

    Args:
        asked: the query.
        there: the quantities that are stored.
        n_layers: places at which the stream is measured.
        transition: numbers in the matrices of the chains.
        path: of the experiment.
        seeds: the query of its seeds.

    Raises:
        InvalidQuery: something is asked for that is not there; says what is.
    """
    whens = _whens(asked.at, there)
    levels = _named("levels", asked.levels, {one.level for one in there})
    names = {one.quantity for one in there} | {TRANSITION}
    observables = _named("observables", asked.observables, names)
    layers = _layers(asked.layers, n_layers)
    parts = {
        one.key: Part.of(one.quantity, one.shape, layers)
        for one in there
        if one.when in whens
        and (one.level in levels or (one.level == NETWORK and one.quantity in ALWAYS))
    }
    sizes = {TRANSITION: transition}
    for (_, _, name), part in parts.items():
        if len(part.shape) > 1:
            sizes[name] = sizes.get(name, 0) + part.numbers
    if asked.observables is None:
        out = {name for name, numbers in sizes.items() if not _fits(asked.arrays, name, numbers)}
    else:
        out = names - {*observables} - ALWAYS
    return Selection(
        parts={key: part for key, part in parts.items() if key[2] not in out},
        layers=layers,
        transition=TRANSITION not in out,
        per_run=asked.arrays is Arrays.RUNS,
        left_out=[
            LeftOut(name=name, numbers=sizes[name], url=_url(name, asked, path, seeds))
            for name in sizes
            if name in out and asked.observables is None
        ],
    )


def _fits(arrays: Arrays, name: str, numbers: int) -> bool:
    """Whether arrays of a kind are in an answer that names none."""
    if arrays in {Arrays.ALL, Arrays.RUNS}:
        return True
    return numbers <= MOST_NUMBERS and (name == TRANSITION or arrays is Arrays.SMALL)


def _url(name: str, asked: Asked, path: str, seeds: str | None) -> str:
    """Where arrays of a kind are, as they are asked for here."""
    if name == TRANSITION:
        return f"{path}/chains/{{chain_seed}}"
    query = {
        "observables": name,
        "partial": "true" if asked.partial else None,
        "layers": asked.layers,
        "levels": asked.levels,
        "at": asked.at,
        "seeds": seeds,
    }
    given = {parameter: value for parameter, value in query.items() if value is not None}
    return f"{path}/result?{urlencode(given, safe=',')}"


def _whens(text: str | None, there: Sequence[Kept]) -> Collection[str]:
    """The moments that a query names, or whose steps it names.

    Raises:
        InvalidQuery: nothing was measured then.
    """
    trained = {one.when: str(one.step) for one in there if one.when != SHUFFLED}
    whens = {one.when: None for one in there}  # in the order of training
    if text is None:
        return whens
    asked = set(_listed(text))
    steps = {*trained.values()}
    allowed = f"of {', '.join(whens)}, or of the steps {', '.join(sorted(steps, key=int))}"
    _check("at", asked - {*whens} - steps, allowed)
    return [when for when in whens if {when, trained.get(when)} & asked]


def _named(name: str, text: str | None, there: Collection[str]) -> Collection[str]:
    """Those that a query names, of those that are there; all of them where it names none.

    Raises:
        InvalidQuery: one is not there.
    """
    if text is None:
        return there
    asked = set(_listed(text))
    _check(name, asked - {*there}, f"of {', '.join(sorted(there))}")
    return asked


def _layers(text: str | None, n_layers: int) -> list[int] | None:
    """The layers that a query names, in order; None where it names none.

    Raises:
        InvalidQuery: one is not there.
    """
    if text is None:
        return None
    there = {str(layer) for layer in range(n_layers)}
    found: set[int] = set()
    unknown = set()
    for part in _listed(text):
        first, dash, last = part.partition("-")
        last = last if dash else first
        if {first, last} <= there and int(first) <= int(last):
            found.update(range(int(first), int(last) + 1))
        else:
            unknown.add(part)
    _check("layers", unknown, f"of 0 to {n_layers - 1}, as 0,2,4-6")
    return sorted(found)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


def _check(name: str, unknown: Collection[str], allowed: str) -> None:
    if unknown:
        shown = listed([repr(one[:40]) for one in sorted(unknown)], MOST_SHOWN)
        verb = "is" if len(unknown) == 1 else "are"
        raise refused(name, f"{shown} {verb} not there", allowed)
