"""A database is migrated while the release before serves from it and works on it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from lab_processes import Lab, until
from releases import RELEASES, REVISIONS, LabOf, Release, fill, small
from sqlalchemy import make_url, text

from migrations import upgrade

NEXT = dict(zip(RELEASES, [*list(RELEASES)[1:], REVISIONS[-1]], strict=True))
"""Release -> the newest revision of the release that follows it; today's for the last."""
NOT_READ = {"0003": {"idle seed"}}
"""Release -> what it no longer reads when the next has migrated: 0007 sets the chain seed of runs
to 0 where it draws nothing, and the release before looks for them under the seed that was sent."""
LENGTHS = count(10)
"""Correlation lengths that nobody has asked for."""


@pytest.fixture
def empty(admin: Any, postgres: str) -> Iterator[str]:
    """URL of a database without any table."""
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE upgraded_live"))
    url = make_url(postgres).set(database="upgraded_live")
    yield url.render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE upgraded_live WITH (FORCE)"))


@pytest.fixture(params=RELEASES)
def old(
    request: pytest.FixtureRequest, empty: str, scratch: Path, tmp_path: Path
) -> Iterator[LabOf]:
    """A lab of a release, with an API and no worker."""
    release = Release(request.param, tmp_path / "code")
    upgrade(empty, release.revision)
    lab = LabOf(release, scratch / f"upgraded-{release.revision}", empty)
    yield lab
    _stop(lab)


def _stop(lab: Lab) -> None:
    lab.stop()
    for child in lab.children:
        print(f"== {child.log}\n{child.tail(40)}")


def _new(steps: int = 20) -> dict[str, Any]:
    return small(chain={"corr_len": float(next(LENGTHS))}, training={"steps": steps}) | {"seeds": 1}


def _numbers(http: httpx.Client, name: str) -> dict[tuple[str, ...], Any]:
    """Means and error bars of an answer, which is read as plain JSON: each release has its own."""
    answer = http.get(f"/v1/experiments/{name}/result", params={"arrays": "runs"})
    assert answer.is_success, answer.text
    return {
        (snapshot["when"], level["level"], quantity): (value["mean"], value["standard_error"])
        for snapshot in answer.json()["snapshots"]
        for level in snapshot["levels"]
        for quantity, value in level["quantities"].items()
    }


def test_the_release_before_serves_and_works_during_each_upgrade(old: LabOf, empty: str) -> None:
    names = fill(old)
    worker = old.worker()
    old.await_state(names["queued"], "done")
    for revision in REVISIONS[REVISIONS.index(old.release.revision) + 1 :]:
        if revision > NEXT[old.release.revision]:
            break
        under_way = old.ask(_new(steps=4000))
        until(lambda: old.state(under_way) == "running")  # noqa: B023 - called at once
        upgrade(empty, revision)
        after = old.ask(_new())
        for name in (under_way, after):
            old.await_state(name, "done")
            names[f"{revision} {name}"] = name
        assert old.read("/v1/experiments")["items"]
    worker.stop()
    hidden = {"study", "cancelled", *NOT_READ.get(old.release.revision, ())}
    before = {name: _numbers(old.http, name) for what, name in names.items() if what not in hidden}
    assert all(before.values())
    upgrade(empty)
    with httpx.Client(base_url=Lab.api(old), headers=old.http.headers) as today:
        assert {name: _numbers(today, name) for name in before} == before
        assert _numbers(today, names["idle seed"])
