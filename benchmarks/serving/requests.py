"""The requests that are timed, over real HTTP, one after another on one connection."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import count
from typing import Any

import httpx

from benchmarks.serving.latency import Latency, each, timed

LIST_AIM = 0.150  # s, p95
RESULT_AIM = 0.050  # s, p95
SUBMIT_AIM = 0.100  # s, p99
BULK_AIM = 5.0  # s
EXPERIMENTS = "/v1/experiments"

QUERIES: Mapping[str, str] = {
    "first page": "",
    "page of 500": "limit=500",
    "state=done": "state=done",
    "state=failed": "state=failed",
    "state=running, of which there are none": "state=running",
    "family": "family=potts",
    "mixing": "mixing=flat",
    "corr_len in a narrow range": "corr_len_min=5&corr_len_max=5.05",
    "corr_len above": "corr_len_min=19",
    "corr_len below, of which there are none": "corr_len_max=0.5",
    "depth": "depth=16",
    "width": "width=128",
    "tag of few": "tag=sweep-17",
    "tag of many": "tag=kind-3",
    "tag of none": "tag=nothing",
    "owner": "owner=user-7",
    "owner of none": "owner=nobody",
    "all at once": "state=done&family=ring&mixing=mixer&depth=8&width=64&tag=kind-1&owner=user-1"
    "&corr_len_min=1&corr_len_max=19",
}
_fresh = count()


def lists(http: httpx.Client, n: int) -> list[Latency]:
    """Every filter by itself, and pages far from the first one."""
    found = [
        Latency(f"list: {name}", timed(partial(_get, http, _at(query)), n), 95, LIST_AIM)
        for name, query in QUERIES.items()
    ]
    for name, query in {"": "limit=50", ", tag of many": "limit=50&tag=kind-3"}.items():
        pages = _cursors(http, query, n)
        seconds = each(partial(_get, http, at) for at in pages)
        found.append(Latency(f"list: page after page{name}", seconds, 95, LIST_AIM))
    return found


def list_once(http: httpx.Client, n: int) -> tuple[float, ...]:
    """The first page, again and again."""
    return timed(lambda: _get(http, EXPERIMENTS), n)


def reads(http: httpx.Client, probes: Sequence[str], n: int) -> list[Latency]:
    """An experiment and its result."""
    some = random.Random(0)  # noqa: S311 - a choice, not a secret

    def one(suffix: str) -> tuple[float, ...]:
        return timed(lambda: _get(http, f"{EXPERIMENTS}/{some.choice(probes)}{suffix}"), n)

    return [
        Latency("one experiment", one(""), 95, RESULT_AIM),
        Latency("its result", one("/result"), 95, RESULT_AIM),
        Latency("its result, all arrays", one("/result?arrays=all"), 95, RESULT_AIM),
        Latency("its result, all arrays of all runs", one("/result?arrays=runs"), 95, RESULT_AIM),
    ]


def submissions(http: httpx.Client, name: str, n: int) -> Latency:
    """New experiments, one by one."""

    def ask() -> None:
        answer = http.post(EXPERIMENTS, json=new_spec())
        assert answer.status_code == 201, answer.text

    return Latency(name, timed(ask, n), 99, SUBMIT_AIM)


def bulks(http: httpx.Client, n: int, n_specs: int) -> list[Latency]:
    """Many new experiments in one request, and the same request again."""
    bodies = [{"experiments": [new_spec() for _ in range(n_specs)]} for _ in range(n)]

    def ask(body: dict[str, Any], status: int) -> None:
        answer = http.post(f"{EXPERIMENTS}/bulk", json=body)
        assert answer.status_code == status, answer.text[:500]

    first = each(partial(ask, body, 201) for body in bodies)
    again = each(partial(ask, body, 200) for body in bodies)
    return [
        Latency(f"bulk of {n_specs} new specs", first, 100, BULK_AIM),
        Latency("the same again", again, 100, BULK_AIM),
    ]


def new_spec() -> dict[str, Any]:
    """A spec that nobody asked for before."""
    number = next(_fresh)
    return {
        "chain": {"corr_len": 1 + number % 20, "seed": number},
        "model": {"depth": 4 + number % 3},
        "training": {"lr": 1e-3},
        "tags": ["bench"],
    }


def _at(query: str) -> str:
    return f"{EXPERIMENTS}?{query}"


def _get(http: httpx.Client, at: str) -> httpx.Response:
    answer = http.get(at)
    assert answer.status_code == 200, answer.text[:500]
    return answer


def _cursors(http: httpx.Client, query: str, n: int) -> list[str]:
    """Pages that follow each other, over the whole of the list."""
    pages, at = [_at(query)], _at(query)
    while (cursor := _get(http, at).json()["next_cursor"]) is not None:
        at = _at(f"{query}&cursor={cursor}")
        pages.append(at)
        if len(pages) == 4 * n:
            break
    every = max(1, len(pages) // n)
    return pages[::every]
