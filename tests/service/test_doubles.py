"""100,000 doubles from a trainer to a table on a disk: each is what it was, to the last bit."""

from __future__ import annotations

import io
import math
import socket
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from measured_study import CHAIN
from numpy.typing import NDArray
from people import LOSSES, SPEC

from rgclient import Result
from rgcore.statistics import summarise_runs
from rgstore import measurements
from rgstore.database import Database
from rgstore.records import Quantity, RunRecord, Training
from rgworker.protocol import Finished
from rgworker.wire import Wire

pytestmark = pytest.mark.slow

MANY = 100_000
SEED = 20
NOT_FINITE = [math.nan, math.inf, -math.inf]
LEAST, MOST = 5e-324, 1.7976931348623157e308


def doubles() -> NDArray[np.float64]:
    """Finite ones of every kind: random bits, subnormal ones, neighbours of powers, extremes."""
    rng = np.random.default_rng(SEED)
    bits = rng.integers(0, 2**64, 2 * MANY, dtype=np.uint64)
    subnormal = bits[:MANY] & np.uint64(0x800F_FFFF_FFFF_FFFF)
    powers = np.ldexp(1.0, np.arange(-1074, 1024))
    edges = np.concatenate([powers, np.nextafter(powers, 0.0), np.nextafter(powers, np.inf)])
    tens = np.array([float(f"1e{exponent}") for exponent in range(-323, 309)])
    kinds = [
        np.array([0.0, -0.0, LEAST, -LEAST, MOST, -MOST, 0.1, 1 / 3, 2.0**53, 2.0**53 + 2]),
        edges, -edges, tens, rng.normal(size=20_000), rng.integers(-(2**62), 2**62, 5_000) * 1.0,
        subnormal[:20_000].view(np.float64), bits.view(np.float64),
    ]  # fmt: skip
    found = np.concatenate(kinds)
    finite: NDArray[np.float64] = found[np.isfinite(found)]
    return finite[:MANY]


SENT = doubles()


MEANS = SENT + 0.0
"""Of one run each: a sum that begins at zero has no zero below it. All else is as it was sent."""


def same(values: Any, sent: NDArray[np.float64]) -> bool:
    """Whether these are the doubles, to the last bit."""
    return np.asarray(values, dtype=np.float64).tobytes() == sent.tobytes()


def quantity(name: str, level: str, values: list[float], reasons: Any) -> Quantity:
    shape = [] if len(values) == 1 else [len(values)]
    return Quantity("final", 10, level, name, 64, "plug-in", shape, values, None, reasons)


def over_the_pipe(record: RunRecord) -> RunRecord:
    """What a worker reads of what its trainer says."""
    ours, theirs = socket.socketpair()
    with Wire(ours.detach()) as worker, Wire(theirs.detach()) as trainer:
        saying = threading.Thread(target=trainer.send, args=(Finished(0, record),))
        saying.start()
        heard = worker.receive()
        saying.join()
    assert isinstance(heard, Finished)
    return heard.record


def test_they_arrive_as_they_were(ada: Any, lab: Any, database: Database, tmp_path: Path) -> None:
    asked = ada.submit(**SPEC, seeds=1)
    reasons = {"not_finite": [MANY, MANY + 1, MANY + 2]}
    record = over_the_pipe(
        RunRecord(
            seconds=1.0,
            trained=True,
            training=Training([1], [0.5], []),
            chain=replace(CHAIN, scale_corr_lens=[LEAST, MOST]),
            quantities=[
                quantity("effective_rank", "position", [*SENT.tolist(), *NOT_FINITE], reasons),
                *(quantity(name, "network", [1.0], {}) for name in LOSSES),
            ],
        )
    )
    with database.begin() as session:
        measurements.store(session, lab.claim(), record, summarise_runs)
    result = asked.result()
    for shown in (result, Result.load(result.save(tmp_path / "result.json"))):
        estimate = shown.data.snapshots[0].levels[0].quantities["effective_rank"]
        assert estimate.per_seed is not None
        for values, sent in ((estimate.per_seed["0"], SENT), (estimate.mean, MEANS)):
            assert same(values[:MANY], sent)
            assert values[MANY:] == [None] * len(NOT_FINITE)
        assert estimate.reasons == reasons
        table = shown.to_frame()
        table = table[table["quantity"] == "effective_rank"]
        read = pd.read_csv(io.StringIO(table.to_csv(index=False)))
        for columns in (table, read):
            assert same(columns["mean"][:MANY], MEANS)
            assert columns["mean"][MANY:].isna().all()
    assert result.chain.scale_corr_lens == [LEAST, MOST]
