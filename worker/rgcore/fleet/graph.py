"""The gradient of a step recorded once and replayed: one launch in place of hundreds."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch.nn import functional

from rgcore.fleet.batches import NO_TARGET, FleetBatch
from rgcore.fleet.gradient import Gradient

Recorder = Callable[[Callable[[], Gradient]], Callable[[], Gradient]]
"""Turns a computation on tensors that stay where they are into its replay."""
SPREAD = 6
"""Standard deviations above the mean at which the number of hidden places is cut off."""
TOLERANCE = 1e-3
"""Of the norm of a member's gradient: far above rounding in float32, far below any mistake."""
WARM_UP = 3


class ReplayedGradient:
    """Gradients out of a recording, once the recording has been seen to be right.

    The first batch is computed plainly and out of the recording; where the two differ, or nothing
    could be recorded, all later ones are computed plainly, after one warning. So are batches with
    more hidden places than the recording has room for.

    Args:
        compute: the plain computation.
        mask_prob: probability that a token is hidden.
        record: see `Recorder`.
    """

    def __init__(
        self, compute: Callable[[FleetBatch], Gradient], mask_prob: float, record: Recorder
    ) -> None:
        self._compute = compute
        self._mask_prob = mask_prob
        self._record: Recorder | None = record
        self._replay: Callable[[], Gradient] | None = None
        self._batch: FleetBatch | None = None

    def __call__(self, batch: FleetBatch) -> Gradient:
        """Losses and gradient of a batch; the next call may overwrite the gradient."""
        if self._record is not None and self._batch is None:
            return self._try(batch, self._record)
        if self._replay is None or not self._fill(batch):
            return self._compute(batch)
        found = self._replay()
        return Gradient(found.losses.clone(), found.of_weights)

    def _try(self, batch: FleetBatch, record: Recorder) -> Gradient:
        plain = self._compute(batch)
        places = batch.inputs[0].numel()
        spread = (places * self._mask_prob * (1 - self._mask_prob)) ** 0.5
        room = min(places, int(places * self._mask_prob + SPREAD * spread) + 1)
        held = _with_room(batch, max(room, batch.rows.shape[1]))
        self._batch, self._record = held, None
        try:
            replay = record(lambda: self._compute(held))
            differs = _differs(replay(), plain)
        except RuntimeError as error:
            self._give_up(f"it could not be recorded: {_first(error)}")
            return plain
        if differs:
            self._give_up("its recording gives another gradient")
        else:
            self._replay = replay
        return plain

    def _give_up(self, reason: str) -> None:
        warnings.warn(
            f"the training step runs without a CUDA graph, more slowly: {reason}",
            RuntimeWarning,
            stacklevel=2,
        )

    def _fill(self, batch: FleetBatch) -> bool:
        """Put a batch where the recording reads it, if there is room."""
        held, rows = self._batch, batch.rows.shape[1]
        assert held is not None
        if rows > held.rows.shape[1]:
            return False
        held.inputs.copy_(batch.inputs)
        held.rows[:, :rows] = batch.rows
        held.rows[:, rows:] = 0
        held.targets[:, :rows] = batch.targets
        held.targets[:, rows:] = NO_TARGET
        held.counts.copy_(batch.counts)
        return True


def record_on_cuda(device: torch.device, compute: Callable[[], Gradient]) -> Callable[[], Gradient]:
    """Record a computation on a device as a CUDA graph.

    Raises:
        RuntimeError: some operation cannot be recorded, or memory is short.
    """
    with torch.cuda.device(device):
        torch.cuda.empty_cache()  # a recording has memory of its own
        here = torch.cuda.current_stream()
        aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(here)
        with torch.cuda.stream(aside):
            for _ in range(WARM_UP):  # what libraries set up on first use cannot be recorded
                compute()
        here.wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph):
                found = compute()
        finally:
            torch.cuda.set_stream(here)  # a recording that fails stays on its own

    def replay() -> Gradient:
        graph.replay()
        return found

    return replay


def _first(error: BaseException) -> BaseException:
    """What went wrong first: the end of a recording that fails raises an error of its own."""
    while error.__context__ is not None:
        error = error.__context__
    return error


def _with_room(batch: FleetBatch, room: int) -> FleetBatch:
    """A copy of a batch with places for `room` rows of each member."""
    more = (0, room - batch.rows.shape[1])
    return FleetBatch(
        inputs=batch.inputs.clone(),
        rows=functional.pad(batch.rows, more),
        targets=functional.pad(batch.targets, more, value=NO_TARGET),
        counts=batch.counts.clone(),
    )


def _differs(one: Gradient, other: Gradient) -> bool:
    """Whether two gradients differ for a member whose gradient is finite."""
    size = torch.linalg.vector_norm(other.of_weights, dim=1)
    apart = torch.linalg.vector_norm(one.of_weights - other.of_weights, dim=1)
    wrong = ~(apart <= TOLERANCE * size) | ~torch.isclose(one.losses, other.losses, rtol=TOLERANCE)
    return bool((wrong & torch.isfinite(size)).any())
