"""A lab server as a function, a clock that never sleeps, and what a server would answer."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from rgclient import Client, Result
from rgclient._clock import Clock
from rgclient._newer import Remarks
from rgcontract import ExperimentSpec
from rgcontract import Result as Data

URL = "http://lab.test:8321"
TOKEN = "rgl-secret"
MOST_SLEEPS = 5000
WHEN = "2026-01-02T03:04:05Z"

Numbers = float | None | list[float | None]
"""One, or one per layer; None where there is none."""
Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def _no_lab_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads the credentials of whoever runs it."""
    monkeypatch.setenv("RGLAB_DATA_DIR", str(tmp_path / "rglab"))
    monkeypatch.delenv("RGLAB_URL", raising=False)
    monkeypatch.delenv("RGLAB_TOKEN", raising=False)


@pytest.fixture(autouse=True)
def _nothing_said_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A remark that is made once in a process is made once in a test."""
    monkeypatch.setattr("rgclient._connection.REMARKS", Remarks())


class FakeTime:
    """Time passes only when somebody sleeps; jitter is always the longest."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.sleeps: list[float] = []
        self.clock = Clock(sleep=self._sleep, now=lambda: self.seconds, jitter=lambda most: most)

    def _sleep(self, seconds: float) -> None:
        assert len(self.sleeps) < MOST_SLEEPS, "it waits for ever"
        self.sleeps.append(seconds)
        self.seconds += seconds


class FakeServer:
    """Answers from a list, the last one for ever; keeps the requests."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.answers: list[httpx.Response | Exception | Handler] = []

    def will(self, *answers: httpx.Response | Exception | Handler) -> None:
        """Say what comes next."""
        self.answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return httpx.Response(
                answer.status_code, headers=answer.headers, content=answer.content
            )
        return answer(request)

    @property
    def bodies(self) -> list[Any]:
        """The JSON bodies of the requests that have one."""
        return [json.loads(request.content) for request in self.requests if request.content]

    @property
    def paths(self) -> list[str]:
        """`METHOD path` of the requests."""
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def client(server: FakeServer, time: FakeTime) -> Iterator[Any]:
    with Client(URL, TOKEN, transport=httpx.MockTransport(server), clock=time.clock) as opened:
        yield opened


class Answers:
    """What a server answers, with whatever matters to a test changed."""

    def acknowledgement(self, status: int = 201, **changes: Any) -> httpx.Response:
        body = {
            "id": "exp1", "spec_hash": "ab" * 32, "state": "queued", "created": status == 201,
            "added_seeds": [0, 1, 2], "runs": {"queued": 3},
        }  # fmt: skip
        return httpx.Response(status, json=body | changes)

    def experiment(self, state: str = "queued", **changes: Any) -> httpx.Response:
        body = {
            "id": "exp1", "spec_hash": "ab" * 32, "training_hash": "cd" * 32, "protocol": 1,
            "spec": spec_json({"chain": {"corr_len": 7}}), "state": state,
            "progress": 1.0 if state == "done" else 0.0,
            "waiting": {"reason": "next in line", "place": 0} if state == "queued" else None,
            "run_counts": {state: 3}, "runs": [run(seed, state) for seed in range(3)],
            "label": None, "tags": [], "priority": 0, "owner": "ada",
            "created_at": WHEN, "updated_at": WHEN,
        }  # fmt: skip
        return httpx.Response(200, json=body | changes)

    def summary(self, name: str, **changes: Any) -> dict[str, Any]:
        return {
            "id": name, "spec_hash": "ab" * 32, "state": "done", "family": "random_reversible",
            "corr_len": 7.0, "mixing": "context", "depth": 8, "width": 64,
            "run_counts": {"done": 3}, "label": None, "tags": [], "owner": "ada",
            "created_at": WHEN, "updated_at": WHEN,
        } | changes  # fmt: skip

    def page(self, names: list[str], next_cursor: str | None = None) -> httpx.Response:
        items = [self.summary(name) for name in names]
        return httpx.Response(200, json={"items": items, "next_cursor": next_cursor})

    def result(self, **options: Any) -> httpx.Response:
        return httpx.Response(200, json=result_json(**options))

    def problem(self, status: int, code: str, detail: str = "what to do", **more: Any) -> Any:
        body = {"title": "Refused", "status": status, "code": code, "detail": detail} | more
        headers = {"content-type": "application/problem+json"}
        return httpx.Response(status, content=json.dumps(body), headers=headers)


def run(seed: int, state: str, **changes: Any) -> dict[str, Any]:
    """One seed of an experiment."""
    error = "CUDA out of memory" if state == "failed" else None
    found = {
        "seed": seed,
        "chain_seed": 0,
        "state": state,
        "progress": None,
        "error": error,
        "attempts": [],
    }
    return found | changes


def spec_json(given: dict[str, Any]) -> dict[str, Any]:
    """A spec with its defaults filled in."""
    return ExperimentSpec.model_validate_json(json.dumps(given)).model_dump(mode="json")


def estimate(per_seed: dict[Any, Any], shape: list[int] | None = None) -> dict[str, Any]:
    """Mean and standard error over seeds; the interval is mean -+ 2 standard errors."""
    columns = list(per_seed.values())
    if shape is None:
        shape = [len(columns[0])] if isinstance(columns[0], list) else []
    mean: Numbers
    error: Numbers
    low: Numbers
    high: Numbers
    if not shape:
        mean, error = _mean(columns), _error(columns)
        low, high = _shift(mean, error, -2), _shift(mean, error, 2)
    else:
        layers = list(zip(*columns, strict=True))
        mean, error = [_mean(layer) for layer in layers], [_error(layer) for layer in layers]
        low = [_shift(m, e, -2) for m, e in zip(mean, error, strict=True)]
        high = [_shift(m, e, 2) for m, e in zip(mean, error, strict=True)]
    return {
        "shape": shape, "mean": mean, "standard_error": error, "low": low, "high": high,
        "per_seed": {str(seed): values for seed, values in per_seed.items()}, "reasons": {},
        "n": 4096, "estimator": "plug-in", "half_shift": None,
    }  # fmt: skip


def _mean(values: Any) -> float | None:
    return None if None in values else sum(values) / len(values)


def _error(values: Any) -> float | None:
    if None in values or len(values) < 2:
        return None
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return math.sqrt(variance / len(values))


def _shift(mean: float | None, error: float | None, times: int) -> float | None:
    return mean if mean is None or error is None else mean + times * error


RANKS = {0: [10.0, 8.0, 5.0], 1: [12.0, 9.0, 9.0]}
INITIAL_RANKS = {0: [10.0, 10.0, 10.0], 1: [12.0, 12.0, 12.0]}


def result_json(
    *,
    ranks: dict[int, Any] | None = None,
    mixing: str = "context",
    levels: tuple[str, ...] | None = None,
    under_trained: bool = False,
    too_few_samples: bool = False,
    label: str = "random_reversible",
) -> dict[str, Any]:
    """A measurement of a network of depth 2 and width 2."""
    ranks = ranks or RANKS
    seeds = list(ranks)
    if levels is None:
        levels = ("sequence",) if mixing == "flat" else ("position", "pooled")

    def quantities(columns: dict[int, Any]) -> dict[str, Any]:
        spectrum = [[0.75, 0.25]] * 3
        return {
            "effective_rank": estimate(columns),
            "participation_ratio": estimate(columns),
            "stable_rank": estimate(columns),
            "kernel_drift": estimate({seed: [0.5, 0.25] for seed in columns}),
            "spectrum": {
                "shape": [3, 2], "mean": spectrum, "standard_error": None, "low": spectrum,
                "high": spectrum, "per_seed": None, "reasons": {},
            },
        }  # fmt: skip

    def snapshot(when: str, step: int, columns: dict[int, Any]) -> dict[str, Any]:
        gap = 0.5 if under_trained else 0.01
        losses = {
            "loss": 2.0, "bayes_loss": 1.5, "excess_loss": 0.5, "gap_fraction": gap,
            "visible_bayes_loss": 1.5, "view_fraction": 0.0,
        }  # fmt: skip
        return {
            "when": when, "step": step, "under_trained": under_trained,
            "losses": {
                name: estimate(dict.fromkeys(seeds, value)) for name, value in losses.items()
            },
            "levels": [
                {
                    "level": level, "n_rows": 4096, "too_few_samples": too_few_samples,
                    "quantities": quantities(columns),
                }
                for level in levels
            ],
            "network": {
                "level": "network", "n_rows": 600, "too_few_samples": False,
                "quantities": {"relevance_posterior": estimate(dict.fromkeys(seeds, [0.5] * 3))},
            },
        }  # fmt: skip

    chain = {
        "seed": 0, "family": label, "n_states": 2, "corr_len": 7.0, "reversible": True,
        "scale_corr_lens": None, "mutual_information": [0.4, 0.3],
        "eigenvalues_real": [1.0, 0.86], "eigenvalues_imag": [0.0, 0.0],
        "stationary": [0.5, 0.5], "transition": [[0.93, 0.07], [0.07, 0.93]],
        "entropy_rate": 0.25, "unigram_entropy": 0.69,
    }  # fmt: skip
    initial = {seed: INITIAL_RANKS.get(seed, column) for seed, column in ranks.items()}
    return {
        "id": "exp1", "spec_hash": "ab" * 32, "protocol": 1, "state": "done",
        "spec": spec_json({"chain": {"corr_len": 7}, "model": {"mixing": mixing, "depth": 2}}),
        "seeds": seeds, "chain_seeds": [0], "confidence": 0.95, "interval_method": "bootstrap",
        "error_bar": "training seeds; the chain is held fixed", "chain": chain, "chains": [chain],
        "snapshots": [snapshot("initial", 0, initial), snapshot("final", 1500, ranks)],
        "training": [
            {"seed": seed, "chain_seed": 0, "steps": [1500], "losses": [2.0]} for seed in seeds
        ],
        "under_trained": under_trained, "too_few_samples": too_few_samples,
    }  # fmt: skip


@pytest.fixture
def answer() -> Answers:
    return Answers()


@pytest.fixture
def make_run() -> Any:
    return run


@pytest.fixture
def make_result() -> Callable[..., Result]:
    """A `Result` with what matters to a test changed."""

    def make(**options: Any) -> Result:
        return Result(Data.model_validate_json(json.dumps(result_json(**options))))

    return make


@pytest.fixture
def result(make_result: Callable[..., Result]) -> Result:
    return make_result()


@pytest.fixture
def result_of_runs() -> Callable[[dict[str, list[float]]], Result]:
    """A `Result` whose effective ranks are given run by run, named as the wire names runs."""

    def make(ranks: dict[str, list[float]]) -> Result:
        body = result_json()
        runs = [name.rpartition("/") for name in ranks]
        body["seeds"] = sorted({int(seed) for _, _, seed in runs})
        body["chain_seeds"] = sorted({int(chain or 0) for chain, _, _ in runs})
        for snapshot in body["snapshots"]:
            for level in snapshot["levels"]:
                level["quantities"]["effective_rank"] = estimate(ranks)
        return Result(Data.model_validate_json(json.dumps(body)))

    return make
