"""What a notebook does with a server, by the client of whichever release is imported.

`python asks_of_a_server.py` reads what to ask as JSON, and writes what came of each step as JSON: a
value, or the name and text of the error. It uses what the first release of the client has.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import rgclient

Step = Callable[[], Any]


def steps(client: rgclient.Client, asked: dict[str, Any]) -> Iterator[tuple[str, Step]]:
    """Each step by its name, in order: later ones go on from earlier ones."""
    known, new = asked["known"], asked["new"]
    yield "health", lambda: client.health().status
    yield "forecast of what is known", lambda: client.forecast(**known).cached
    yield "forecast of what is new", lambda: client.forecast(**new).missing_runs
    there = client.submit(**known)
    yield "submit what is known", lambda: [there.created, there.state]
    yield "wait", lambda: _numbers(there.wait(progress=False))
    yield "result of each run", lambda: _numbers(there.result(per_run=True))
    yield "get", lambda: _told(client.get(there.id))
    yield "list", lambda: sorted(one.id for one in client.experiments(state="done"))
    yield "list with specs", lambda: [_told(one) for one in client.experiments(state="done")]
    study = client.study(**asked["study"])
    yield "study", lambda: [study.created, study.state, len(study.experiments)]
    yield "wait for a study", lambda: _verdicts(study.wait(progress=False))
    yield "findings", lambda: _verdicts(client.get_study(study.id).findings())
    yield "list of studies", lambda: [one.id for one in client.studies()]
    fresh = client.submit(**new)
    yield "submit what is new", lambda: [fresh.created, fresh.state, fresh.spec.seeds]
    yield "no result yet", lambda: fresh.result().id
    yield "cancel", lambda: fresh.cancel().state
    yield "wait for what is cancelled", lambda: fresh.wait(progress=False)
    yield "retry", lambda: fresh.retry().state
    yield "cancel again", lambda: client.get(fresh.id).cancel().state
    yield "cancel what is done", lambda: there.cancel().state
    yield "cancel what is not asked for", lambda: client.get(asked["of another"]).cancel().state
    yield "nothing there", lambda: client.get("e-none").id
    yield "a refused field", lambda: client.submit(width=1).id
    yield "too much", lambda: client.submit(**asked["too much"]).id
    yield "a refused token", lambda: list(rgclient.Client(client.url, "rgl-no").experiments())


def _told(one: Any) -> list[Any]:
    """Of an experiment, with the fields of its spec."""
    spec = one.spec
    return [one.id, one.state, spec.chain.corr_len, spec.model.width, list(spec.seeds)]


def _numbers(result: Any) -> list[Any]:
    """Of a result."""
    losses = result.losses()
    ranks = [list(result.effective_rank("pooled", when).mean) for when in ("initial", "final")]
    spectrum = result.spectrum("pooled").shape
    return [list(result.seeds), losses.loss.mean, ranks, list(spectrum), result.chain.corr_len]


def _verdicts(findings: Any) -> list[list[str]]:
    """Of all claims."""
    return sorted(
        [one.claim, one.level, one.verdict] for group in findings.groups for one in group.findings
    )


def _came(step: Step) -> dict[str, Any]:
    try:
        return {"value": step()}
    except rgclient.RGLabError as error:
        return {"error": type(error).__name__, "text": str(error)}


if __name__ == "__main__":
    warnings.simplefilter("error")
    if newer := getattr(rgclient, "NewerServer", None):  # a client of before says that it is one
        warnings.simplefilter("ignore", newer)
    asked = json.load(sys.stdin)
    with rgclient.Client(asked["url"], asked["token"]) as client:
        json.dump({name: _came(step) for name, step in steps(client, asked)}, sys.stdout)
