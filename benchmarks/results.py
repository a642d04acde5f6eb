"""`python -m benchmarks.results [--draws 64] [--readers 20]`: a large result, read by many at once.

One experiment over many draws of a chain of 256 states, stored as its workers would, without
training. The memory is that of the process of the API.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks import markdown
from benchmarks.progress import say
from benchmarks.serving.lab import Lab, running
from benchmarks.serving.records import record_of
from rgcontract import Submission
from rgcore.statistics import summarise_runs
from rgstore import claiming, measurements
from rgstore.records import ChainRecord

SPEC: dict[str, Any] = {
    "chain": {"n_states": 256},
    "data": {"seq_len": 16},
    "model": {"depth": 4, "width": 16},
    "measurement": {"levels": ["position"]},
    "seeds": 1,
}
QUERIES = {"by default": "", "all of it": "?arrays=all"}
ENCODINGS = ("identity", "gzip")
HOLDER = claiming.Holder("bench/1", "bench", "host", "cpu", {}, {})
LEASE_SECONDS = 600
MIB = 2**20


@dataclass(frozen=True)
class Reading:
    """A result, read by some at once."""

    query: str
    encoding: str
    sent_bytes: int
    """Of an answer, as it is sent."""
    json_bytes: int
    """Of it."""
    seconds: float
    """Until all have read it."""
    idle_bytes: int
    """Memory before."""
    peak_bytes: int
    """Most while it is read."""
    after_bytes: int
    """After that."""


def main(arguments: list[str]) -> None:
    """Measure; progress on stderr, a table on stdout."""
    parser = argparse.ArgumentParser("benchmarks.results", description=main.__doc__)
    parser.add_argument("--draws", type=int, default=64, help="of the chain")
    parser.add_argument("--readers", type=int, default=20, help="at once")
    chosen = parser.parse_args(arguments)
    sys.stdout.write(table(measured(chosen.draws, chosen.readers)) + "\n")


def measured(n_draws: int, readers: int) -> list[Reading]:
    """In a fresh lab: each query in each encoding, the smallest answer first."""
    with (
        tempfile.TemporaryDirectory(prefix="rglab-bench-") as directory,
        running(Path(directory)) as lab,
    ):
        say(f"storing {n_draws} draws")
        name = planted(lab, n_draws)
        found = []
        for query in QUERIES:
            for encoding in ENCODINGS:
                say(f"{readers} read {query}, {encoding}")
                found.append(_read(lab, name, query, encoding, readers))
        return found


def planted(lab: Lab, n_draws: int) -> str:
    """An experiment over so many draws, each of them measured; its name."""
    body = SPEC | {"chain": SPEC["chain"] | {"seeds": n_draws}}
    answer = lab.http.post("/v1/experiments", json=body).raise_for_status()
    record = record_of(Submission.model_validate_json(json.dumps(body)).spec)
    for _ in range(n_draws):
        with lab.database.begin() as session:
            (claim,) = claiming.claim_fleet(
                session, HOLDER, lease_seconds=LEASE_SECONDS, size_of=lambda _: 1, share=1
            )
            drawn = replace(record, chain=_drawn(record.chain, claim.chain_seed))
            measurements.store(session, claim, drawn, summarise_runs)
    name: str = answer.json()["id"]
    return name


def _drawn(chain: ChainRecord, seed: int) -> ChainRecord:
    """Another chain of this size: a matrix with as many digits."""
    weights = np.random.default_rng(seed).gamma(1.0, size=(chain.n_states, chain.n_states))
    rows = weights / weights.sum(axis=1, keepdims=True)
    return replace(chain, seed=seed, transition=rows.ravel().tolist())


def _read(lab: Lab, name: str, query: str, encoding: str, readers: int) -> Reading:
    path = f"/v1/experiments/{name}/result{QUERIES[query]}"
    pid = lab.service.pid
    idle = _status(pid, "VmRSS")
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins anew
    begun = time.perf_counter()
    with ThreadPoolExecutor(readers) as pool:
        sizes = {*pool.map(lambda _: _taken(lab.http, path, encoding), range(readers))}
    seconds = time.perf_counter() - begun
    ((sent, whole),) = sizes
    return Reading(
        query, encoding, sent, whole, seconds, idle, _status(pid, "VmHWM"), _status(pid, "VmRSS")
    )


def _taken(http: httpx.Client, path: str, encoding: str) -> tuple[int, int]:
    """(bytes sent, bytes of JSON) of an answer, of which nothing is kept."""
    while True:
        with http.stream("GET", path, headers={"Accept-Encoding": encoding}) as answer:
            if answer.status_code == 503:
                time.sleep(float(answer.headers["Retry-After"]))
                continue
            answer.raise_for_status()
            whole = sum(map(len, answer.iter_bytes()))
            return answer.num_bytes_downloaded, whole


def _status(pid: int, field: str) -> int:
    """Bytes of memory of a process, by their name in /proc."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(f"{field}:"))
    return 1024 * int(line.split()[1])


def table(found: list[Reading]) -> str:
    """As Markdown."""
    head = ["answer", "encoding", "MiB", "MiB sent", "s", "MiB idle", "MiB at most", "MiB after"]
    rows = [
        [
            one.query, one.encoding, f"{one.json_bytes / MIB:.2f}", f"{one.sent_bytes / MIB:.2f}",
            f"{one.seconds:.1f}",
            *(f"{size / MIB:.0f}" for size in (one.idle_bytes, one.peak_bytes, one.after_bytes)),
        ]
        for one in found
    ]  # fmt: skip
    return markdown.table(head, rows)


if __name__ == "__main__":
    main(sys.argv[1:])
