"""The functions of the package: a client made when it is first needed, from the environment."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Unpack

from rgclient._arguments import one_handle
from rgclient._client import Client
from rgclient._keywords import STUDY_DEFAULTS, SUBMIT_DEFAULTS
from rgclient._per_process import PerProcess
from rgclient._settings import find_credentials
from rgclient._signatures import takes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from rgclient._experiment import Experiment
    from rgclient._keywords import StudyFields, SubmitFields
    from rgclient._result import Result
    from rgclient._study import Study
    from rgcontract import Forecast
    from rgcontract.credentials import Credentials


def _connect(credentials: Credentials) -> Client:
    return Client(credentials.url, credentials.token)


@dataclass
class DefaultClient:
    """One client for all who name none; another once the credentials are others.

    A restart of `rglab up` may change the address; a notebook should not have to restart for it.
    The client before is left open: handles may still use it.
    """

    connect: Callable[[Credentials], Client] = _connect
    _lock: PerProcess[threading.Lock] = field(default_factory=lambda: PerProcess(threading.Lock))
    _client: Client | None = None
    _credentials: Credentials | None = None

    def __call__(self) -> Client:
        """The client."""
        credentials = find_credentials()
        with self._lock():
            if self._client is None or credentials != self._credentials:
                self._client = self.connect(credentials)
                self._credentials = credentials
            return self._client


default_client = DefaultClient()


@takes(SUBMIT_DEFAULTS)
def submit(*_unnamed: Any, **fields: Unpack[SubmitFields]) -> Experiment:
    """Ask for an experiment: `submit(corr_len=7, depth=4, seeds=5)`. See `Client.submit`."""
    return default_client().submit(*_unnamed, **fields)


def submit_many(specs: Iterable[Mapping[str, Any]]) -> list[Experiment]:
    """Ask for many experiments in one request: `submit_many([{"corr_len": 1}, {"corr_len": 7}])`.

    See `Client.submit_many`.
    """
    return default_client().submit_many(specs)


@takes(SUBMIT_DEFAULTS)
def forecast(*_unnamed: Any, **fields: Unpack[SubmitFields]) -> Forecast:
    """What `submit` with the same fields would cost. See `Client.forecast`."""
    return default_client().forecast(*_unnamed, **fields)


def get(experiment_id: str, *, seeds: Any = None) -> Experiment:
    """An experiment by its id. See `Client.get`."""
    return default_client().get(experiment_id, seeds=seeds)


def experiments(*_unnamed: Any, **filters: Any) -> Iterator[Experiment]:
    """Experiments, newest first: `experiments(corr_len_min=5)`. See `Client.experiments`."""
    return default_client().experiments(*_unnamed, **filters)


@takes(STUDY_DEFAULTS)
def study(preset: str | None = None, **fields: Unpack[StudyFields]) -> Study:
    """Ask for a grid of experiments: `study(corr_len=[1, 7], depth=[4, 8])`. See `Client.study`."""
    return default_client().study(preset, **fields)


def get_study(study_id: str, *, seeds: Any = None) -> Study:
    """A study by its id. See `Client.get_study`."""
    return default_client().get_study(study_id, seeds=seeds)


def studies(*_unnamed: Any, **filters: Any) -> Iterator[Study]:
    """Studies, newest first. See `Client.studies`."""
    return default_client().studies(*_unnamed, **filters)


def wait(
    experiment: Experiment | str,
    timeout: float | None = None,
    *,
    progress: bool = True,
    poll: float | None = None,
) -> Result:
    """Wait for an experiment, or for the one of that id. See `Experiment.wait`."""
    handle = get(experiment) if isinstance(experiment, str) else one_handle(experiment)
    result: Result = handle.wait(timeout, progress=progress, poll=poll)
    return result
