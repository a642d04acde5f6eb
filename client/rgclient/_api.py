"""What the REST surface of a server offers: one method for each thing that can be asked of it."""

from __future__ import annotations

import json
import uuid
from itertools import islice
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel

from rgclient._arguments import identifier, page_size
from rgclient._backoff import ATTEMPTS
from rgclient._clock import Clock
from rgclient._connection import Connection
from rgclient._errors import Conflict, ResponseError
from rgclient._findings import Findings
from rgclient._result import Result
from rgclient._seeds import query, which
from rgclient._settings import find_credentials
from rgclient._source import Source
from rgclient._updates import changed
from rgcontract import ChainFacts, Code, Experiment, State, Study
from rgcontract import Findings as FindingsData
from rgcontract import Result as Data
from rgcontract.arrays import Arrays
from rgcontract.audit import AuditEntry, AuditPage
from rgcontract.schema import Schema
from rgcontract.status import View
from rgcontract.updates import ExperimentUpdate, StudyUpdate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from types import TracebackType

    from rgcontract.updates import Update

TIMEOUT = httpx.Timeout(30.0, connect=5.0)
"""Seconds for one request."""
EXPERIMENTS = "/v1/experiments"
STUDIES = "/v1/studies"
AUDIT = "/v1/audit"

Answer = TypeVar("Answer", bound=BaseModel)
Cancelled = TypeVar("Cancelled", Experiment, Study)


class Health(View):
    """That the server answers."""

    status: str
    """`ok`: it could answer, which is all that this says."""


class Api:
    """One server. Handles ask it; `Client` is this, and makes the handles too.

    What it takes and raises when it is made is said at `Client`.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        timeout: float | httpx.Timeout = TIMEOUT,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
        attempts: int = ATTEMPTS,
    ) -> None:
        self._connection = Connection(
            find_credentials(url, token), clock or Clock(), timeout, transport, attempts
        )

    @property
    def url(self) -> str:
        """Address of the server."""
        return self._connection.url

    @property
    def clock(self) -> Clock:
        """How time passes while it waits."""
        return self._connection.clock

    def health(self) -> Health:
        """Whether the server answers; `status` is `ok`."""
        return self._connection.ask("GET", "/healthz", Health)

    def schema(self) -> Schema:
        """Every field, filter, column, observable, family, state and role of the server."""
        return self._connection.ask("GET", "/v1/schema", Schema)

    def view(self, experiment_id: str, *, seeds: Any = None) -> Experiment:
        """An experiment as the server has it: of these seeds, or of all that it has."""
        return self._get(experiment_path(experiment_id), Experiment, query(which(seeds)))

    def result(
        self,
        experiment_id: str,
        *,
        seeds: Any = None,
        partial: bool = False,
        per_run: bool = False,
    ) -> Result:
        """The measurement of an experiment; arrays that are large are fetched when they are read.

        Args:
            experiment_id: its name.
            seeds: the training seeds that it is over, how many or which; all if not given.
            partial: also before every run is measured, over those that are.
            per_run: what has several indexes, such as spectra, for each run too.

        Raises:
            NotReady: it is not there yet.
        """
        part = {"arrays": Arrays.RUNS if per_run else Arrays.SMALL}
        try:
            data = self.result_data(experiment_id, part, seeds=seeds, partial=partial)
        except ResponseError as error:
            if per_run or error.code != Code.INVALID_QUERY:
                raise
            # a server of before 1.2 leaves nothing out
            part = {"arrays": Arrays.ALL}
            data = self.result_data(experiment_id, part, seeds=seeds, partial=partial)
        return Result(data, Source(self.url, data.id, partial, self))

    def result_data(
        self, experiment_id: str, part: Mapping[str, str], *, seeds: Any = None, partial: bool
    ) -> Data:
        """The answer of the server to who asks for a part of a result.

        Args:
            experiment_id: its name.
            part: which, as the query says it.
            seeds: the training seeds that it is over; all if not given.
            partial: also before every run is measured.
        """
        params = {**part, **({"partial": "true"} if partial else {}), **query(which(seeds))}
        return self._get(experiment_path(experiment_id, "/result"), Data, params)

    def chain(self, experiment_id: str, chain_seed: int) -> ChainFacts:
        """What is known exactly of a chain of an experiment, with its transition matrix."""
        return self._get(experiment_path(experiment_id, f"/chains/{chain_seed}"), ChainFacts, {})

    def cancel(
        self, experiment_id: str, *, seeds: Any = None, everybody: bool = False
    ) -> Experiment:
        """Withdraw what you asked for: runs that nobody wants any more are stopped.

        Args:
            experiment_id: its name.
            seeds: of these training seeds, how many or which; all if not given.
            everybody: as an admin, also what others asked for.

        Raises:
            Conflict: everything has ended already, and not by being cancelled.
            Forbidden: only others have asked for it.
        """
        params = query(which(seeds)) | _for(everybody)
        return self._cancel(experiment_path(experiment_id), Experiment, params)

    def update(self, experiment_id: str, **changes: Any) -> Experiment:
        """Change what you call an experiment, and how urgent it is to you.

        Args:
            experiment_id: its name.
            **changes: `label`, `tags`, `note` (None for none) and `priority`; the others stay.

        Raises:
            UnknownField, InvalidValue: before anything is sent.
            Forbidden: only others have asked for it.
        """
        return self._patch(experiment_path(experiment_id), ExperimentUpdate, changes, Experiment)

    def retry(self, experiment_id: str, *, seeds: Any = None) -> Experiment:
        """Queue failed and cancelled runs again. Sent once: repeating it could queue them twice.

        Raises:
            Conflict: no run has failed or been cancelled.
        """
        return self._retry(experiment_path(experiment_id), Experiment, query(which(seeds)))

    def study_view(self, study_id: str, *, seeds: Any = None) -> Study:
        """A study as the server has it: of these seeds, or of all that it was asked for with."""
        return self._get(study_path(study_id), Study, query(which(seeds)))

    def findings(self, study_id: str, *, seeds: Any = None) -> Findings:
        """The verdicts of a study, over all that it measured; complete once these seeds are.

        Raises:
            NotReady: nothing is measured yet.
        """
        path = study_path(study_id, "/findings")
        return Findings(self._get(path, FindingsData, query(which(seeds))))

    def cancel_study(self, study_id: str, *, seeds: Any = None, everybody: bool = False) -> Study:
        """Withdraw what you asked for by a study: runs that nobody wants any more are stopped.

        Args:
            study_id: its name.
            seeds: of these training seeds, how many or which; all if not given.
            everybody: as an admin, also what others asked for.

        Raises:
            Conflict: everything has ended already, and not by being cancelled.
            Forbidden: only others have asked for it.
        """
        params = query(which(seeds)) | _for(everybody)
        return self._cancel(study_path(study_id), Study, params)

    def update_study(self, study_id: str, **changes: Any) -> Study:
        """Change what you call a study, and how urgent it is to you.

        Args:
            study_id: its name.
            **changes: `name` (None for none) and `priority`; the other stays.

        Raises:
            UnknownField, InvalidValue: before anything is sent.
            Forbidden: only others have asked for it.
        """
        return self._patch(study_path(study_id), StudyUpdate, changes, Study)

    def audit(
        self,
        *,
        since: datetime | None = None,
        who: str | None = None,
        action: str | None = None,
        target: str | None = None,
        limit: int | None = None,
    ) -> Iterator[AuditEntry]:
        """Who changed what, newest first, fetched page by page as it is read.

        Args:
            since: not before this moment, with its time zone.
            who: by this person.
            action: a value of `rgcontract.audit.Action`.
            target: of this experiment, study or person, or of the token with this id.
            limit: how many at most; all of them if not given.
        """
        asked = {"who": who, "action": action, "target": target}
        params = {name: value for name, value in asked.items() if value is not None}
        if since is not None:
            params["since"] = since.isoformat()
        pages = self._pages(AUDIT, AuditPage, {**params, "limit": str(page_size(limit))})
        return islice((one for page in pages for one in page.items), limit)

    def retry_study(self, study_id: str, *, seeds: Any = None) -> Study:
        """Queue failed and cancelled runs of a study again. Sent once, as `retry`.

        Raises:
            Conflict: no run has failed or been cancelled.
        """
        return self._retry(study_path(study_id), Study, query(which(seeds)))

    def close(self) -> None:
        """Close the sockets."""
        self._connection.close()

    def __enter__(self) -> Self:
        """The client itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the sockets."""
        self.close()

    def __copy__(self) -> Self:
        """The client itself: a connection has nothing that a copy could change."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """The client itself."""
        return self

    def __repr__(self) -> str:
        """The address; the token is nobody's business."""
        return f"{type(self).__name__}(url={self.url!r}, token='***')"

    def _get(self, path: str, answer: type[Answer], params: Mapping[str, str]) -> Answer:
        return self._connection.ask("GET", path, answer, params=params)

    def _pages(self, path: str, page: type[Answer], params: dict[str, str]) -> Iterator[Answer]:
        """The pages of a list, each asked for when it is needed."""
        cursor: str | None = ""
        while cursor is not None:
            at = {"cursor": cursor} if cursor else {}
            found: Any = self._get(path, page, {**params, **at})
            yield found
            cursor = found.next_cursor

    def _post(
        self,
        path: str,
        body: Mapping[str, Any],
        answer: type[Answer],
        *,
        params: Mapping[str, str] | None = None,
        keyed: bool = False,
    ) -> Answer:
        """Send a body; with a key, so that the server takes all attempts for one."""
        key = {"Idempotency-Key": str(uuid.uuid4())} if keyed else {}
        text = json.dumps(body)
        return self._connection.ask("POST", path, answer, params=params, body=text, headers=key)

    def _patch(
        self, path: str, kind: type[Update], changes: Mapping[str, Any], answer: type[Answer]
    ) -> Answer:
        body = json.dumps(changed(kind, changes), allow_nan=False)
        return self._connection.ask("PATCH", path, answer, body=body)

    def _cancel(self, path: str, view: type[Cancelled], params: Mapping[str, str]) -> Cancelled:
        try:
            return self._connection.ask("POST", f"{path}/cancel", view, params=params)
        except Conflict:  # an attempt whose answer was lost may have done it
            found = self._get(path, view, params)
            if found.state is not State.CANCELLED:
                raise
            return found

    def _retry(self, path: str, view: type[Answer], params: Mapping[str, str]) -> Answer:
        return self._connection.ask("POST", f"{path}/retry", view, params=params, attempts=1)


def experiment_path(experiment_id: str, action: str = "") -> str:
    """Where an experiment is, or something of it."""
    return f"{EXPERIMENTS}/{_quoted(experiment_id, 'an experiment')}{action}"


def study_path(study_id: str, action: str = "") -> str:
    """Where a study is, or something of it."""
    return f"{STUDIES}/{_quoted(study_id, 'a study')}{action}"


def _for(everybody: bool) -> dict[str, str]:
    return {"everybody": "true"} if everybody else {}


def _quoted(name: str, noun: str) -> str:
    return quote(identifier(name, noun), safe="")
