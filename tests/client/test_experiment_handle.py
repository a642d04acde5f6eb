"""The handle: what it shows, asking, waiting, cancelling, trying again, lists."""

from __future__ import annotations

import httpx
import pytest

from rgclient import ExperimentCancelled, ExperimentFailed, NotReady, RGLabError, WaitTimeout

ATTEMPT = {
    "number": 1, "worker": "w1", "host": "gpu3", "device": "cuda:0", "versions": {"torch": "2.6"},
    "started_at": "2026-01-02T03:04:05Z", "ended_at": None, "outcome": None, "error": None,
    "traceback": None,
}  # fmt: skip


@pytest.mark.parametrize(("status", "created"), [(201, True), (200, False)])
def test_a_submission_gives_a_handle_without_asking_more(client, server, answer, status, created):
    server.will(answer.acknowledgement(status))
    handle = client.submit(corr_len=7)
    assert (handle.id, handle.state, handle.created) == ("exp1", "queued", created)
    assert handle.spec_hash == "ab" * 32
    assert repr(handle) == "<Experiment exp1: queued, 0 of 3 seeds done>"
    assert len(server.requests) == 1


def test_the_spec_is_asked_for_once_when_it_is_read(client, server, answer):
    server.will(answer.acknowledgement(), answer.experiment(label="first"))
    handle = client.submit(corr_len=7)
    assert handle.spec.chain.corr_len == 7
    assert handle.spec.model.depth == 8
    assert handle.label == "first"
    assert handle.created_at.year == 2026
    assert server.paths[1:] == ["GET /v1/experiments/exp1"]


def test_the_repr_has_the_key_numbers(client, server, answer):
    counts = {"running": 1, "done": 1, "failed": 1}
    server.will(answer.experiment("running", run_counts=counts, progress=0.42, label="a 'b'"))
    assert repr(client.get("exp1")) == (
        "<Experiment exp1: label \"a 'b'\", running, xi = 7, random_reversible, depth 8, "
        "width 64, progress '42%', 1 of 3 seeds done, 1 failed>"
    )


def test_the_html_escapes_a_label(client, server, answer):
    server.will(answer.experiment(label="<script>alert(1)</script>"))
    html = client.get("exp1")._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "xi = 7" in html


def test_refresh_asks_again(client, server, answer):
    server.will(answer.experiment("queued"), answer.experiment("done"))
    handle = client.get("exp1")
    assert handle.state == "queued"
    assert handle.refresh() is handle
    assert handle.state == "done"


def test_wait_returns_the_result_with_all_arrays(client, server, answer):
    server.will(
        answer.experiment("queued"), answer.experiment("queued"),
        answer.experiment("running", progress=0.5), answer.experiment("done"), answer.result(),
    )  # fmt: skip
    handle = client.get("exp1")
    result = handle.wait()
    assert result.id == "exp1"
    assert handle.state == "done"
    assert server.paths[-1] == "GET /v1/experiments/exp1/result?arrays=all"


def test_wait_asks_less_and_less_often(client, server, answer, time):
    server.will(answer.experiment("running"))
    handle = client.get("exp1")
    with pytest.raises(WaitTimeout):
        handle.wait(timeout=60)
    assert time.sleeps[:2] == [0.25, 0.325]
    assert max(time.sleeps) == 3.0


def test_wait_asks_as_often_as_told(client, server, answer, time):
    server.will(answer.experiment("running"))
    handle = client.get("exp1")
    with pytest.raises(WaitTimeout):
        handle.wait(timeout=10, poll=2)
    assert time.sleeps == [2, 2, 2, 2, 2]


def test_a_poll_of_zero_does_not_hammer_the_server(client, server, answer, time):
    server.will(answer.experiment("running"))
    handle = client.get("exp1")
    with pytest.raises(WaitTimeout):
        handle.wait(timeout=1, poll=0)
    assert len(time.sleeps) <= 21


def test_a_timeout_of_zero_looks_once(client, server, answer, time):
    server.will(answer.experiment("done"), answer.experiment("done"), answer.result())
    assert client.get("exp1").wait(timeout=0).id == "exp1"
    assert time.sleeps == []


def test_a_timeout_says_how_to_get_back(client, server, answer, time):
    server.will(answer.experiment("queued", waiting={"reason": "4 runs go first", "place": 4}))
    handle = client.get("exp1")
    with pytest.raises(WaitTimeout) as caught:
        handle.wait(timeout=5)
    assert str(caught.value) == (
        "experiment exp1 is not done after 5 s (queued, 4 runs ahead: 4 runs go first). "
        "It goes on: rgclient.get('exp1').wait() waits for it again"
    )
    assert caught.value.experiment_id == "exp1"
    assert time.seconds == pytest.approx(5)


def test_a_timeout_cancels_nothing(client, server, answer):
    server.will(answer.experiment("running"))
    with pytest.raises(WaitTimeout):
        client.get("exp1").wait(timeout=5)
    assert {path.partition(" ")[0] for path in server.paths} == {"GET"}


def test_a_failure_has_the_causes_and_what_to_do(client, server, answer, make_run):
    runs = [make_run(0, "done"), make_run(3, "failed", attempts=[ATTEMPT, ATTEMPT])]
    server.will(answer.experiment("failed", runs=runs, run_counts={"done": 1, "failed": 1}))
    with pytest.raises(ExperimentFailed) as caught:
        client.get("exp1").wait()
    assert str(caught.value).splitlines() == [
        "experiment exp1 failed (1 of 2 seeds done, 1 failed)",
        "  seed 3: CUDA out of memory",
        ".attempts() has the tracebacks, .retry() queues the failed runs again, "
        ".result(partial=True) has the seeds that are measured",
    ]
    (cause,) = caught.value.causes
    assert (cause.seed, cause.error, cause.attempts) == (3, "CUDA out of memory", 2)
    assert caught.value.experiment_id == "exp1"


def test_many_failures_are_not_all_printed(client, server, answer, make_run):
    runs = [make_run(seed, "failed") for seed in range(10)]
    server.will(answer.experiment("failed", runs=runs, run_counts={"failed": 10}))
    with pytest.raises(ExperimentFailed, match=r"and 7 more, see \.causes") as caught:
        client.get("exp1").wait()
    assert len(caught.value.causes) == 10
    assert "partial" not in str(caught.value)


def test_a_cancelled_experiment_says_so(client, server, answer):
    server.will(answer.experiment("cancelled"))
    with pytest.raises(ExperimentCancelled, match=r"3 cancelled.*\.retry\(\)") as caught:
        client.get("exp1").wait()
    assert caught.value.experiment_id == "exp1"


def test_a_result_that_is_not_there(client, server, answer):
    server.will(answer.experiment("running"), answer.problem(409, "not_ready", "it is running"))
    with pytest.raises(NotReady, match="it is running"):
        client.get("exp1").result()


def test_a_partial_result(client, server, answer):
    server.will(answer.experiment("running"), answer.result())
    assert client.get("exp1").result(partial=True).seeds == (0, 1)
    assert server.paths[1:] == ["GET /v1/experiments/exp1/result?arrays=all&partial=true"]


@pytest.mark.parametrize(("action", "state"), [("cancel", "cancelled"), ("retry", "queued")])
def test_an_action_is_posted_and_its_answer_taken(client, server, answer, action, state):
    server.will(answer.experiment("failed"), answer.experiment(state))
    handle = client.get("exp1")
    assert getattr(handle, action)() is handle
    assert handle.state == state
    assert server.paths[1:] == [f"POST /v1/experiments/exp1/{action}"]


def test_attempts_by_seed(client, server, answer, make_run):
    runs = [make_run(0, "running", attempts=[ATTEMPT]), make_run(5, "queued")]
    server.will(answer.experiment("running"), answer.experiment("running", runs=runs))
    attempts = client.get("exp1").attempts()
    assert {seed: len(tries) for seed, tries in attempts.items()} == {0: 1, 5: 0}
    assert attempts[0][0].host == "gpu3"


def test_lists_go_on_over_the_pages(client, server, answer):
    server.will(answer.page(["a", "b"], "next="), answer.page(["c"]))
    assert [handle.id for handle in client.experiments()] == ["a", "b", "c"]
    assert server.paths == [
        "GET /v1/experiments?limit=100",
        "GET /v1/experiments?limit=100&cursor=next%3D",
    ]


def test_a_page_is_asked_for_only_when_it_is_read(client, server, answer):
    server.will(answer.page(["a", "b"], "more"))
    found = client.experiments(limit=2)
    assert server.requests == []
    assert [handle.id for handle in found] == ["a", "b"]
    assert server.paths == ["GET /v1/experiments?limit=2"]


def test_filters_are_sent_as_text(client, server, answer):
    server.will(answer.page([]))
    filters = {"state": "done", "corr_len_min": 1.5, "corr_len_max": 7, "depth": 4, "tag": "a b"}
    assert list(client.experiments(**filters)) == []
    assert dict(server.requests[0].url.params) == {
        "state": "done", "corr_len_min": "1.5", "corr_len_max": "7", "depth": "4", "tag": "a b",
        "limit": "100",
    }  # fmt: skip


def test_a_filter_that_is_not_finite_is_refused_here(client, server):
    with pytest.raises(RGLabError, match="corr_len_min is nan"):
        client.experiments(corr_len_min=float("nan"))
    assert server.requests == []


def test_a_filter_that_does_not_exist_is_a_type_error(client):
    with pytest.raises(TypeError, match="corr_len"):
        client.experiments(corr_len=7)


def test_a_listed_experiment_shows_its_numbers_without_asking(client, server, answer):
    server.will(answer.page(["a"]))
    (handle,) = client.experiments()
    assert repr(handle) == (
        "<Experiment a: done, xi = 7, random_reversible, depth 8, width 64, 3 of 3 seeds done>"
    )
    assert len(server.requests) == 1


def test_a_broken_second_page_is_an_error_where_it_is_read(client, server, answer):
    server.will(answer.page(["a"], "more"), httpx.Response(404))
    found = client.experiments()
    assert next(found).id == "a"
    with pytest.raises(RGLabError):
        next(found)
