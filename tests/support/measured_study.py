"""Studies whose runs are measured without training: numbers of known form are stored as theirs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
from claims import claim_one
from sqlalchemy.orm import Session

from rgcontract import Study, StudyRequest
from rgcore.statistics import summarise_runs
from rgservice.experiments.submitting import submit
from rgservice.http.deps import Parts
from rgservice.studies.asking import grid_of
from rgstore import claiming, judging, measurements
from rgstore.claiming import Claim
from rgstore.database import Database
from rgstore.records import ChainRecord, Quantity, RunRecord, Training
from rgstore.settings import Settings
from rgstore.tokens import caller_of, make_token

CHAIN = ChainRecord(
    seed=0, seq_len=32, family="potts", n_states=2, corr_len=1.0, reversible=True,
    scale_corr_lens=None, mutual_information=[0.1], entropy_rate=0.5, unigram_entropy=0.6,
    eigenvalues_real=[1.0, 0.3], eigenvalues_imag=[0.0, 0.0], stationary=[0.5, 0.5],
    transition=[0.5] * 4,
)  # fmt: skip
DEPTH = 6
GRID: dict[str, Any] = {"chain": {"corr_len": [1, 7]}, "model": {"depth": DEPTH}, "seeds": 3}

Key = tuple[str, str, str]
Numbers = Mapping[Key, list[float]]


def ask(database: Database, owner: str = "alice", **fields: Any) -> str:
    """Store a study; its name."""
    settings = Settings()
    request = StudyRequest.model_validate_json(json.dumps(fields))
    with database.begin() as session:
        caller = caller_of(session, make_token(session, owner))
    study = submit(Parts(settings, database), grid_of(request, settings), caller).body
    return cast("Study", study).id


def numbers_of(claim: Claim) -> dict[Key, list[float]]:
    """Ranks that fall to 0.6 at short correlation lengths and not at all at long ones.

    Three quarters of the drift lie in one transition. Pooled, no rank falls.
    """
    spec = claim.spec
    rng = np.random.default_rng([claim.seed, claim.chain_seed, round(spec["chain"]["corr_len"])])
    depth = spec["model"]["depth"]
    layers = np.linspace(0.0, 1.0, depth + 1)
    short = spec["chain"]["corr_len"] < 4
    level = "sequence" if spec["model"]["mixing"] == "flat" else "position"
    noise = 1.0 + rng.normal(0.0, 0.01)
    trained = 20.0 * (1.0 - (0.4 if short else 0.0) * layers * noise)
    drift = np.full(depth, 0.25 / (depth - 1))
    drift[depth // 2] = 0.75 * noise
    found: dict[Key, list[float]] = {("final", "network", "under_trained"): [0.0]}
    for at, ranks in ((level, trained), ("pooled", np.full(depth + 1, 8.0))):
        if at == "pooled" and level == "sequence":
            continue
        wobble = 1.0 + rng.normal(0.0, 1e-4, (2, depth + 1))
        found |= {
            ("final", at, "effective_rank"): (ranks * wobble[0]).tolist(),
            ("initial", at, "effective_rank"): (20.0 * wobble[1]).tolist(),
            ("final", at, "kernel_drift"): drift.tolist(),
            ("initial", at, "kernel_drift"): [0.01] * depth,
            ("final", at, "too_few_samples"): [0.0],
        }
    return found


def measure(
    database: Database,
    numbers: Callable[[Claim], Numbers] = numbers_of,
    *,
    most: float = math.inf,
) -> list[Claim]:
    """Store numbers for the queued runs, in the order of the line; the runs."""
    done: list[Claim] = []
    while len(done) < most:
        with database.begin() as session:
            holder = claiming.Holder("w/1", "w", "host", "cpu", {}, {})
            claim = claim_one(session, holder, lease_seconds=60)
        if claim is None:
            break
        store(database, claim, numbers(claim))
        done.append(claim)
    return done


def store(database: Database, claim: Claim, numbers: Numbers) -> None:
    """Store the numbers of one run as its worker would."""
    with database.begin() as session:
        store_in(session, claim, numbers)


def store_in(session: Session, claim: Claim, numbers: Numbers) -> None:
    """The same in a transaction that goes on."""
    record = RunRecord(
        seconds=1.0,
        trained=True,
        training=Training([1], [0.5], []),
        chain=CHAIN,
        quantities=_quantities(numbers),
    )
    measurements.store(session, claim, record, summarise_runs)
    judging.mark_due(session, claim.experiment_id, claim.seed)


def _quantities(numbers: Numbers) -> list[Quantity]:
    return [
        Quantity(
            when=when,
            step=0 if when == "initial" else 10,
            level=level,
            quantity=name,
            n_rows=64,
            estimator="plug-in",
            shape=[] if len(values) == 1 else [len(values)],
            values=values,
            half=None,
            reasons={},
        )
        for (when, level, name), values in numbers.items()
    ]
