"""What an experiment is: a Markov chain, a network, a training budget, what to measure, seeds.

Every field has a default, a bound and a unit. Models are frozen and strict (``true`` is not 1.0,
``"7"`` is not 7) and refuse fields they do not know.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from rgcontract.about import FIRST, About, Decides
from rgcontract.chains import ChainSpec, RandomReversibleChain
from rgcontract.forms import in_full, newest
from rgcontract.networks import (
    LEVELS_OF,
    Activation,
    Kernel,
    Level,
    Mixing,
    Norm,
    Optimizer,
    Schedule,
    has_window,
)
from rgcontract.observables import measured_at
from rgcontract.section import Section, Seed, Seeds, conflict

Depth = Annotated[int, Field(ge=1, le=64)]
Width = Annotated[int, Field(ge=2, le=1024)]
Priority = Annotated[int, Field(ge=-10, le=10)]
"""Larger goes first."""
TAG = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$"
Tag = Annotated[str, StringConstraints(pattern=TAG)]

DEFAULT_CONTEXT = 3
LEAST_FACTOR = 1e-300
"""Of what networks are multiplied by: near 2e-308 float64 loses digits, and trainers read 0."""
LOG_SNAPSHOTS = 8
"""Log-spaced moments before the last one at `at` "log"."""


class DataSpec(Section):
    """The masked-token prediction task."""

    seq_len: Annotated[int, About(symbol="T", unit="tokens")] = Field(default=32, ge=2, le=1024)
    """Tokens per sequence, T."""
    mask_prob: float = Field(default=0.15, ge=0.01, le=0.9)
    """Probability that a token is hidden, independently for each."""


class ModelSpec(Section):
    """The pure-MLP residual network."""

    mixing: Mixing = Mixing.CONTEXT
    """How tokens reach a stream. `context`: a window around each position, once. `flat`: the whole
    sequence in one stream. `mixer`: a token-mixing MLP in every block. `window`: every block reads
    the streams at t - 1, t and t + 1."""
    context: Annotated[int | None, About(symbol="c", unit="tokens")] = Field(
        default=None, ge=0, le=32
    )
    """Radius c of the window, in tokens (`mixing` context only; 3 if not given)."""
    depth: Annotated[Depth, About(symbol="L", unit="blocks")] = 8
    """Number of residual blocks, L; the residual stream is measured at L + 1 places."""
    width: Annotated[Width, About(symbol="d", unit="channels")] = 64
    """Dimension d of the residual stream."""
    hidden_ratio: float = Field(default=4.0, ge=0.25, le=8)
    """Hidden units of a block, as a multiple of the width."""
    activation: Annotated[Activation, About(symbol="f")] = "gelu"
    """Non-linearity f of a block."""
    norm: Annotated[Norm, About(symbol="N")] = "layer"
    """Normalisation N at the entry of a block."""
    residual_scale: Annotated[float, About(symbol="s")] = Field(default=1.0, gt=0, le=10)
    """Factor s of a block's output; 1e-300 or more."""
    init_scale: float = Field(default=1.0, gt=0, le=10)
    """Factor on the standard deviation of the initial weights; 1e-300 or more."""

    @model_validator(mode="before")
    @classmethod
    def _fill_context(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("context") is not None:
            return data
        if has_window(data.get("mixing", Mixing.CONTEXT)):
            return {**data, "context": DEFAULT_CONTEXT}
        return data

    @model_validator(mode="after")
    def _context_needs_a_window(self) -> Self:
        if not has_window(self.mixing) and self.context is not None:
            raise conflict(
                "context",
                f"is the window of mixing 'context' and means nothing for '{self.mixing}'",
                "leave it out",
            )
        return self


class TrainingSpec(Section):
    """The training budget."""

    steps: Annotated[int, About(unit="steps")] = Field(default=1500, ge=1, le=1_000_000)
    """Optimizer steps."""
    batch_size: Annotated[int, About(unit="sequences")] = Field(default=128, ge=1, le=8192)
    """Sequences per step."""
    optimizer: Optimizer = "adamw"
    """Update rule; sgd has momentum 0.9."""
    lr: Annotated[float, About(own=True)] = Field(default=1e-3, ge=1e-7, le=10)
    """Peak learning rate."""
    schedule: Schedule = "cosine"
    """How the learning rate changes over the steps."""
    weight_decay: Annotated[float, About(own=True)] = Field(default=0.01, ge=0, le=1)
    """Decay of the weights per unit of learning rate."""
    grad_clip: Annotated[float | None, About(own=True)] = Field(default=1.0, gt=0, le=1e6)
    """Largest norm of the gradient, 1e-300 or more; null for none."""


class MeasurementSpec(Section):
    """What is read off the network, before and after training."""

    n_sequences: Annotated[int, About(symbol="n", unit="sequences")] = Field(
        default=4096, ge=16, le=262_144
    )
    """Fresh sequences the observables are estimated from."""
    levels: tuple[Level, ...] | None = Field(default=None, min_length=1, max_length=len(Level))
    """Which rows a matrix is made of; all that exist for the mixing if not given."""
    kernel: Kernel = "linear"
    """Kernel of the layer-by-layer comparison."""
    at: Literal["final", "log"] = "final"
    """When to measure besides the untrained network: after the last step, or also along training,
    at log-spaced steps."""

    def moments(self, steps: int) -> tuple[int, ...]:
        """The steps after which is measured, the last one included, 0 not."""
        if self.at == "final":
            return (steps,)
        return tuple(
            sorted({round(steps ** (k / LOG_SNAPSHOTS)) for k in range(LOG_SNAPSHOTS + 1)})
        )


class Parts(Section):
    """The parts of an experiment, in whatever form they are written."""

    chain: Annotated[ChainSpec, About(decides=Decides.WEIGHTS, own=True)] = Field(
        default_factory=RandomReversibleChain
    )
    """The Markov chain."""
    data: Annotated[DataSpec, About(decides=Decides.WEIGHTS)] = Field(default_factory=DataSpec)
    """The masked-token prediction task."""
    model: Annotated[ModelSpec, About(decides=Decides.WEIGHTS)] = Field(default_factory=ModelSpec)
    """The network."""
    training: Annotated[TrainingSpec, About(decides=Decides.WEIGHTS)] = Field(
        default_factory=TrainingSpec
    )
    """The training budget."""
    measurement: Annotated[MeasurementSpec, About(decides=Decides.NUMBERS)] = Field(
        default_factory=MeasurementSpec
    )
    """What is read off the network."""
    seeds: Annotated[Seeds, About(decides=Decides.NOTHING)] = (0, 1, 2)
    """Training seeds: how many (3 means 0, 1, 2) or which ones. One run each."""


SCHEMA = newest(Parts)
"""The newest form of a spec: the one with which the last of its fields, or values, came."""


def _known(form: int) -> int:
    if form > SCHEMA:
        raise conflict(
            "",
            f"{form} is a form of a newer release; the newest that is read here is {SCHEMA}",
            f"{FIRST} to {SCHEMA}, or leave it out",
        )
    return form


Form = Annotated[
    int,
    Field(ge=FIRST, json_schema_extra={"maximum": SCHEMA}),
    AfterValidator(_known),
    About(decides=Decides.NOTHING),
]


class ExperimentSpec(Parts):
    """One experiment: what is measured, on what, and with which training seeds."""

    form: Form = Field(default=SCHEMA, alias="schema")
    """The form in which the spec is written; the newest if not given. Fields that came later, and
    are not given, have the value under which all is as it was before them."""

    @model_validator(mode="after")
    def _is_read_into_the_newest_form(self) -> Self:
        for name, value in in_full(self, self.form):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "form", SCHEMA)
        return self

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

    @property
    def runs(self) -> tuple[tuple[int, int], ...]:
        """(chain seed, training seed) of every run: all training seeds on every chain."""
        return tuple((draw, seed) for draw in self.chain.draws for seed in self.seeds)

    @property
    def n_runs(self) -> int:
        """How many there are of these, none of which is made."""
        return len(self.chain.draws) * len(self.seeds)

    @property
    def architecture(self) -> dict[str, Any]:
        """The network by the names of its sizes and choices, as plain values."""
        plain = self.model.model_dump(mode="json")
        sizes = {"n_states": self.chain.n_states, "seq_len": self.data.seq_len}
        return {**sizes, **plain, "context": self.model.context or 0}

    @property
    def budget(self) -> dict[str, Any]:
        """How much of a run there is beside its network, by the names of its sizes."""
        measurement, steps = self.measurement, self.training.steps
        levels = frozenset(map(str, measurement.levels or ()))
        return {
            "steps": steps,
            "batch_size": self.training.batch_size,
            "mask_prob": self.data.mask_prob,
            "n_sequences": measurement.n_sequences,
            "levels": levels,
            "arrays": [row.axes for row in measured_at(levels, self.model.mixing)],
            "moments": len(measurement.moments(steps)),
        }

    def of_draw(self, chain_seed: int) -> Self:
        """The same on the chain of one seed."""
        return self.model_copy(update={"chain": self.chain.draw(chain_seed)})


class StoredSpec(ExperimentSpec):
    """A spec as the lab has it: with the seeds of all who asked, however many those are."""

    seeds: Annotated[tuple[Seed, ...], About(decides=Decides.NOTHING)] = Field(min_length=1)
    """Training seeds, one run each on every chain."""
    form: Annotated[int, About(decides=Decides.NOTHING)] = Field(
        default=FIRST, alias="schema", ge=FIRST
    )
    """The form in which it is written. What is kept says none: it has the fields that are used."""


Device = Literal["any", "cpu", "cuda"]
"""Kind of device that a run is meant for."""
DEVICES: tuple[Device, ...] = get_args(Device)


class Submission(ExperimentSpec):
    """A spec and how the lab keeps it; the latter never changes what is measured."""

    label: str | None = Field(default=None, min_length=1, max_length=200)
    """A name for people."""
    tags: tuple[Tag, ...] = Field(default=(), max_length=16)
    """Words to find it by."""
    priority: Priority = 0
    """Larger goes first."""
    device: Device = "any"
    """Kind of device to train on; `any` takes the first worker that is free."""

    @model_validator(mode="after")
    def _is_no_zero_to_a_trainer(self) -> Self:
        """Only of what is sent: a stored spec is read as it is."""
        factors = {
            "model.residual_scale": self.model.residual_scale,
            "model.init_scale": self.model.init_scale,
            "training.grad_clip": self.training.grad_clip,
        }
        for path, value in factors.items():
            if value is not None and value < LEAST_FACTOR:
                raise conflict(
                    path,
                    f"{value!r} is 0 in the arithmetic in which networks are trained",
                    f"{LEAST_FACTOR:g} (LEAST_FACTOR) or more",
                )
        return self

    @property
    def spec(self) -> ExperimentSpec:
        """The scientific part alone."""
        return ExperimentSpec.model_construct(
            **{name: getattr(self, name) for name in ExperimentSpec.model_fields}
        )
