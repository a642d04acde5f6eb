"""Telling the workers of runs that are stored."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from rgservice.deps import Parts
from rgstore.upkeep import send

log = logging.getLogger(__name__)

MOST_MESSAGES = 100
"""At once: upkeep sends the others while these are worked off."""


def announce(use: Parts, run_ids: Sequence[int]) -> None:
    """Send messages, after the answer: what is not sent now, a worker's upkeep sends."""
    if not run_ids:
        return
    try:
        with use.database.begin() as session:
            send(session, use.sender, run_ids[:MOST_MESSAGES])
    except SQLAlchemyError as error:
        log.warning("%s runs may not be announced yet: %s", len(run_ids), error)
