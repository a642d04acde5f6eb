"""Who is in a fleet, and what its members must have in common."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rgcore.chain import Chain
from rgcore.errors import ParameterError
from rgcore.network import ResidualNetwork
from rgcore.training import TrainingPlan

SHARED = ("steps", "batch_size", "mask_prob", "optimizer", "schedule", "momentum")
"""What the plans of a fleet agree in; learning rate, decay and clipping are each member's own."""


class FleetError(ParameterError):
    """These networks cannot be trained as one."""


@dataclass(frozen=True, eq=False)
class Member:
    """One training run of a fleet.

    Attributes:
        network: its initial weights; overwritten in place with the weights as trained.
        chain: law of its sequences.
        plan: its budget.
        seed: of its data.
        stops: numbers of steps done at which to look at the network.
    """

    network: ResidualNetwork
    chain: Chain
    plan: TrainingPlan
    seed: int
    stops: Collection[int] = ()


def check_members(members: Sequence[Member]) -> None:
    """Refuse members that differ in what a fleet shares, or share what is each one's own.

    Raises:
        FleetError: naming the member, counted from 0, and the field.
    """
    owners: dict[int, int] = {}
    for index, member in enumerate(members):
        at = f"members[{index}]"
        for field, own, common in _pairs(member, members[0]):
            if own != common:
                raise FleetError(f"{at}.{field}", own, f"{common!r}, as of the first")
        n_states = member.network.arch.n_states
        if member.chain.n_states != n_states:
            allowed = f"{n_states}, as of its network"
            raise FleetError(f"{at}.chain.n_states", member.chain.n_states, allowed)
        owner = owners.setdefault(id(member.network), index)
        if owner != index:
            reason = f"it is the network of members[{owner}]"
            raise FleetError(f"{at}.network", index, "a network for each member", reason)


def _pairs(member: Member, first: Member) -> list[tuple[str, object, object]]:
    """Field, value and what it should be."""
    weight, common = next(member.network.parameters()), next(first.network.parameters())
    return [
        ("network.arch", member.network.arch, first.network.arch),
        ("network.device", weight.device, common.device),
        ("network.dtype", weight.dtype, common.dtype),
        *(
            (f"plan.{name}", getattr(member.plan, name), getattr(first.plan, name))
            for name in SHARED
        ),
    ]
