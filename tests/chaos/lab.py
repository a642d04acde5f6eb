"""A lab of its own processes, of which a scenario may end any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from lab_processes import Lab

from migrations import upgrade
from rgcontract.roles import Role
from rglab.embedded.postgres import EmbeddedPostgres
from rgstore import people
from rgstore.audit import OPERATOR
from rgstore.database import Database
from rgstore.settings import Settings
from rgstore.tokens import make_token


class ChaosLab(Lab):
    """Servers of `lab_processes.Lab`, and Postgres beside them."""

    def __init__(self, directory: Path, postgres: EmbeddedPostgres) -> None:
        self.postgres = postgres
        super().__init__(directory, postgres.url, servers=1)
        self.url, self.server = self.urls[0], self.children[-1]
        self.database = Database(Settings(database_url=postgres.url).database)

    def token(self, user: str, role: Role = Role.MEMBER) -> str:
        """A token of somebody, who is there from now on."""
        with self.database.begin() as session:
            people.ensure_user(session, user)
            people.change_user(session, user, role=role, disabled=False, by=OPERATOR)
            return make_token(session, user)


@contextmanager
def chaos_lab(directory: Path) -> Iterator[ChaosLab]:
    """A lab in an empty directory; everything is stopped at the end."""
    postgres = EmbeddedPostgres(directory / "pg")
    try:
        upgrade(Settings(database_url=postgres.url).database)
        lab = ChaosLab(directory, postgres)
        try:
            yield lab
        finally:
            lab.stop()
            lab.database.dispose()
    finally:
        postgres.stop()


def resident_bytes(pid: int) -> int:
    """What a process holds in memory."""
    return int(psutil.Process(pid).memory_info().rss)
