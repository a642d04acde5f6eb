"""A client of a lab: of one that runs already, or of one that is started for the occasion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rgclient import Client
from rgcontract.credentials import FILE_NAME as CREDENTIALS
from rgcontract.credentials import read_credentials
from rglab.cli.console import say
from rglab.embedded.lab import AlreadyRunningError, LabError, running_lab
from rgstore.settings import Settings

Check = Callable[[], None]
"""Raises `LabError` if a part of a lab of our own has ended."""


@contextmanager
def lab_client() -> Iterator[tuple[Client, Check]]:
    """A client of a lab of our own, or of the one that is already running on the data.

    Raises:
        LabError: a part did not start.
    """
    settings = Settings(port=0)
    try:
        with running_lab(settings, say) as lab, Client(lab.url, lab.token) as client:
            yield client, lab.check
    except AlreadyRunningError:
        say("a lab is already running on this data: using it")
        known = read_credentials(settings.data_dir / CREDENTIALS)
        if known is None:
            raise LabError("it is still starting: try again in a moment") from None
        with Client(known.url, known.token) as client:
            yield client, lambda: None
