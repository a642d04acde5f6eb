"""What a worker and its trainer say to each other arrives as it was, and nothing of it is run."""

from __future__ import annotations

import json
import math
import os
import pickle
import socket
import struct
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

import pytest
from measured_study import CHAIN

from rgstore.heartbeats import TrainingProgress
from rgstore.records import Quantity, RunRecord, Training, Weights
from rgworker.protocol import Advanced, Broken, Finished, Job, Leave, Left, Ready, Task, Unread
from rgworker.wire import UnreadableMessageError, Wire, decoded, encoded

TINY = struct.unpack("<d", b"\x01\0\0\0\0\0\0\0")[0]
NUMBERS = [0.1, -0.0, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1 / 3, TINY]
TRAINING = Training([1, 2], [0.5, 0.25], [Weights(1, bytes(range(256))), Weights(2, b"")])
RECORD = RunRecord(
    seconds=1.0,
    trained=True,
    training=TRAINING,
    chain=replace(CHAIN, scale_corr_lens=[1.0, 2.0]),
    quantities=[
        Quantity("final", 2, "pooled", "cka", 9, "plug-in", [7], NUMBERS, None, {}),
        Quantity("final", 2, "pooled", "loss", 9, "", [], [math.inf], [-math.inf], {"x": [0]}),
    ],
)
MESSAGES: list[Any] = [
    Job((Task({"chain": {"corr_len": 1.0, "n_states": 4, "x": None}}, 1, 2, None),)),
    Job((Task({}, 1, 2, TRAINING), Task({"a": [1e-310, True, "\u202e"]}, 3, 4, None))),
    Leave(frozenset({1, 7})),
    Ready("cpu: x", "cpu", 2**40, {"torch": "2"}, {"drift": True}),
    Advanced({3: TrainingProgress("training", 0.5, 4, None)}),
    Finished(2, RECORD),
    Broken(1, "no\n\x1b[31m", "trace\nback", may_pass=True),
    Unread(0, "a field"),
    Left(5),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_arrives_as_it_was(message: Any) -> None:
    head, *frames = encoded(message)
    assert repr(decoded(head, frames)) == repr(message)


def test_a_number_that_is_none_stays_none() -> None:
    record = replace(RECORD, seconds=math.nan)
    head, *frames = encoded(Finished(0, record))
    assert math.isnan(decoded(head, frames).record.seconds)


@pytest.fixture
def pipe() -> Iterator[tuple[Connection, Wire]]:
    """A pipe with somebody on the other end who says anything."""
    ours, theirs = socket.socketpair()
    other = Connection(theirs.detach())
    with other, Wire(ours.detach()) as wire:
        yield other, wire


class Code:
    """Makes a directory where it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (self.path,)


def test_code_is_not_run(pipe: tuple[Connection, Wire], tmp_path: Any) -> None:
    other, wire = pipe
    made = tmp_path / "made"
    other.send(Code(str(made)))
    with pytest.raises(UnreadableMessageError):
        wire.receive()
    assert not made.exists()
    assert pickle.loads(pickle.dumps(Code(str(made)))) is None  # it would have been
    assert made.exists()


@pytest.mark.parametrize(
    "said",
    [
        b"", b"0", b"0 ", b"x {}", b"-1 {}", b"99999 {}", b"0 {}", b"0 []", b"0 7", b"0 {\"a\": 1",
        b'0 {"kind": "Run", "body": {}}',
        b'0 {"kind": ["Left"], "body": {}}',
        b'0 {"kind": "Left", "body": {}}',
        b'0 {"kind": "Left", "body": {"member": "x"}}',
        b'0 {"kind": "Left", "body": {"member": {"$bytes": 0}}}',
        b'0 {"kind": "Left", "body": {"member": {"$bytes": "x"}}}',
        b'0 {"kind": "Ready", "body": {"device": "x"}}',
        b"0 " + b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused(pipe: tuple[Connection, Wire], said: bytes) -> None:
    other, wire = pipe
    other.send_bytes(said)
    with pytest.raises(UnreadableMessageError):
        wire.receive()


def test_a_message_of_another_shape_says_where(pipe: tuple[Connection, Wire]) -> None:
    head, *_ = encoded(Finished(0, RECORD))
    said = json.loads(head)
    said["body"]["record"]["quantities"][1]["values"] = ["much"]
    other, wire = pipe
    other.send_bytes(b"2 " + json.dumps(said).encode())
    for weights in TRAINING.weights:
        other.send_bytes(weights.data)
    place = r"Finished\.record\.quantities\.1\.values\.0: Input should be a valid number"
    with pytest.raises(UnreadableMessageError, match=place):
        wire.receive()


def test_what_is_newer_may_have_more(pipe: tuple[Connection, Wire]) -> None:
    other, wire = pipe
    other.send_bytes(b'0 {"kind": "Left", "body": {"member": 1, "mood": "good"}}')
    assert wire.receive() == Left(1)
