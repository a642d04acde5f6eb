"""Two trackers on RGLab's Postgres server, each in a database of its own: MLflow and Optuna.

Both are given what they take in one call: MLflow a batch of all parameters and metrics of a run,
Optuna all finished trials of a round.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from benchmarks.peers import peer
from benchmarks.race import RefusedError
from rglab.embedded.lab import free_port

START_SECONDS = 120.0
HOST = "127.0.0.1"
PAGE = 100
GROUP = "sweep"


@dataclass(frozen=True)
class Tracked:
    """A run as a tracker sees it.

    Attributes:
        parameters: of the spec, by dotted name.
        scalars: observables of one number, by name.
    """

    parameters: Mapping[str, str | float]
    scalars: Mapping[str, float]


@dataclass(frozen=True)
class Tracker:
    """What keeps runs.

    Attributes:
        name: with its version.
        write: stores some runs.
        search: how many runs of a group it hands over, at most a page of them.
    """

    name: str
    write: Callable[[list[Tracked]], None]
    search: Callable[[], int]


@contextmanager
def mlflow(database_url: str, directory: Path) -> Iterator[Tracker]:
    """MLflow's tracking server, with a process per core.

    Raises:
        RefusedError: there is no MLflow, or it does not start.
    """
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"  # stdout is for the tables
    package = peer("mlflow", "mlflow")
    url = _database(database_url, "mlflow")
    port, log = free_port(HOST), directory / "mlflow.log"
    options = ["--host", HOST, "--port", str(port), "--workers", str(os.cpu_count() or 1)]
    options += ["--backend-store-uri", url, "--artifacts-destination", str(directory / "mlflow")]
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    environment |= {"MLFLOW_DISABLE_TELEMETRY": "true", "PATH": _path()}
    with log.open("wb") as output:
        server = subprocess.Popen(  # noqa: S603 - a package of the extra
            [sys.executable, "-m", "mlflow", "server", *options],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    try:
        _await(f"http://{HOST}:{port}/health", server, log)
        logging.getLogger("mlflow").setLevel(logging.ERROR)
        client = package.MlflowClient(tracking_uri=f"http://{HOST}:{port}")
        yield _mlflow(package, client)
    finally:
        os.killpg(server.pid, 15)
        server.wait()


def _mlflow(package: Any, client: Any) -> Tracker:
    experiment = client.create_experiment(GROUP)
    entities = package.entities

    def write(runs: list[Tracked]) -> None:
        now = round(1e3 * time.time())
        for run in runs:
            made = client.create_run(experiment).info.run_id
            client.log_batch(
                made,
                metrics=[entities.Metric(k, v, now, 0) for k, v in run.scalars.items()],
                params=[entities.Param(k, str(v)) for k, v in run.parameters.items()],
            )
            client.set_terminated(made)

    def search() -> int:
        return len(
            client.search_runs([experiment], "params.`model.depth` = '8.0'", max_results=PAGE)
        )

    return Tracker(f"MLflow {package.__version__}, tracking server", write, search)


@contextmanager
def optuna(database_url: str, directory: Path) -> Iterator[Tracker]:  # noqa: ARG001 - as above
    """Optuna's relational storage.

    Raises:
        RefusedError: there is no Optuna.
    """
    package = peer("optuna", "optuna")
    package.logging.set_verbosity(package.logging.ERROR)
    url = _database(database_url, "optuna")
    study = package.create_study(study_name=GROUP, storage=package.storages.RDBStorage(url))
    kinds = {
        str: lambda value: package.distributions.CategoricalDistribution([value]),
        float: lambda value: package.distributions.FloatDistribution(value, value),
    }

    def write(runs: list[Tracked]) -> None:
        study.add_trials(
            [
                package.trial.create_trial(
                    params=dict(run.parameters),
                    distributions={k: kinds[type(v)](v) for k, v in run.parameters.items()},
                    user_attrs=dict(run.scalars),
                    value=next(iter(run.scalars.values())),
                )
                for run in runs
            ]
        )

    def search() -> int:
        """By somebody who has not read the study before; it has no filters, so it reads all."""
        storage = package.storages.RDBStorage(url)
        found = package.load_study(study_name=GROUP, storage=storage).get_trials(deepcopy=False)
        storage.engine.dispose()
        return len([trial for trial in found if trial.params["model.depth"] == 8.0][:PAGE])

    yield Tracker(f"Optuna {package.__version__}, relational storage", write, search)


def _database(server_url: str, name: str) -> str:
    """A fresh database on the server; its URL."""
    engine = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}"'))
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def _path() -> str:
    """With the environment's own programs first: MLflow starts some by name."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def _await(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own server
                return
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                end = log.read_text(errors="replace").splitlines()[-1:]
                raise RefusedError(f"MLflow's server did not start: {' '.join(end)}") from None
            time.sleep(0.2)
