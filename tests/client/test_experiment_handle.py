"""The handle: what it shows, when it asks, cancelling and trying again."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from rgclient import NotReady, RGLabError, WaitTimeout

ATTEMPT = {
    "number": 1, "worker": "w1", "host": "gpu3", "device": "cuda:0", "versions": {"torch": "2.6"},
    "started_at": "2026-01-02T03:04:05Z", "ended_at": None, "outcome": None, "error": None,
    "traceback": None, "trained": True, "calibration": {},
}  # fmt: skip


@pytest.mark.parametrize(("status", "created"), [(201, True), (200, False)])
def test_a_submission_gives_a_handle_without_asking_more(
    client: Any, server: Any, answer: Any, status: int, created: bool
) -> None:
    server.will(answer.acknowledgement(status))
    handle = client.submit(corr_len=7)
    assert (handle.id, handle.state, handle.created) == ("exp1", "queued", created)
    assert handle.spec_hash == "ab" * 32
    assert repr(handle) == "<Experiment exp1: queued, 0 of 3 runs done>"
    assert len(server.requests) == 1


def test_the_spec_is_asked_for_once_when_it_is_read(client: Any, server: Any, answer: Any) -> None:
    server.will(answer.acknowledgement(), answer.experiment(label="first"))
    handle = client.submit(corr_len=7)
    assert handle.spec.chain.corr_len == 7
    assert handle.spec.model.depth == 8
    assert handle.label == "first"
    assert handle.created_at.year == 2026
    assert server.paths[1:] == ["GET /v1/experiments/exp1"]


def test_a_spec_that_the_server_cannot_read_is_said_and_the_rest_is_there(
    client: Any, server: Any, answer: Any
) -> None:
    server.will(answer.experiment(spec=None, unreadable="training.tempo: unknown field"))
    handle = client.get("exp1")
    assert "queued, a spec that the server cannot read" in repr(handle)
    with pytest.raises(RGLabError, match=r"exp1: training\.tempo: unknown field"):
        _ = handle.spec


def test_the_repr_has_the_key_numbers(client: Any, server: Any, answer: Any) -> None:
    counts = {"running": 1, "done": 1, "failed": 1}
    server.will(answer.experiment("running", run_counts=counts, progress=0.42, label="a 'b'"))
    assert repr(client.get("exp1")) == (
        "<Experiment exp1: label \"a 'b'\", running, xi = 7, random_reversible, depth 8, "
        "width 64, progress 42 %, 1 of 3 runs done, 1 failed>"
    )


def test_progress_is_a_number_and_is_shown_once_it_has_begun(
    client: Any, server: Any, answer: Any
) -> None:
    server.will(answer.experiment("queued"), answer.experiment("running", progress=0.004))
    handle = client.get("exp1")
    assert handle.progress == 0.0
    assert "progress" not in repr(handle)
    assert handle.refresh().progress == 0.004
    assert "progress under 1 %" in repr(handle)


def test_the_html_escapes_a_label(client: Any, server: Any, answer: Any) -> None:
    server.will(answer.experiment(label="<script>alert(1)</script>"))
    html = client.get("exp1")._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "xi = 7" in html


def test_refresh_asks_again(client: Any, server: Any, answer: Any) -> None:
    server.will(answer.experiment("queued"), answer.experiment("done"))
    handle = client.get("exp1")
    assert handle.state == "queued"
    assert handle.refresh() is handle
    assert handle.state == "done"


def test_a_timeout_says_how_to_get_back(client: Any, server: Any, answer: Any, time: Any) -> None:
    server.will(answer.experiment("queued", waiting={"reason": "4 runs go first", "place": 4}))
    handle = client.get("exp1")
    with pytest.raises(WaitTimeout) as caught:
        handle.wait(timeout=5)
    assert str(caught.value) == (
        "experiment exp1 is not done after 5 s (queued: 4 runs go first). "
        "It goes on: rgclient.get('exp1').wait() waits for it again"
    )
    assert caught.value.experiment_id == "exp1"
    assert time.seconds == pytest.approx(5)


def test_a_result_that_is_not_there(client: Any, server: Any, answer: Any) -> None:
    server.will(answer.experiment("running"), answer.problem(409, "not_ready", "it is running"))
    with pytest.raises(NotReady, match="it is running"):
        client.get("exp1").result()


@pytest.mark.parametrize(("action", "state"), [("cancel", "cancelled"), ("retry", "queued")])
def test_an_action_is_posted_and_its_answer_taken(
    client: Any, server: Any, answer: Any, action: str, state: str
) -> None:
    server.will(answer.experiment("failed"), answer.experiment(state))
    handle = client.get("exp1")
    assert getattr(handle, action)() is handle
    assert handle.state == state
    assert server.paths[1:] == [f"POST /v1/experiments/exp1/{action}"]


def test_attempts_by_seed(client: Any, server: Any, answer: Any, make_run: Any) -> None:
    runs = [make_run(0, "running", attempts=[ATTEMPT]), make_run(5, "queued")]
    server.will(answer.experiment("running"), answer.experiment("running", runs=runs))
    attempts = client.get("exp1").attempts()
    assert {seed: len(tries) for seed, tries in attempts.items()} == {0: 1, 5: 0}
    assert attempts[0][0].host == "gpu3"


def test_a_listed_experiment_shows_its_numbers_without_asking(
    client: Any, server: Any, answer: Any
) -> None:
    server.will(answer.page(["a"]))
    (handle,) = client.experiments()
    assert repr(handle) == (
        "<Experiment a: done, xi = 7, random_reversible, depth 8, width 64, 3 of 3 runs done>"
    )
    assert len(server.requests) == 1


def test_a_broken_second_page_is_an_error_where_it_is_read(
    client: Any, server: Any, answer: Any
) -> None:
    server.will(answer.page(["a"], "more"), httpx.Response(404))
    found = client.experiments()
    assert next(found).id == "a"
    with pytest.raises(RGLabError):
        next(found)
