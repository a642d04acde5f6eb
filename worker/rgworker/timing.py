"""How long a run took beside what a model says of it."""

from __future__ import annotations

from rgcontract import ExperimentSpec
from rgcore.architecture import Architecture
from rgcore.cost import model_name, run_cost
from rgstore.claiming import Claim
from rgstore.records import TORCH, RunRecord
from rgstore.speed import Timing
from rgstore.stored_specs import loaded_spec
from rgworker.protocol import Ready


def claimed_spec(claim: Claim) -> ExperimentSpec:
    """The spec of a run, on the draw of its chain.

    Raises:
        UnreadableSpecError: code of another release stored it.
    """
    return loaded_spec(claim.spec, [claim.seed]).of_draw(claim.chain_seed)


def timing_of(spec: ExperimentSpec, ready: Ready, record: RunRecord) -> Timing:
    """The working time of a run that was trained, and that of one core for as large a fleet."""
    modelled = run_cost(Architecture(**spec.architecture), **spec.budget).modelled(
        fleet=record.fleet
    )
    return Timing(
        backend=_backend(ready, record),
        shape_class=modelled.shape_class,
        model=model_name(),
        fleet=record.fleet,
        modelled_seconds=modelled.seconds,
        seconds=record.seconds,
    )


def _backend(ready: Ready, record: RunRecord) -> str:
    """The device, and what trained on it where that was not torch: their times do not mix."""
    if record.backend is None or record.backend.startswith(TORCH):
        return ready.device
    return f"{ready.device}, {record.backend}"
