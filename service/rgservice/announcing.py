"""Telling the workers of runs that are stored."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from rgservice.deps import Parts
from rgstore.upkeep import mark_sent

log = logging.getLogger(__name__)


def announce(use: Parts, run_ids: Sequence[int]) -> None:
    """Send a message for each run, after the answer: what fails now, a worker's upkeep does."""
    sent = use.sender.send(run_ids)
    if not sent:
        return
    try:
        with use.database.begin() as session:
            mark_sent(session, sent)
    except SQLAlchemyError as error:
        log.warning("%s runs were announced, which is not stored: %s", len(sent), error)
