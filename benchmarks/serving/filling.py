"""A lab's history, written by the server itself: experiments of small networks, measured."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import product
from typing import Any

from sqlalchemy import Connection, create_engine, insert, text

from benchmarks.serving.records import record_of
from rgcontract import IMPLEMENTED, ExperimentSpec, Submission
from rgstore.records import Quantity
from rgstore.stored_specs import stored_spec
from rgstore.tables import Base

SEEDS = 3
SMALL: dict[str, Any] = {
    "chain": {"n_states": 8},
    "data": {"seq_len": 8},
    "model": {"depth": 4, "width": 8, "context": 1},
    "measurement": {"levels": ["position"]},
}
KEPT = ("effective_rank", "kernel_drift", "loss", "bayes_loss", "excess_loss", "gap_fraction",
        "under_trained", "too_few_samples")  # fmt: skip
"""Quantities of a run that are written: with all of them the fill would take hours."""
FAMILIES = ("potts", "ring", "random_reversible")
MIXINGS = ("context", "flat", "mixer", "window")
DEPTHS = (2, 4, 8, 16)
WIDTHS = (16, 32, 64, 128)
LONGEST = 20.0  # tokens
FAILED = 100  # one experiment in so many has a run that failed
TAGS = 500
OWNERS = 20
LOADED = ("measurements", "summaries")


def fill(database_url: str, n_runs: int) -> int:
    """Store so many runs, oldest experiment first; returns how many experiments they make.

    Keys and foreign keys of the large tables are checked once, at the end.
    """
    n = n_runs // SEEDS
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL synchronous_commit = off"))
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
        _templates(connection)
        for table in LOADED:
            connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT pk_{table}"))
        for statement in (EXPERIMENTS, RUNS, ATTEMPTS, RESULTS, MEASUREMENTS, SUMMARIES):
            connection.execute(text(statement), {"n": n})
        connection.execute(
            text('ALTER TABLE measurements ADD CONSTRAINT pk_measurements '
                 'PRIMARY KEY (run_id, "when", level, quantity)')
        )  # fmt: skip
        connection.execute(
            text('ALTER TABLE summaries ADD CONSTRAINT pk_summaries '
                 'PRIMARY KEY (experiment_id, "when", level, quantity)')
        )  # fmt: skip
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
        connection.execute(text("CHECKPOINT"))
    engine.dispose()
    return n


def _templates(connection: Connection) -> None:
    """A spec for every combination, and the quantities of one run, as temporary tables."""
    connection.execute(text(
        "CREATE TEMP TABLE specs (number int, spec text, family text, mixing text, depth int,"
        " width int) ON COMMIT DROP"
    ))  # fmt: skip
    grid = list(product(FAMILIES, MIXINGS, DEPTHS, WIDTHS))
    rows = [
        {"number": number, "spec": _spec(*cell), "family": cell[0], "mixing": cell[1],
         "depth": cell[2], "width": cell[3]}
        for number, cell in enumerate(grid)
    ]  # fmt: skip
    connection.execute(
        text("INSERT INTO specs VALUES (:number, :spec, :family, :mixing, :depth, :width)"), rows
    )
    measurements = Base.metadata.tables["measurements"]
    connection.execute(text(
        "CREATE TEMP TABLE quantities (LIKE measurements INCLUDING DEFAULTS) ON COMMIT DROP"
    ))  # fmt: skip
    form = measurements.to_metadata(Base.metadata.__class__(), name="quantities")
    connection.execute(insert(form), [{"run_id": 0, **asdict(one)} for one in _quantities()])


def _quantities() -> list[Quantity]:
    spec = Submission.model_validate_json(json.dumps(SMALL)).spec
    return [one for one in record_of(spec).quantities if one.quantity in KEPT]


def _spec(family: str, mixing: str, depth: int, width: int) -> str:
    """As it is stored, with the place of the correlation length marked."""
    asked = {
        "chain": {"family": family, "n_states": 8, "corr_len": MARK},
        "data": {"seq_len": 8},
        "model": {"mixing": mixing, "depth": depth, "width": width}
        | ({"context": 1} if mixing == "context" else {}),
    }
    spec = ExperimentSpec.model_validate_json(json.dumps(asked))
    return json.dumps(stored_spec(spec))


MARK = 3.140625
"""A correlation length that stands for another."""

PROTOCOLS = ", ".join(vars(IMPLEMENTED))
IMPLEMENTS = ", ".join(map(str, vars(IMPLEMENTED).values()))

EXPERIMENTS = f"""
INSERT INTO experiments (id, spec_hash, training_hash, chain_hash, {PROTOCOLS}, spec, family,
    corr_len, mixing, depth, width, flops_per_run, label, tags, priority, owner, state, created_at,
    updated_at, completed_at)
SELECT 'e-' || left(md5(i::text), 16), md5(i::text) || md5('s' || i),
    md5('t' || i) || md5('u' || i), md5('c' || i) || md5('d' || i), {IMPLEMENTS},
    replace(s.spec, '{MARK}', (1 + i % {int(LONGEST) * 100} / 100.0)::text)::json, s.family,
    1 + i % {int(LONGEST) * 100} / 100.0, s.mixing, s.depth, s.width, 1e12, 'sweep ' || i,
    ARRAY['sweep-' || i % {TAGS}, 'kind-' || i % 7], 0, 'user-' || i % {OWNERS},
    CASE WHEN i % {FAILED} = 0 THEN 'failed' ELSE 'done' END,
    now() - (:n - i) * interval '1 minute', now() - (:n - i) * interval '1 minute',
    CASE WHEN i % {FAILED} = 0 THEN NULL ELSE now() - (:n - i) * interval '1 minute' END
FROM generate_series(1, :n) i
JOIN specs s ON s.number = (i * 7919) % (SELECT count(*) FROM specs)
ORDER BY i
"""  # noqa: S608 - constants of this file
RUNS = f"""
INSERT INTO runs (experiment_id, chain_seed, seed, state, priority, attempt, attempt_limit,
    queued_at, sent_at, fraction, step, loss)
SELECT e.id, 0, seed, CASE WHEN e.state = 'failed' AND seed = 2 THEN 'failed' ELSE 'done' END,
    0, 1, 3, e.created_at, e.created_at, 1, 1500, 1.5
FROM experiments e CROSS JOIN generate_series(0, {SEEDS - 1}) seed ORDER BY e.created_at, seed
"""  # noqa: S608
ATTEMPTS = f"""
INSERT INTO attempts (run_id, number, worker, host, device, versions, calibration, {PROTOCOLS},
    started_at, ended_at, outcome)
SELECT id, 1, 'host/1', 'host', 'cpu', '{{"torch": "2"}}', '{{"drift": true}}', {IMPLEMENTS},
    queued_at, queued_at, state FROM runs
"""  # noqa: S608
RESULTS = """
INSERT INTO results (run_id, attempt, measured_at, seconds, curve_steps, curve_losses)
SELECT id, 1, queued_at, 60, (SELECT array_agg(k) FROM generate_series(1, 20) k),
    (SELECT array_agg(1.0 / k) FROM generate_series(1, 20) k)
FROM runs WHERE state = 'done'
"""
MEASUREMENTS = """
INSERT INTO measurements
SELECT r.id, q."when", q.level, q.quantity, q.step, q.n_rows, q.estimator, q.shape, q.values,
    q.half, q.reasons
FROM runs r CROSS JOIN quantities q WHERE r.state = 'done'
"""
SUMMARIES = """
INSERT INTO summaries
SELECT e.id, q."when", q.level, q.quantity, q.step, q.n_rows, q.estimator, q.shape, 3, q.values,
    q.values, q.values, q.values, q.half, q.reasons
FROM experiments e CROSS JOIN quantities q
"""
