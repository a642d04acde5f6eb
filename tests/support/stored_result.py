"""Experiments that are measured already, without the minutes that it takes."""

from __future__ import annotations

import json
from typing import Any

from claims import claim_one

from rgcontract import Submission
from rgcore.statistics import summarise_runs
from rgstore import claiming, measurements
from rgstore.database import Database
from rgstore.records import RunRecord
from rgstore.stored_specs import stored_spec
from rgstore.submissions import submit
from rgworker.process import Trainer
from rgworker.protocol import Broken, Finished, Job, Task

QUICK = {
    "training": {"steps": 3},
    "measurement": {"n_sequences": 64, "levels": ["position", "pooled"]},
}


def store_quickly(database: Database, *experiments: dict[str, Any]) -> list[str]:
    """Store experiments as measured; returns their ids.

    A worker's own trainer trains networks of the right shape for three steps and measures them on
    64 sequences, at the two levels that the commands read: the numbers have the form of the real
    ones, not their values.
    """
    trainer = Trainer("cpu")
    try:
        return [_store(database, _submission(fields), trainer) for fields in experiments]
    finally:
        trainer.kill()


def _submission(fields: dict[str, Any]) -> Submission:
    return Submission.model_validate_json(json.dumps(fields))


def _store(database: Database, submission: Submission, trainer: Trainer) -> str:
    """Store one in a single transaction, so that no worker ever sees its runs waiting."""
    stored = stored_spec(submission.spec)
    quick = stored | {name: stored[name] | changes for name, changes in QUICK.items()}
    records = {
        (chain_seed, seed): _measure(trainer, Task(quick, chain_seed, seed, None))
        for chain_seed, seed in submission.runs
    }
    holder = claiming.Holder("test/1", "test", "host", "cpu", {}, {})
    with database.begin() as session:
        submitted = submit(
            session, submission, owner="alice", attempt_limit=3, body_hash="", flops_per_run=1.0
        )
        for _ in records:
            claim = claim_one(session, holder, lease_seconds=60)
            assert claim is not None
            assert claim.experiment_id == submitted.experiment_id, "other runs are waiting"
            record = records[claim.chain_seed, claim.seed]
            measurements.store(session, claim, record, summarise_runs)
    return submitted.experiment_id


def _measure(trainer: Trainer, task: Task) -> RunRecord:
    trainer.start(Job((task,)))
    while not isinstance(event := trainer.listen(60), Finished):
        assert event is not None
        assert not isinstance(event, Broken), event
    return event.record
