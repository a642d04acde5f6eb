"""What an experiment is: a Markov chain, a network, a training budget, what to measure, seeds.

Every field has a default, a bound and a unit. Models are frozen and strict (``true`` is not 1.0,
``"7"`` is not 7) and refuse fields they do not know.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

MAX_SEEDS = 64
MAX_SEED = 2**31 - 1
SEEDS_ALLOWED = f"how many (1 to {MAX_SEEDS}), or a list of distinct seeds (0 to {MAX_SEED})"


def conflict(field: str, reason: str, allowed: str) -> PydanticCustomError:
    """A field that is well formed but does not go with the others."""
    context = {"field": field, "reason": reason, "allowed": allowed}
    return PydanticCustomError("field_conflict", "{reason}; allowed: {allowed}", context)


class Section(BaseModel):
    """Base of every part of a spec: frozen, strict, closed, finite."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        allow_inf_nan=False,
        validate_default=True,
        use_attribute_docstrings=True,
    )


class Family(StrEnum):
    """How the transition matrix of the chain is made."""

    POTTS = "potts"
    RANDOM_REVERSIBLE = "random_reversible"


class Mixing(StrEnum):
    """How tokens reach the residual stream of a position."""

    CONTEXT = "context"
    FLAT = "flat"


class Level(StrEnum):
    """Which rows of the residual stream one matrix is made of."""

    POSITION = "position"
    TOKEN = "token"  # noqa: S105 - a token of a sequence, not a secret
    MASKED = "masked"
    POOLED = "pooled"
    SEQUENCE = "sequence"


LEVELS_OF: dict[Mixing, tuple[Level, ...]] = {
    Mixing.CONTEXT: (Level.POSITION, Level.TOKEN, Level.MASKED, Level.POOLED),
    Mixing.FLAT: (Level.SEQUENCE,),
}
"""The levels that exist for each mixing: ``flat`` has one stream per sequence and no positions."""

DEFAULT_FAMILY = Family.RANDOM_REVERSIBLE
DEFAULT_CONTEXT = 3


class _Chain(Section):
    n_states: int = Field(default=16, ge=2, le=256)
    """Number of states V of the chain; also the vocabulary of the network."""
    corr_len: float = Field(default=1.0, ge=0.05, le=1000)
    """Correlation length xi = -1 / ln|l2|, in tokens."""
    seed: int = Field(default=0, ge=0, le=MAX_SEED)
    """Draws the transition matrix of a random family. Not the training seed: that is `seeds`."""


class PottsChain(_Chain):
    """P = l I + (1 - l) / V J with l = exp(-1 / xi)."""

    family: Literal[Family.POTTS] = Family.POTTS
    """Construction of the transition matrix."""


class RandomReversibleChain(_Chain):
    """Symmetric Gamma weights, row-normalised, its second eigenvalue set to exp(-1 / xi)."""

    family: Literal[Family.RANDOM_REVERSIBLE] = Family.RANDOM_REVERSIBLE
    """Construction of the transition matrix."""
    concentration: float = Field(default=1.0, ge=0.05, le=100)
    """Shape of the Gamma law of the weights; small values give sparse, uneven chains."""


def _family(value: Any) -> str:
    """The tag of a chain section; a section that names no family is the default one."""
    if isinstance(value, dict):
        return str(value.get("family", DEFAULT_FAMILY))
    return str(getattr(value, "family", DEFAULT_FAMILY))


ChainSpec = Annotated[
    Annotated[PottsChain, Tag("potts")]
    | Annotated[RandomReversibleChain, Tag("random_reversible")],
    Discriminator(_family),
]
CHAIN_SECTIONS: tuple[type[_Chain], ...] = (PottsChain, RandomReversibleChain)


class DataSpec(Section):
    """The masked-token prediction task."""

    seq_len: int = Field(default=32, ge=2, le=1024)
    """Tokens per sequence, T."""
    mask_prob: float = Field(default=0.15, ge=0.01, le=0.9)
    """Probability that a token is hidden, independently for each."""


class ModelSpec(Section):
    """The pure-MLP residual network."""

    mixing: Mixing = Mixing.CONTEXT
    """How tokens reach a stream: a window around each position, or the whole sequence at once."""
    context: int | None = Field(default=None, ge=0, le=32)
    """Radius c of the window, in tokens (`mixing` context only; 3 if not given)."""
    depth: int = Field(default=8, ge=1, le=64)
    """Number of residual blocks, L; the residual stream is measured at L + 1 places."""
    width: int = Field(default=64, ge=2, le=1024)
    """Dimension d of the residual stream."""
    hidden_ratio: float = Field(default=4.0, ge=0.25, le=8)
    """Hidden units of a block, as a multiple of the width."""
    activation: Literal["relu", "gelu", "tanh", "silu"] = "gelu"
    """Non-linearity f of a block."""
    norm: Literal["none", "layer", "rms"] = "layer"
    """Normalisation N at the entry of a block."""
    residual_scale: float = Field(default=1.0, gt=0, le=10)
    """Factor s of a block's output."""
    init_scale: float = Field(default=1.0, gt=0, le=10)
    """Factor on the standard deviation of the initial weights."""

    @model_validator(mode="before")
    @classmethod
    def _fill_context(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("context") is not None:
            return data
        if data.get("mixing", Mixing.CONTEXT) == Mixing.CONTEXT:
            return {**data, "context": DEFAULT_CONTEXT}
        return data

    @model_validator(mode="after")
    def _context_needs_a_window(self) -> Self:
        if self.mixing is not Mixing.CONTEXT and self.context is not None:
            raise conflict(
                "context",
                f"is the window of mixing 'context' and means nothing for '{self.mixing}'",
                "leave it out",
            )
        return self


class TrainingSpec(Section):
    """The training budget."""

    steps: int = Field(default=1500, ge=1, le=1_000_000)
    """Optimizer steps."""
    batch_size: int = Field(default=128, ge=1, le=8192)
    """Sequences per step."""
    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    """Update rule; sgd has momentum 0.9."""
    lr: float = Field(default=1e-3, ge=1e-7, le=10)
    """Peak learning rate."""
    schedule: Literal["constant", "cosine", "one_cycle"] = "cosine"
    """How the learning rate changes over the steps."""
    weight_decay: float = Field(default=0.01, ge=0, le=1)
    """Decay of the weights per unit of learning rate."""
    grad_clip: float | None = Field(default=1.0, gt=0, le=1e6)
    """Largest norm of the gradient; null for none."""


class MeasurementSpec(Section):
    """What is read off the network, before and after training."""

    n_sequences: int = Field(default=4096, ge=16, le=262_144)
    """Fresh sequences the observables are estimated from."""
    levels: tuple[Level, ...] | None = Field(default=None, min_length=1, max_length=len(Level))
    """Which rows a matrix is made of; all that exist for the mixing if not given."""
    kernel: Literal["linear"] = "linear"
    """Kernel of the layer-by-layer comparison."""
    at: Literal["final"] = "final"
    """When to measure besides the untrained network: after the last step."""


def _which_seeds(value: Any) -> Any:
    """3 means seeds 0, 1, 2; a list is put in order. The field itself checks each seed."""
    if type(value) is int and 1 <= value <= MAX_SEEDS:
        return tuple(range(value))
    if isinstance(value, list | tuple) and value and all(type(seed) is int for seed in value):
        return tuple(sorted(value))
    raise conflict("", "is neither a count nor a list of seeds", SEEDS_ALLOWED)


_Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]
_HowMany = Annotated[int, Field(ge=1, le=MAX_SEEDS)]
_Which = Annotated[list[_Seed], Field(min_length=1, max_length=MAX_SEEDS)]
Seeds = Annotated[
    tuple[_Seed, ...],
    Field(min_length=1, max_length=MAX_SEEDS),
    BeforeValidator(_which_seeds, json_schema_input_type=_HowMany | _Which),
]


class ExperimentSpec(Section):
    """One experiment: what is measured, on what, and with which training seeds."""

    chain: ChainSpec = Field(default_factory=RandomReversibleChain)
    """The Markov chain."""
    data: DataSpec = Field(default_factory=DataSpec)
    """The masked-token prediction task."""
    model: ModelSpec = Field(default_factory=ModelSpec)
    """The network."""
    training: TrainingSpec = Field(default_factory=TrainingSpec)
    """The training budget."""
    measurement: MeasurementSpec = Field(default_factory=MeasurementSpec)
    """What is read off the network."""
    seeds: Seeds = (0, 1, 2)
    """Training seeds: how many (3 means 0, 1, 2) or which ones. One run each."""

    @model_validator(mode="after")
    def _levels_fit_mixing(self) -> Self:
        possible = LEVELS_OF[self.model.mixing]
        asked = self.measurement.levels
        if asked is None:
            filled = self.measurement.model_copy(update={"levels": possible})
        else:
            wrong = [level for level in asked if level not in possible]
            if wrong:
                raise conflict(
                    "measurement.levels",
                    f"{', '.join(wrong)} does not exist for mixing '{self.model.mixing}'",
                    ", ".join(possible),
                )
            in_order = tuple(level for level in possible if level in asked)
            filled = self.measurement.model_copy(update={"levels": in_order})
        object.__setattr__(self, "measurement", filled)
        return self

    @model_validator(mode="after")
    def _seeds_are_distinct(self) -> Self:
        if len(set(self.seeds)) < len(self.seeds):
            raise conflict("seeds", f"{list(self.seeds)} has a seed twice", "distinct seeds")
        return self

    @model_validator(mode="after")
    def _window_fits_sequence(self) -> Self:
        radius = self.model.context
        if radius is not None and 2 * radius + 1 > self.data.seq_len:
            raise conflict(
                "model.context",
                f"a window of 2 x {radius} + 1 tokens has no position with full context in "
                f"data.seq_len = {self.data.seq_len}",
                f"0 to {(self.data.seq_len - 1) // 2}",
            )
        return self


Tagged = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]


class Submission(ExperimentSpec):
    """A spec and how the lab keeps it; the latter never changes what is measured."""

    label: str | None = Field(default=None, min_length=1, max_length=200)
    """A name for people."""
    tags: tuple[Tagged, ...] = Field(default=(), max_length=16)
    """Words to find it by."""
    priority: int = Field(default=0, ge=-10, le=10)
    """Larger goes first."""

    @property
    def spec(self) -> ExperimentSpec:
        """The scientific part alone."""
        return ExperimentSpec.model_construct(
            **{name: getattr(self, name) for name in ExperimentSpec.model_fields}
        )
