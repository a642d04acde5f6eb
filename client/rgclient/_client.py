"""A server and what can be asked of it."""

from __future__ import annotations

import json
import uuid
from itertools import islice
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

import httpx

from rgclient._arguments import (
    filters,
    filters_by_name,
    identifier,
    keywords_only,
    many,
    page_size,
    preset_name,
)
from rgclient._backoff import ATTEMPTS
from rgclient._body import body
from rgclient._clock import Clock
from rgclient._connection import Connection
from rgclient._errors import AmbiguousField, Conflict, InvalidValue, UnknownField
from rgclient._experiment import Experiment
from rgclient._findings import Findings
from rgclient._glance import of_acknowledgement, of_summary, of_view
from rgclient._result import Result
from rgclient._seeds import query, told, which
from rgclient._settings import find_credentials
from rgclient._study import Study
from rgcontract import (
    Acknowledgement,
    BulkAcknowledgement,
    ExperimentPage,
    Forecast,
    State,
    StudyPage,
)
from rgcontract import Experiment as View
from rgcontract import Findings as FindingsData
from rgcontract import Result as Data
from rgcontract import Study as StudyView
from rgcontract.status import View as Answer
from rgcontract.study import STUDY_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import TracebackType

TIMEOUT = httpx.Timeout(30.0, connect=5.0)
"""Seconds for one request."""
EXPERIMENTS = "/v1/experiments"
STUDIES = "/v1/studies"


class Health(Answer):
    """That the server answers."""

    status: str
    """`ok`: it could answer, which is all that this says."""


class Client:
    """A connection to one server. Safe to share between threads; a context manager.

    A forked process opens connections of its own. A pickled client carries the address and the
    token, so that it works in a worker of joblib or dask: keep such a pickle as you keep a token.
    A copy is the client itself, as handles share it.

    Args:
        url: address of the server. Else `RGLAB_URL`, else the credentials file of `rglab up`.
        token: who asks. Else `RGLAB_TOKEN`, else the same file.
        timeout: seconds to wait for an answer, or an `httpx.Timeout`.
        transport: how requests travel; for tests, and for the process that made it alone.
        clock: how time passes between two attempts; for tests.
        attempts: requests in all before a passing failure becomes an error.

    Raises:
        NoServer: no address or no token is known, or they cannot be used.
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

    def submit(self, *_unnamed: Any, **fields: Any) -> Experiment:
        """Ask for an experiment; the same spec gives the same one, computed once.

        Args:
            **fields: fields of the spec by name (`corr_len=7`), whole sections
                (`chain={"corr_len": 7}`), or both; also `seeds`, `label`, `tags`, `priority`,
                `device`.

        Raises:
            UnknownField, AmbiguousField, InvalidValue: before anything is sent.
            InvalidSpec: the server refused a field; the message says what is allowed.
            OverLimit: it costs more than the lab allows.
        """
        keywords_only("submit", _unnamed)
        acknowledgement = self._connection.ask(
            "POST",
            EXPERIMENTS,
            Acknowledgement,
            body=json.dumps(body(fields), allow_nan=False),
            headers={"Idempotency-Key": str(uuid.uuid4())},  # the same in every attempt
        )
        return self._acknowledged(acknowledgement)

    def submit_many(self, specs: Iterable[Mapping[str, Any]]) -> list[Experiment]:
        """Ask for many experiments in one request: as `submit` of each, but all or none.

        Args:
            specs: for each experiment what `submit` takes, flat or in sections:
                `[{"corr_len": xi, "depth": 4} for xi in (1, 2, 4)]`. At most 5000; the same spec
                may come several times.

        Returns:
            One handle for each spec, in their order.

        Raises:
            UnknownField, AmbiguousField, InvalidValue: before anything is sent; the message starts
                with the place of the spec.
            InvalidSpec: the server refused a field, such as `experiments.17.chain.corr_len`.
            OverLimit: one of them, or all together, cost more than the lab allows.
        """
        bodies = [_placed(index, spec) for index, spec in enumerate(many(specs))]
        if not bodies:
            return []
        answer = self._connection.ask(
            "POST",
            f"{EXPERIMENTS}/bulk",
            BulkAcknowledgement,
            body=json.dumps({"experiments": bodies}, allow_nan=False),
            headers={"Idempotency-Key": str(uuid.uuid4())},  # the same in every attempt
        )
        return [self._acknowledged(one) for one in answer.experiments]

    def forecast(self, *_unnamed: Any, **fields: Any) -> Forecast:
        """What `submit` with the same fields would cost. Nothing is stored."""
        keywords_only("forecast", _unnamed)
        return self._connection.ask(
            "POST",
            EXPERIMENTS,
            Forecast,
            params={"dry_run": "true"},
            body=json.dumps(body(fields), allow_nan=False),
        )

    def get(self, experiment_id: str, *, seeds: Any = None) -> Experiment:
        """An experiment by its id.

        Args:
            experiment_id: its name.
            seeds: training seeds that the handle is about, how many or which; all that the lab
                has if not given, whoever asked for them.

        Raises:
            NotFound: there is none.
            ResponseError: it has no such seed; the message says which it has.
        """
        asked = which(seeds)
        view = self.view(experiment_id, seeds=asked)
        return Experiment(self, of_view(view), seeds=asked, view=view)

    def experiments(
        self,
        *_unnamed: Any,
        state: str | None = None,
        family: str | None = None,
        mixing: str | None = None,
        corr_len_min: float | None = None,
        corr_len_max: float | None = None,
        depth: int | None = None,
        width: int | None = None,
        tag: str | None = None,
        owner: str | None = None,
        limit: int | None = None,
        **_unknown: Any,
    ) -> Iterator[Experiment]:
        """Experiments, newest first, fetched page by page as they are read.

        Args:
            state: `queued`, `running`, `done`, `failed` or `cancelled`.
            family: of the chain.
            mixing: of the network.
            corr_len_min: tokens.
            corr_len_max: tokens.
            depth: of the network.
            width: of the network.
            tag: one of its tags.
            owner: who submitted it first.
            limit: how many at most; all of them if not given.

        Raises:
            UnknownField, InvalidValue: there is no such filter, or a value is none of one.
        """
        filters_by_name("experiments", _unnamed)
        asked = {
            "state": state, "family": family, "mixing": mixing, "corr_len_min": corr_len_min,
            "corr_len_max": corr_len_max, "depth": depth, "width": width, "tag": tag,
            "owner": owner,
        }  # fmt: skip
        params = {**filters(asked, _unknown), "limit": str(page_size(limit))}
        return islice(self._all(params), limit)

    def study(self, preset: str | None = None, **fields: Any) -> Study:
        """Ask for a study: as `submit`, but a list for a field makes a grid of experiments.

        Experiments that the lab has are not measured again. The same grid gives the same study.

        Args:
            preset: a name of `rgcontract.PRESETS` to start from, such as `paper-small`; other
                fields override it.
            **fields: as in `submit`; also `name`, `target_error` (add seeds until the standard
                error of every collapse ratio is below it) and `max_seeds`.

        Raises:
            UnknownField, AmbiguousField, InvalidValue: before anything is sent.
            InvalidSpec: the server refused a field, or a cell of the grid.
            OverLimit: the grid is larger, or costs more, than the lab allows.
        """
        if preset is not None:
            fields["preset"] = preset_name(preset)
        sent = json.dumps(body(fields, STUDY_FIELDS), allow_nan=False)
        view = self._connection.ask("POST", STUDIES, StudyView, body=sent)
        return Study(self, view, seeds=told(view.seeds))

    def get_study(self, study_id: str, *, seeds: Any = None) -> Study:
        """A study by its id.

        Args:
            study_id: its name.
            seeds: training seeds that the handle is about, of those that the study was asked for
                with; all of them if not given.

        Raises:
            NotFound: there is none.
        """
        asked = which(seeds)
        return Study(self, self.study_view(study_id, seeds=asked), seeds=asked)

    def studies(
        self, *_unnamed: Any, owner: str | None = None, limit: int | None = None, **_unknown: Any
    ) -> Iterator[Study]:
        """Studies, newest first, fetched page by page as they are read.

        Args:
            owner: who asked for it first.
            limit: how many at most; all of them if not given.
        """
        filters_by_name("studies", _unnamed)
        params = {**filters({"owner": owner}, _unknown), "limit": str(page_size(limit))}
        return islice(self._all_studies(params), limit)

    def health(self) -> Health:
        """Whether the server answers; `status` is `ok`."""
        return self._connection.ask("GET", "/healthz", Health)

    def view(self, experiment_id: str, *, seeds: Any = None) -> View:
        """An experiment as the server has it: of these seeds, or of all that it has."""
        params = query(which(seeds))
        return self._connection.ask("GET", _path(experiment_id), View, params=params)

    def result(
        self,
        experiment_id: str,
        *,
        seeds: Any = None,
        partial: bool = False,
        per_run: bool = False,
    ) -> Result:
        """The measurement of an experiment.

        Args:
            experiment_id: its name.
            seeds: the training seeds that it is over, how many or which; all if not given.
            partial: also before every run is measured, over those that are.
            per_run: what has several indexes, such as spectra, for each run too.

        Raises:
            NotReady: it is not there yet.
        """
        arrays = "runs" if per_run else "all"
        params = {
            "arrays": arrays,
            **({"partial": "true"} if partial else {}),
            **query(which(seeds)),
        }
        path = _path(experiment_id, "/result")
        return Result(self._connection.ask("GET", path, Data, params=params))

    def cancel(self, experiment_id: str, *, seeds: Any = None) -> View:
        """Withdraw what you asked for: runs that nobody wants any more are stopped.

        Raises:
            Conflict: everything has ended already, and not by being cancelled.
            Forbidden: only others have asked for it.
        """
        params = query(asked := which(seeds))
        path = _path(experiment_id, "/cancel")
        try:
            return self._connection.ask("POST", path, View, params=params)
        except Conflict:  # an attempt whose answer was lost may have done it
            view = self.view(experiment_id, seeds=asked)
            if view.state is not State.CANCELLED:
                raise
            return view

    def retry(self, experiment_id: str, *, seeds: Any = None) -> View:
        """Queue failed and cancelled runs again. Sent once: repeating it could queue them twice.

        Raises:
            Conflict: no run has failed or been cancelled.
        """
        params = query(which(seeds))
        path = _path(experiment_id, "/retry")
        return self._connection.ask("POST", path, View, params=params, attempts=1)

    def study_view(self, study_id: str, *, seeds: Any = None) -> StudyView:
        """A study as the server has it: of these seeds, or of all that it was asked for with."""
        params = query(which(seeds))
        return self._connection.ask("GET", _path(study_id, at=STUDIES), StudyView, params=params)

    def findings(self, study_id: str, *, seeds: Any = None) -> Findings:
        """The verdicts of a study, over all that it measured; complete once these seeds are.

        Raises:
            NotReady: nothing is measured yet.
        """
        path = _path(study_id, "/findings", at=STUDIES)
        params = query(which(seeds))
        return Findings(self._connection.ask("GET", path, FindingsData, params=params))

    def cancel_study(self, study_id: str, *, seeds: Any = None) -> StudyView:
        """Withdraw what you asked for by a study: runs that nobody wants any more are stopped.

        Raises:
            Conflict: everything has ended already, and not by being cancelled.
            Forbidden: only others have asked for it.
        """
        params = query(asked := which(seeds))
        path = _path(study_id, "/cancel", at=STUDIES)
        try:
            return self._connection.ask("POST", path, StudyView, params=params)
        except Conflict:  # an attempt whose answer was lost may have done it
            view = self.study_view(study_id, seeds=asked)
            if view.state is not State.CANCELLED:
                raise
            return view

    def retry_study(self, study_id: str, *, seeds: Any = None) -> StudyView:
        """Queue failed and cancelled runs of a study again. Sent once, as `retry`.

        Raises:
            Conflict: no run has failed or been cancelled.
        """
        path = _path(study_id, "/retry", at=STUDIES)
        params = query(which(seeds))
        return self._connection.ask("POST", path, StudyView, params=params, attempts=1)

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
        return f"Client(url={self.url!r}, token='***')"

    def _acknowledged(self, answer: Acknowledgement) -> Experiment:
        return Experiment(
            self, of_acknowledgement(answer), seeds=told(answer.seeds), created=answer.created
        )

    def _all(self, params: dict[str, str]) -> Iterator[Experiment]:
        cursor: str | None = None
        while True:
            at = {"cursor": cursor} if cursor else {}
            page = self._connection.ask("GET", EXPERIMENTS, ExperimentPage, params={**params, **at})
            for summary in page.items:
                yield Experiment(self, of_summary(summary))
            cursor = page.next_cursor
            if cursor is None:
                return

    def _all_studies(self, params: dict[str, str]) -> Iterator[Study]:
        cursor: str | None = None
        while True:
            at = {"cursor": cursor} if cursor else {}
            page = self._connection.ask("GET", STUDIES, StudyPage, params={**params, **at})
            for summary in page.items:
                yield Study(self, summary)
            cursor = page.next_cursor
            if cursor is None:
                return


def _placed(index: int, spec: Mapping[str, Any]) -> dict[str, Any]:
    """The body of one of many specs; what is wrong with it says where it is."""
    try:
        return body(dict(spec))
    except (UnknownField, AmbiguousField, InvalidValue) as error:
        raise type(error)(f"experiments.{index}: {error}") from error


def _path(name: str, action: str = "", *, at: str = EXPERIMENTS) -> str:
    noun = "a study" if at == STUDIES else "an experiment"
    return f"{at}/{quote(identifier(name, noun), safe='')}{action}"
