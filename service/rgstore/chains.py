"""What is known exactly of the chains that were measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rgcontract import chain_hash
from rgstore import aliases
from rgstore.among import among
from rgstore.stored_specs import loaded_spec
from rgstore.tables import (
    ChainRow,
    ExperimentRow,
)


def hash_of_draw(stored: dict[str, Any], chain_seed: int) -> str:
    """Hash of one draw of the chain of a stored spec."""
    return chain_hash(loaded_spec(stored, [0]).chain.draw(chain_seed))


def chains_of(session: Session, experiment: ExperimentRow, draws: Sequence[int]) -> list[ChainRow]:
    """What is known of the chains of an experiment that have been measured, in this order."""
    spec = loaded_spec(experiment.spec, [0])
    hashes = [chain_hash(spec.chain.draw(draw)) for draw in draws]
    before = aliases.of(session, hashes)
    names = {key: [key, *before.get(key, [])] for key in hashes}
    rows = session.scalars(
        select(ChainRow).where(
            among(ChainRow.chain_hash, {name for these in names.values() for name in these}),
            ChainRow.seq_len == spec.data.seq_len,
        )
    )
    known = {row.chain_hash: row for row in rows}
    found = ([known[name] for name in names[key] if name in known] for key in hashes)
    return [rows[0] for rows in found if rows]
