"""What a whole run costs: measured untrained, trained, measured again, measured without memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from rgcore.architecture import Architecture
from rgcore.cost.counting import (
    measuring_counts,
    reference_counts,
    start_counts,
    training_counts,
)
from rgcore.cost.measuring import (
    chain_numbers,
    measured_numbers,
    measurement_bytes,
    measurement_flops,
)
from rgcore.cost.parameters import parameter_count
from rgcore.cost.passes import BLOCK_SEQUENCES, NUMBER
from rgcore.cost.prices import ONE_CORE
from rgcore.cost.training import FLOAT, training_bytes, training_flops
from rgcore.cost.work import Counts, Modelled, added, modelled, times

PROCESS_BYTES = 280 * 2**20
"""A process with torch that has done nothing yet."""
BLOCK_COPIES = 16
"""Numbers held for each token of a block while its Bayes losses are worked out."""
KEPT_PER_QUANTITY = 320
"""Bytes of a quantity, or a chain, beside its numbers: its row, its keys in the index, reasons."""
VALUES_AND_HALVES = 2
CHAINS = 2
"""The chain, and the same without memory."""


@dataclass(frozen=True)
class RunCost:
    """The cost of one run.

    Attributes:
        parameters: trainable numbers of the network.
        flops: floating-point operations of its matrix products and decompositions.
        memory_bytes: expected peak of the process that does it.
        stored_bytes: what it adds to the database.
        chain_bytes: what the first run on a draw of its chain adds besides.
        counts: units of work in it, see `UNITS`.
        counts_of_a_measurement: those of each time that it is measured.
    """

    parameters: int
    flops: float
    memory_bytes: int
    stored_bytes: int
    chain_bytes: int
    counts: Counts
    counts_of_a_measurement: Counts

    @property
    def measuring_share(self) -> float:
        """Part of its time that one of its measurements takes."""
        once = modelled(self.counts_of_a_measurement, ONE_CORE).seconds
        return once / self.modelled().seconds

    def modelled(self, *, fleet: int = 1) -> Modelled:
        """The working time on one core of a run by itself, or its part of a fleet's.

        Args:
            fleet: members that are trained together.
        """
        return modelled(self.counts, ONE_CORE, fleet=fleet)


def run_cost(
    arch: Architecture,
    *,
    steps: int,
    batch_size: int,
    mask_prob: float,
    n_sequences: int,
    levels: Set[str],
    arrays: Iterable[Sequence[str]],
    moments: int,
) -> RunCost:
    """The cost of one run.

    Args:
        arch: of the network.
        steps: of the training.
        batch_size: sequences per step.
        mask_prob: probability that a token is hidden.
        n_sequences: that a measurement reads.
        levels: of the measurement.
        arrays: that it finds, see `measured_numbers`.
        moments: how often is measured along the training, the end included; besides there are the
            untrained network and the chain without memory.
    """
    parameters = parameter_count(arch)
    measuring = measurement_bytes(arch, n_sequences=n_sequences, mask_prob=mask_prob, levels=levels)
    a_measurement = measurement_flops(
        arch, n_sequences=n_sequences, mask_prob=mask_prob, levels=levels
    )
    reference = NUMBER * BLOCK_COPIES * min(n_sequences, BLOCK_SEQUENCES) * arch.seq_len
    training = training_bytes(arch, batch_size=batch_size, mask_prob=mask_prob)
    weights = moments * FLOAT * parameters
    measured = moments + 2
    quantities, numbers = measured_numbers(arch, arrays)
    of_measurement = KEPT_PER_QUANTITY * quantities + NUMBER * VALUES_AND_HALVES * numbers
    counted = measuring_counts(arch, n_sequences=n_sequences, mask_prob=mask_prob, levels=levels)
    counts = added(
        start_counts(arch, numbers=measured * numbers),
        training_counts(arch, steps=steps, batch_size=batch_size, mask_prob=mask_prob),
        times(CHAINS, reference_counts(arch, n_sequences=n_sequences, mask_prob=mask_prob)),
        times(measured, counted),
    )
    return RunCost(
        parameters=parameters,
        flops=training_flops(arch, steps=steps, batch_size=batch_size, mask_prob=mask_prob)
        + measured * a_measurement,
        memory_bytes=PROCESS_BYTES
        + training
        + measuring
        + reference
        + weights
        + FLOAT * parameters,
        stored_bytes=weights + measured * of_measurement,
        chain_bytes=KEPT_PER_QUANTITY + NUMBER * chain_numbers(arch),
        counts=counts,
        counts_of_a_measurement=counted,
    )
