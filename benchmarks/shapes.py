"""The experiments that are raced: three sizes of mixing `context`.

Written as the core takes them, so that nothing but the core is needed to train them; a test holds
them equal to what a worker makes of `Shape.body`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rgcore.chain import Chain, make_chain
from rgcore.network import Architecture, ResidualNetwork, build_network
from rgcore.training import TrainingPlan, derive_generator

CORR_LEN = 2.0


@dataclass(frozen=True)
class Shape:
    """A size of experiment.

    Attributes:
        name: of the size.
        depth: L.
        width: d.
        n_states: V.
        seq_len: T.
    """

    name: str
    depth: int
    width: int
    n_states: int
    seq_len: int

    def body(self, steps: int) -> dict[str, Any]:
        """The experiment as JSON; what it leaves out is as in the default spec."""
        return {
            "chain": {"n_states": self.n_states, "corr_len": CORR_LEN},
            "data": {"seq_len": self.seq_len},
            "model": {"depth": self.depth, "width": self.width},
            "training": {"steps": steps},
        }

    def problem(self, steps: int) -> Problem:
        """The experiment as the core takes it."""
        return Problem(
            chain=make_chain("random_reversible", self.n_states, CORR_LEN, seed=0),
            arch=Architecture(
                n_states=self.n_states,
                seq_len=self.seq_len,
                mixing="context",
                context=3,
                depth=self.depth,
                width=self.width,
                hidden_ratio=4.0,
                activation="gelu",
                norm="layer",
                residual_scale=1.0,
                init_scale=1.0,
            ),
            plan=TrainingPlan(
                steps=steps,
                batch_size=128,
                mask_prob=0.15,
                optimizer="adamw",
                lr=1e-3,
                schedule="cosine",
                weight_decay=0.01,
                grad_clip=1.0,
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.depth}, {self.width}, {self.n_states}, {self.seq_len})"


SHAPES = {
    "tiny": Shape("tiny", depth=2, width=8, n_states=4, seq_len=8),
    "S": Shape("S", depth=4, width=32, n_states=16, seq_len=32),
    "M": Shape("M", depth=8, width=128, n_states=32, seq_len=64),
    "L": Shape("L", depth=16, width=512, n_states=64, seq_len=128),
}


@dataclass(frozen=True)
class Problem:
    """What every contender trains.

    Attributes:
        chain: law of the sequences.
        arch: of the network.
        plan: the budget.
    """

    chain: Chain
    arch: Architecture
    plan: TrainingPlan

    def network(self, seed: int) -> ResidualNetwork:
        """RGLab's network, as it is before training."""
        return build_network(self.arch, derive_generator(seed, "init"))

    @property
    def masked_rows(self) -> int:
        """Masked tokens of a batch, on average."""
        return round(self.plan.batch_size * self.arch.seq_len * self.plan.mask_prob)
