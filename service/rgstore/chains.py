"""What is known exactly of the chains that were measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from rgcontract import chain_hash
from rgstore import aliases
from rgstore.among import among
from rgstore.copying import as_it_comes
from rgstore.stored_specs import loaded_spec
from rgstore.tables import (
    ChainRow,
    ExperimentRow,
)


def hash_of_draw(stored: dict[str, Any], chain_seed: int) -> str:
    """Hash of one draw of the chain of a stored spec."""
    return chain_hash(loaded_spec(stored, [0]).chain.draw(chain_seed))


def chains_of(session: Session, experiment: ExperimentRow, draws: Sequence[int]) -> list[ChainRow]:
    """What is known of the chains of an experiment that have been measured, in this order.

    But for their matrices: `transition_of` reads one.
    """
    spec = loaded_spec(experiment.spec, [0])
    hashes = [chain_hash(spec.chain.draw(draw)) for draw in draws]
    before = aliases.of(session, hashes)
    names = {key: [key, *before.get(key, [])] for key in hashes}
    rows = session.scalars(
        select(ChainRow)
        .where(
            among(ChainRow.chain_hash, {name for these in names.values() for name in these}),
            ChainRow.seq_len == spec.data.seq_len,
        )
        .options(defer(ChainRow.transition, raiseload=True))
    )
    known = {row.chain_hash: row for row in rows}
    found = ([known[name] for name in names[key] if name in known] for key in hashes)
    return [rows[0] for rows in found if rows]


def transition_of(session: Session, chain: ChainRow) -> list[float]:
    """The matrix of a chain, row by row."""
    matrix = as_it_comes(ChainRow.transition)
    key = ChainRow.chain_hash == chain.chain_hash, ChainRow.seq_len == chain.seq_len
    found: list[float] = session.execute(select(matrix).where(*key)).scalar_one()
    return found
