"""What trains a fleet, and that its members' attempts tell it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from lab_processes import TINY

from rgcore.fleet import Member
from rgcore.fleet.lockstep import Batched, Lockstep, fleet_stream
from rgworker.backends import Backends
from rgworker.fleet import Fleet
from rgworker.protocol import Broken, Event, Finished, Job, Task


class Other:
    """A backend that takes mixing `context` and trains as torch's fleets do."""

    name, detail = "other", "1.0"

    def __init__(self, room: int = 8) -> None:
        self.room = room
        self.sizes: list[int] = []

    def refuses(self, members: Sequence[Member]) -> str | None:
        mixing = members[0].network.arch.mixing
        return None if mixing == "context" else f"mixing {mixing}"

    def start(self, members: Sequence[Member], seq_len: int) -> Lockstep:
        self.sizes.append(len(members))
        if len(members) > self.room:
            raise MemoryError("no room")
        return Batched(members, fleet_stream(members, seq_len), None)


def ends(backends: Backends, *mixings: str) -> list[Any]:
    """The last words about a member of each of these mixings, a job for each."""
    found: list[Event] = []
    for mixing in mixings:
        context = {"context": 1} if mixing == "context" else {}
        model = {"depth": 2, "width": 8, "hidden_ratio": 1.0}
        spec = {**TINY, "model": {**model, **context, "mixing": mixing}}
        job = Job((Task(spec, 0, 0, None), Task(spec, 0, 1, None)))
        Fleet(
            job,
            torch.device("cpu"),
            tell=found.append,
            asked_to_leave=lambda: (),
            backends=backends,
        ).see_through()
    return [event for event in found if isinstance(event, Finished | Broken)]


def test_a_backend_trains_what_it_takes_and_torch_the_rest() -> None:
    other = Other()
    said = [end.record.backend for end in ends(Backends(other), "context", "flat")]
    assert said == ["other 1.0", "other 1.0", "torch: mixing flat", "torch: mixing flat"]
    assert other.sizes == [2]


def test_without_one_torch_trains_and_says_why() -> None:
    said = [
        end.record.backend
        for backends in (Backends(), Backends(None, "no compiler"))
        for end in ends(backends, "context")
    ]
    assert said == ["torch", "torch", "torch: no compiler", "torch: no compiler"]


def test_too_little_memory_ends_as_with_torch() -> None:
    other = Other(room=1)
    assert [type(end) for end in ends(Backends(other), "context")] == [Finished, Finished]
    assert other.sizes == [2, 1, 1]
    failed = ends(Backends(Other(room=0)), "context")
    assert [(end.error, end.may_pass) for end in failed] == [("out of memory: no room", True)] * 2


@pytest.mark.parametrize(("wanted", "first"), [("torch", False), ("native", True)])
def test_kernels_train_where_they_are_asked_for(wanted: str, first: bool) -> None:
    backends = Backends.of(wanted)
    if first and backends.why_not:
        pytest.skip(backends.why_not)
    assert (backends.first is not None) is first
    assert backends.words.startswith(wanted)


def test_where_there_are_no_kernels_torch_is_what_there_is(monkeypatch: Any) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    backends = Backends.of("native")
    assert backends.first is None
    assert backends.words.startswith("torch: CC=no-such-compiler does not run; install gcc")
