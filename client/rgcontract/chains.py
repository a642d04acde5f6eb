"""The chain section of a spec: one class per family, with the family's own fields."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, Union

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from rgcontract.about import About
from rgcontract.section import MAX_SEED, Section, Seeds, conflict, shown
from rgcontract.stochastic import defect, negative_entry, normalised

CONSISTENT = 1e-6
"""A correlation length that is given beside what decides it may be rounded this much."""
MOST_CORR_LEN = 1000.0
MOST_STATES = 128
"""Of a matrix of one's own: it travels with every spec."""


def _as_tuple(value: Any) -> Any:
    """JSON knows lists only, and a strict tuple refuses them."""
    return tuple(value) if isinstance(value, list) else value


_FromList = BeforeValidator(_as_tuple)

_Lengths = Annotated[
    tuple[Annotated[float, Field(ge=0, le=MOST_CORR_LEN)], ...], Field(min_length=1, max_length=8)
]
_Eigenvalues = Annotated[
    tuple[Annotated[float, Field(ge=-1, lt=1)], ...], Field(min_length=1, max_length=255)
]
_Row = Annotated[
    tuple[Annotated[float, Field(ge=0, le=1)], ...],
    # of 16,384 entries it would take a quarter of a second to say what is wrong with each
    Field(min_length=2, max_length=MOST_STATES, fail_fast=True),
    _FromList,
]
_Matrix = Annotated[
    tuple[_Row, ...], Field(min_length=2, max_length=MOST_STATES), AfterValidator(normalised)
]


class Family(StrEnum):
    """How the transition matrix of the chain is made."""

    POTTS = "potts"
    RING = "ring"
    RANDOM_REVERSIBLE = "random_reversible"
    HIERARCHICAL = "hierarchical"
    SPECTRUM = "spectrum"
    EXPLICIT = "explicit"


DEFAULT_FAMILY = Family.RANDOM_REVERSIBLE


def _names_its_family(schema: dict[str, Any]) -> None:
    """In JSON Schema, a section that names no family is to match the default one alone."""
    if schema["properties"].get("family", {}).get("default") != DEFAULT_FAMILY:
        schema["required"] = [*schema.get("required", []), "family"]


FAMILY = About()
"""The row of the field that names the family."""


class Chain(Section):
    """What every family has."""

    model_config = ConfigDict(json_schema_extra=_names_its_family)

    drawn: ClassVar[bool] = False
    """Whether `seed` decides anything. Where it does not, it is 0, whatever was sent."""
    exact: ClassVar[str]
    """What is known of the family in closed form."""
    if TYPE_CHECKING:
        family: Family  # each has its own, which names it

    n_states: Annotated[int, About(symbol="V", own=False)] = Field(default=16, ge=2, le=256)
    """Number of states V of the chain; also the vocabulary of the network."""
    corr_len: Annotated[float, About(symbol="xi", unit="tokens")] = Field(
        default=1.0, ge=0.05, le=MOST_CORR_LEN
    )
    """Correlation length xi = -1 / ln|l2|, in tokens."""
    seed: int = Field(default=0, ge=0, le=MAX_SEED)
    """Draws the transition matrix of a random family; 0 for the others, which have one matrix. Not
    the training seed: that is `seeds`."""

    @model_validator(mode="after")
    def _draws_nothing(self) -> Self:
        return self if self.drawn else self._with(seed=0)

    def _with(self, **fields: Any) -> Self:
        """Itself, while it is validated, with these fields."""
        for name, value in fields.items():
            object.__setattr__(self, name, value)
        return self

    @property
    def draws(self) -> tuple[int, ...]:
        """The chain seeds that an experiment is over."""
        return (self.seed,)

    def draw(self, seed: int) -> Self:  # noqa: ARG002 - a family that draws nothing has one chain
        """The chain of one seed."""
        return self


class PottsChain(Chain):
    """P = l I + (1 - l) / V J with l = exp(-1 / xi)."""

    exact: ClassVar[str] = "the eigenvalue l is (V - 1)-fold; pi is uniform"
    family: Annotated[Literal[Family.POTTS], FAMILY] = Family.POTTS
    """Construction of the transition matrix."""


class RingChain(Chain):
    """Lazy nearest-neighbour walk on a cycle; below its reach, mixed with the uniform law."""

    exact: ClassVar[str] = (
        "eigenvalues 1 - 2p (1 - cos 2 pi k / V), scaled below the reach; pi is uniform"
    )
    family: Annotated[Literal[Family.RING], FAMILY] = Family.RING
    """Construction of the transition matrix."""


class RandomReversibleChain(Chain):
    """Symmetric Gamma weights, row-normalised, its second eigenvalue set to exp(-1 / xi)."""

    exact: ClassVar[str] = "the second eigenvalue by modulus; detailed balance"
    drawn: ClassVar[bool] = True
    family: Annotated[Literal[Family.RANDOM_REVERSIBLE], FAMILY] = Family.RANDOM_REVERSIBLE
    """Construction of the transition matrix."""
    concentration: float = Field(default=1.0, ge=0.05, le=100)
    """Shape of the Gamma law of the weights; small values give sparse, uneven chains."""
    seeds: Annotated[Seeds | None, About(as_before=None)] = None
    """Average over draws of the matrix (quenched disorder): how many chain seeds, or which."""

    @model_validator(mode="before")
    @classmethod
    def _one_way_to_say_which(cls, data: Any) -> Any:
        """One seed is `seed`; several are `seeds`, and `seed` is then the first of them."""
        if not isinstance(data, dict) or data.get("seeds") is None:
            return data
        given = data["seeds"]
        if type(given) is int:
            first, single = 0, given == 1
        elif isinstance(given, list | tuple) and given and all(_is_seed(s) for s in given):
            first, single = min(given), len(given) == 1
        else:
            return data  # the field says what is wrong
        if "seed" in data and not _is_seed(data["seed"]):
            return data  # the field says what is wrong
        if "seed" in data and data["seed"] != first:
            reason = f"{shown(data['seed'])} is given beside seeds {shown(given)}"
            raise conflict("seed", reason, "one of the two")
        return {**data, "seed": first, "seeds": None if single else given}

    @property
    def draws(self) -> tuple[int, ...]:
        """The chain seeds that an experiment is over."""
        return self.seeds or (self.seed,)

    def draw(self, seed: int) -> Self:
        """The chain of one seed."""
        return self.model_copy(update={"seed": seed, "seeds": None})


class HierarchicalChain(Chain):
    """States in a tree of b^n leaves; one correlation length per scale, rising with the scale."""

    exact: ClassVar[str] = (
        "one eigenvalue per scale, with the multiplicity of its blocks; pi is uniform"
    )
    family: Annotated[Literal[Family.HIERARCHICAL], FAMILY] = Family.HIERARCHICAL
    """Construction of the transition matrix."""
    branching: Annotated[int, About(symbol="b")] = Field(default=2, ge=2, le=16)
    """Children b of a node; n_states must be a power of it."""
    scales: Annotated[_Lengths | None, _FromList, About(unit="tokens")] = None
    """Correlation length of each scale, finest first, tokens; halving from corr_len if left out."""

    @model_validator(mode="before")
    @classmethod
    def _longest_is_corr_len(cls, data: Any) -> Any:
        lens = _numbers(data, "scales")
        if lens is None:
            return data
        return _filled(data, "corr_len", float(lens[-1]), "the last of scales")

    @model_validator(mode="after")
    def _is_a_tree(self) -> Self:
        depth = round(math.log(self.n_states, self.branching))
        if self.branching**depth != self.n_states:
            powers = [self.branching**k for k in range(1, 9) if self.branching**k <= 256]
            raise conflict(
                "n_states",
                f"{self.n_states} is no power of branching {self.branching}",
                ", ".join(map(str, powers)),
            )
        if self.scales is not None and len(self.scales) != depth:
            reason = f"has {len(self.scales)} lengths, the tree has {depth} scales"
            raise conflict("scales", reason, f"{depth} lengths, finest scale first")
        if self.scales is not None and list(self.scales) != sorted(self.scales):
            raise conflict(
                "scales", "has a length that falls from a scale to a coarser one", "rising lengths"
            )
        halving = tuple(self.corr_len / 2.0**scale for scale in reversed(range(depth)))
        return self._with(scales=None) if self.scales == halving else self


class SpectrumChain(Chain):
    """Given eigenvalues in the cosine basis, which contains the constant vector."""

    exact: ClassVar[str] = "all eigenvalues, as given; pi is uniform"
    family: Annotated[Literal[Family.SPECTRUM], FAMILY] = Family.SPECTRUM
    """Construction of the transition matrix."""
    eigenvalues: Annotated[_Eigenvalues, _FromList, About(symbol="l_k")]
    """The V - 1 eigenvalues beside the 1, by rising frequency of their cosine."""

    @model_validator(mode="before")
    @classmethod
    def _sizes_follow(cls, data: Any) -> Any:
        values = _numbers(data, "eigenvalues")
        if values is None:
            return data
        data = _filled(data, "n_states", len(values) + 1, "one more than there are eigenvalues")
        largest = max(abs(value) for value in values)
        if not 0 < largest < 1:
            reason = f"the largest modulus is {largest:g}"
            raise conflict("eigenvalues", reason, "largest modulus between 0 and 1")
        return _filled(data, "corr_len", -1 / math.log(largest), "-1 / ln of the largest modulus")

    @model_validator(mode="after")
    def _is_stochastic(self) -> Self:
        found = negative_entry(self.eigenvalues)
        if found is not None:
            row, column, value = found
            raise conflict(
                "eigenvalues",
                f"P[{row}, {column}] = {value:.3g} is negative",
                "eigenvalues that leave every entry of P at 0 or more, such as smaller ones",
            )
        return self


class ExplicitChain(Chain):
    """A matrix of one's own."""

    exact: ClassVar[str] = "all that follows from the matrix, computed from it"
    family: Annotated[Literal[Family.EXPLICIT], FAMILY] = Family.EXPLICIT
    """Construction of the transition matrix."""
    matrix: Annotated[_Matrix, _FromList, About(symbol="P")]
    """Row-stochastic: P[i][j] = Pr(next is j | now is i); irreducible and aperiodic."""
    corr_len: Annotated[float | None, About(symbol="xi", unit="tokens", derived=True)] = Field(
        default=None, ge=0, le=MOST_CORR_LEN
    )  # type: ignore[assignment]
    """Correlation length, in tokens: computed from the matrix, leave it out."""

    @model_validator(mode="before")
    @classmethod
    def _size_follows(cls, data: Any) -> Any:
        matrix = data.get("matrix") if isinstance(data, dict) else None
        if not isinstance(matrix, list | tuple) or not 2 <= len(matrix) <= MOST_STATES:
            return data
        return _filled(data, "n_states", len(matrix), "the number of rows")

    @model_validator(mode="after")
    def _is_a_chain(self) -> Self:
        found = defect(self.matrix)
        if found is not None:
            raise conflict("matrix", found.reason, found.allowed)
        return self


CHAINS: tuple[type[Chain], ...] = (
    PottsChain,
    RingChain,
    RandomReversibleChain,
    HierarchicalChain,
    SpectrumChain,
    ExplicitChain,
)
"""The families: whoever adds one lists its class here. The rest follows."""
CHAIN_OF: dict[Family, type[Chain]] = {
    chain.model_fields["family"].default: chain for chain in CHAINS
}


def _family(value: Any) -> str:
    """The tag of a chain section; a section that names no family is the default one."""
    if isinstance(value, dict):
        return str(value.get("family", DEFAULT_FAMILY))
    return str(getattr(value, "family", DEFAULT_FAMILY))


if TYPE_CHECKING:
    ChainSpec = Chain  # a type checker reads no union that is made of a tuple
else:
    _TAGGED = tuple(Annotated[chain, Tag(str(family))] for family, chain in CHAIN_OF.items())
    ChainSpec = Annotated[Union[_TAGGED], Discriminator(_family)]  # noqa: UP007 - of a tuple


def _is_seed(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SEED


def _numbers(data: Any, name: str) -> Sequence[float] | None:
    """A field that is a list of numbers; None if not: the field itself says what is wrong."""
    values = data.get(name) if isinstance(data, dict) else None
    if not isinstance(values, list | tuple) or not values:
        return None
    return values if all(type(value) in {int, float} for value in values) else None


def _filled(data: dict[str, Any], name: str, value: float, what: str) -> dict[str, Any]:
    """The data with a field that follows from others; a float may be given rounded, a count not.

    Raises:
        PydanticCustomError: it is given, as something else.
    """
    given = data.get(name, value)
    counts = type(value) is int
    if isinstance(given, bool) or not isinstance(given, int if counts else int | float):
        return data  # the field says what is wrong
    if abs(given - value) > (0 if counts else CONSISTENT * abs(value)):
        raise conflict(name, f"{given:g} is not {what}", f"{value:.6g}, or leave it out")
    return {**data, name: value}
