"""People who share a lab in process: each with a client of their own, and a worker by hand."""

from __future__ import annotations

from typing import Any

import httpx
from claims import claim_one
from measured_study import numbers_of, store

from rgclient import Client
from rgclient._clock import Clock
from rgcontract import Outcome, State
from rgcontract.roles import Role
from rgstore import claiming, endings
from rgstore.database import Database
from rgstore.people import add_user
from rgstore.tokens import make_token

LOSSES = ("loss", "bayes_loss", "excess_loss", "gap_fraction")
SPEC: dict[str, Any] = {"chain": {"family": "potts", "n_states": 2}, "model": {"depth": 6}}

ENCODED = "content-encoding"
"""Of an answer as it was sent, which a test client has undone."""


class Lab:
    """The API in process and a worker that measures at once, or fails."""

    def __init__(self, api: Any, database: Database) -> None:
        """On a test client without a token."""
        self._api, self._database = api, database
        self._seconds = 0.0

    def person(self, name: str, role: Role | None = None) -> Client:
        """A client of somebody, whose waiting takes no time; a member if no role is given."""
        with self._database.begin() as session:
            if role is not None:
                add_user(session, name, role)
            token = make_token(session, name)
        clock = Clock(sleep=self._sleep, now=lambda: self._seconds, jitter=lambda most: most)
        return Client("http://lab", token, transport=httpx.MockTransport(self._ask), clock=clock)

    def work(self, *, kind: str = "cpu", failing: frozenset[int] | set[int] = frozenset()) -> None:
        """Measure all that a worker of this kind may take; these seeds diverge."""
        while (claim := self.claim(kind)) is not None:
            if claim.seed in failing:
                with self._database.begin() as session:
                    endings.fail(session, claim, outcome=Outcome.FAILED, error="the loss diverged")
            else:
                self.measure(claim)

    def claim(self, kind: str = "cpu") -> claiming.Claim | None:
        """The next run that a worker of this kind takes."""
        holder = claiming.Holder("w/1", "w", "host", kind, {}, {}, kind)
        with self._database.begin() as session:
            return claim_one(session, holder, lease_seconds=60)

    def measure(self, claim: claiming.Claim) -> None:
        """Store the numbers of a run."""
        losses = {
            (when, "network", name): [1.0 + claim.seed]
            for when in ("initial", "final")
            for name in LOSSES
        }
        store(self._database, claim, numbers_of(claim) | losses)

    def let_go(self, claim: claiming.Claim) -> State:
        """Stop a run as its worker does when it hears that nobody wants it."""
        with self._database.begin() as session:
            return endings.let_go(session, claim)

    def _sleep(self, seconds: float) -> None:
        self._seconds += seconds

    def _ask(self, request: httpx.Request) -> httpx.Response:
        answer = self._api.request(
            request.method,
            request.url.raw_path.decode(),
            content=request.content,
            headers={
                name: request.headers[name]
                for name in ("authorization", "content-type", "idempotency-key")
                if name in request.headers
            },
        )
        headers = [(name, value) for name, value in answer.headers.items() if name != ENCODED]
        return httpx.Response(answer.status_code, headers=headers, content=answer.content)
