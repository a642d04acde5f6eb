"""Studies from a notebook: ask, wait, read the verdicts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

import rgclient
from rgclient import (
    AmbiguousField,
    Client,
    Conflict,
    Experiment,
    ExperimentCancelled,
    ExperimentFailed,
    Findings,
    NotReady,
    Study,
    UnknownField,
    WaitTimeout,
)
from rgclient._body import body
from rgclient._default import DefaultClient
from rgcontract import Findings as Data
from rgcontract.study import STUDY_FIELDS

OF_SEEDS = "seeds=0%2C1%2C2"
WHEN = "2026-01-02T03:04:05Z"


def member(name: str, corr_len: float, state: str) -> dict[str, Any]:
    return {
        "id": name, "spec_hash": "ab" * 32, "cell": {"chain.corr_len": corr_len}, "state": state,
        "run_counts": {state: 3}, "progress": 0.5, "under_trained": None,
        "collapse_ratio_error": None,
    }  # fmt: skip


def study(state: str = "queued", status: int = 200, **changes: Any) -> httpx.Response:
    found = {
        "id": "s-1", "name": "two lengths", "axes": {"chain.corr_len": [1, 7]}, "state": state,
        "progress": 0.5, "run_counts": {state: 6}, "seeds": [0, 1, 2], "target_error": None,
        "max_seeds": 16, "owner": "ada", "created_at": WHEN, "created": status == 201,
        "experiments": [member("e-1", 1.0, state), member("e-7", 7.0, state)],
    }  # fmt: skip
    return httpx.Response(status, json=found | changes)


def effect(estimate: float | None, **changes: Any) -> dict[str, Any]:
    return {
        "meaning": "a number", "estimate": estimate, "low": 0.1, "high": 0.3,
        "bootstrap_low": 0.15, "bootstrap_high": 0.25, "p_value": 0.01,
        "per_seed": {"0": 0.1, "1": 0.3, "2": 0.2}, "note": None,
    } | changes  # fmt: skip


def finding(claim: str, name: str, **changes: Any) -> dict[str, Any]:
    return {
        "claim": claim, "level": "position", "corr_lens": [1.0, 7.0],
        "experiments": ["e-1", "e-7"], "verdict": "supported", "reason": "Because <it> does.",
        "effects": {name: effect(0.2)}, "flags": {"long_collapse": "absent"}, "warnings": [],
    } | changes  # fmt: skip


def findings_json(**changes: Any) -> dict[str, Any]:
    contrast = finding("selective", "contrast", warnings=["under_trained"])
    localized = finding("localized", "effective_transitions", corr_lens=[1.0], verdict="refuted")
    return {
        "study_id": "s-1", "complete": True, "confidence": 0.9667, "n_seeds": 3,
        "error_bar": "training seeds, chain fixed", "updated_at": WHEN,
        "groups": [
            {"settings": {"model.norm": "layer"}, "findings": [contrast, localized]},
            {"settings": {"model.norm": "none"}, "findings": [contrast]},
        ],
    } | changes  # fmt: skip


def findings(**changes: Any) -> httpx.Response:
    return httpx.Response(200, json=findings_json(**changes))


@pytest.fixture
def verdicts() -> Findings:
    return Findings(Data.model_validate_json(json.dumps(findings_json())))


@pytest.fixture
def handle(client: Client, server: Any) -> Study:
    """A handle just after it was asked for."""
    server.will(study(status=201))
    asked = client.study(corr_len=[1, 7])
    server.requests.clear()
    return asked


def test_lists_are_put_where_their_fields_belong(client: Any, server: Any) -> None:
    server.will(study(status=201))
    client.study(corr_len=[1, 7], depth=[4, 8], seeds=5)
    assert server.paths == ["POST /v1/studies"]
    assert server.bodies == [
        {"chain": {"corr_len": [1, 7]}, "model": {"depth": [4, 8]}, "seeds": 5}
    ]


@pytest.mark.parametrize("name", ["preset", "name", "target_error", "max_seeds", "tags", "seeds"])
def test_a_field_of_the_study_stays_at_the_top(name: str) -> None:
    assert body({name: 3}, STUDY_FIELDS) == {name: 3}


def test_a_preset_may_be_given_by_position_or_by_name(client: Any, server: Any) -> None:
    server.will(study(status=201))
    client.study("demo", corr_len=3)
    client.study(preset="demo", corr_len=3)
    assert server.bodies == [{"preset": "demo", "chain": {"corr_len": 3}}] * 2


def test_a_misspelt_field_gets_the_nearest(client: Any, server: Any) -> None:
    with pytest.raises(UnknownField, match=r"did you mean target_error\?"):
        client.study(target_eror=0.1)
    assert server.requests == []


def test_a_field_of_submissions_only_is_refused(client: Any) -> None:
    with pytest.raises(UnknownField, match="unknown field 'label'"):
        client.study(label="x")


def test_seed_alone_is_refused(client: Any) -> None:
    with pytest.raises(AmbiguousField, match=r"seeds=\[3\]"):
        client.study(seed=[1, 2])


def test_a_study_is_a_handle(handle: Study) -> None:
    assert (handle.id, handle.name, handle.state, handle.created) == (
        "s-1", "two lengths", "queued", True,
    )  # fmt: skip
    assert handle.axes == {"chain.corr_len": [1, 7]}


def test_its_experiments_are_handles_that_cost_no_request(handle: Study, server: Any) -> None:
    first, second = handle.experiments
    assert isinstance(first, Experiment)
    assert (first.id, second.id, first.state) == ("e-1", "e-7", "queued")
    assert "corr_len 1.0" in repr(first)
    assert server.requests == []


def test_it_reads_at_a_glance(handle: Study) -> None:
    assert repr(handle) == (
        "<Study s-1: name 'two lengths', state queued, grid 2 experiments (2 chain.corr_len), "
        "runs 0 of 6 runs done>"
    )
    assert "<b>Study s-1</b>" in handle._repr_html_()


def test_refreshing_asks_again(handle: Study, server: Any) -> None:
    server.will(study("running"))
    assert handle.refresh().state == "running"
    assert server.paths == [f"GET /v1/studies/s-1?{OF_SEEDS}"]


def test_waiting_ends_with_the_findings(handle: Study, server: Any) -> None:
    server.will(study("running"), study("done"), findings())
    found = handle.wait(progress=False)
    assert isinstance(found, Findings)
    assert server.paths[-1] == f"GET /v1/studies/s-1/findings?{OF_SEEDS}"


def test_what_is_measured_is_waited_for_until_it_is_judged(
    handle: Study, server: Any, answer: Any, time: Any
) -> None:
    done, unwritten = study("done"), answer.problem(409, "not_ready")
    server.will(done, unwritten, done, findings(complete=False), done, findings())
    assert handle.wait(progress=False).complete
    assert len(time.sleeps) == 2


def test_seeds_that_are_added_meanwhile_are_waited_for(handle: Study, server: Any) -> None:
    done = study("done")
    server.will(done, findings(complete=False), study("queued"), done, findings())
    assert handle.wait(progress=False).complete


def test_a_timeout_says_that_it_goes_on(handle: Study, server: Any) -> None:
    server.will(study("running", run_counts={"running": 2, "done": 4}))
    with pytest.raises(WaitTimeout, match=r"not done after 60 s \(4 of 6 runs done\).*get_study"):
        handle.wait(timeout=60, progress=False)


def test_a_failure_says_why_and_what_to_do(
    handle: Study, server: Any, answer: Any, make_run: Any
) -> None:
    bad = member("e-7", 7.0, "failed") | {"run_counts": {"done": 2, "failed": 1}}
    counts = {"done": 5, "failed": 1}
    members = [member("e-1", 1.0, "done"), bad]
    runs = [make_run(0, "done"), make_run(1, "failed")]
    server.will(
        study("failed", experiments=members, run_counts=counts),
        answer.experiment("failed", id="e-7", runs=runs),
    )
    with pytest.raises(ExperimentFailed) as caught:
        handle.wait(progress=False)
    assert caught.value.experiment_id == "e-7"
    assert [cause.error for cause in caught.value.causes] == ["CUDA out of memory"]
    message = str(caught.value)
    assert "e-7, seed 1: CUDA out of memory" in message
    assert ".retry()" in message
    assert ".findings()" in message


def test_a_cancellation_says_so(handle: Study, server: Any) -> None:
    server.will(study("cancelled"))
    with pytest.raises(ExperimentCancelled, match=r"s-1 was cancelled.*retry"):
        handle.wait(progress=False)


def test_findings_before_anything_is_measured_are_not_ready(
    handle: Study, server: Any, answer: Any
) -> None:
    server.will(answer.problem(409, "not_ready"))
    with pytest.raises(NotReady):
        handle.findings()


def test_results_come_with_their_cells(handle: Study, server: Any, answer: Any) -> None:
    server.will(study("done"), answer.result(), answer.result())
    found = handle.results()
    assert [cell for cell, _ in found] == [{"chain.corr_len": 1.0}, {"chain.corr_len": 7.0}]
    assert server.paths[1:] == [
        f"GET /v1/experiments/{name}/result?arrays=small" for name in ("e-1", "e-7")
    ]


def test_cancelling_and_retrying(handle: Study, server: Any) -> None:
    server.will(study("cancelled"), study("queued"))
    assert handle.cancel().state == "cancelled"
    assert handle.retry().state == "queued"
    assert server.paths == [
        f"POST /v1/studies/s-1/cancel?{OF_SEEDS}",
        f"POST /v1/studies/s-1/retry?{OF_SEEDS}",
    ]


def test_cancelling_twice_is_no_error(handle: Study, server: Any, answer: Any) -> None:
    server.will(answer.problem(409, "not_cancellable"), study("cancelled"))
    assert handle.cancel().state == "cancelled"


def test_cancelling_what_is_done_is_one(handle: Study, server: Any, answer: Any) -> None:
    server.will(answer.problem(409, "not_cancellable"), study("done"))
    with pytest.raises(Conflict):
        handle.cancel()


def test_a_study_is_got_by_its_id(client: Any, server: Any) -> None:
    server.will(study("done"))
    assert client.get_study("s-1").state == "done"
    assert server.paths == ["GET /v1/studies/s-1"]


def test_the_pages_are_one_list(client: Any, server: Any) -> None:
    def page(names: Any, cursor: Any) -> Any:
        items = [
            {"id": name, "name": None, "state": "done", "run_counts": {"done": 6}, "owner": "ada",
             "created_at": WHEN}
            for name in names
        ]  # fmt: skip
        return httpx.Response(200, json={"items": items, "next_cursor": cursor})

    server.will(page(["a", "b"], "c1"), page(["d"], None))
    assert [found.id for found in client.studies(owner="ada")] == ["a", "b", "d"]
    asked = [dict(request.url.params) for request in server.requests]
    assert asked == [
        {"owner": "ada", "limit": "100"},
        {"owner": "ada", "limit": "100", "cursor": "c1"},
    ]


def test_what_a_list_leaves_out_is_asked_for(client: Any, server: Any) -> None:
    item = {"id": "s-1", "name": None, "state": "done", "run_counts": {"done": 6},
            "owner": "ada", "created_at": WHEN}  # fmt: skip
    server.will(httpx.Response(200, json={"items": [item], "next_cursor": None}), study("done"))
    (found,) = client.studies()
    assert [experiment.id for experiment in found.experiments] == ["e-1", "e-7"]


def test_the_package_has_studies(monkeypatch: pytest.MonkeyPatch, client: Any, server: Any) -> None:
    monkeypatch.setenv("RGLAB_URL", client.url)
    monkeypatch.setenv("RGLAB_TOKEN", "t")
    monkeypatch.setattr("rgclient._default.default_client", DefaultClient(lambda _: client))
    server.will(study(status=201), study("done"))
    assert rgclient.study("smoke").id == "s-1"
    assert rgclient.get_study("s-1").state == "done"


def test_the_findings_read_at_a_glance(verdicts: Findings) -> None:
    shown = repr(verdicts)
    assert "over training seeds, chain fixed, 3 or more; intervals at 96.7%" in shown
    assert "norm = layer" in shown
    assert "SUPPORTED    contrast 0.200 [0.100, 0.300]" in shown
    assert "xi = 1 against 7" in shown
    assert "Because <it> does." in shown
    assert "UNDER-TRAINED" in shown
    assert "INCOMPLETE" not in shown


def test_findings_before_the_end_say_so() -> None:
    partial = Findings(Data.model_validate(findings_json(complete=False)))
    assert not partial.complete
    assert "INCOMPLETE: runs are missing" in repr(partial)


def test_a_notebook_shows_a_table_with_its_text_escaped(verdicts: Findings) -> None:
    shown = verdicts._repr_html_()
    assert "<td>supported</td>" in shown
    assert "<td>UNDER-TRAINED</td>" in shown
    assert "Because &lt;it&gt; does." in shown


def test_an_effect_that_does_not_exist_is_unknown() -> None:
    nothing = finding("selective", "contrast", effects={"contrast": effect(None)})
    groups = [{"settings": {}, "findings": [nothing]}]
    shown = repr(Findings(Data.model_validate(findings_json(groups=groups))))
    assert "contrast unknown" in shown


def test_no_findings_at_all_are_shown_too() -> None:
    empty = Findings(Data.model_validate(findings_json(groups=[], n_seeds=0)))
    assert "Findings of study s-1" in repr(empty)
    assert len(empty.to_frame()) == 0


def test_the_frame_has_a_row_for_each_effect(verdicts: Findings) -> None:
    frame = verdicts.to_frame()
    assert len(frame) == 3
    row = frame.iloc[0]
    assert (row["model.norm"], row["claim"], row["level"], row["verdict"], row["effect"]) == (
        "layer", "selective", "position", "supported", "contrast",
    )  # fmt: skip
    assert (row["estimate"], row["low"], row["high"], row["n_seeds"]) == (0.2, 0.1, 0.3, 3)
    assert row["corr_lens"] == (1.0, 7.0)


def test_findings_are_saved_as_they_came(verdicts: Findings, tmp_path: Path) -> None:
    path = verdicts.save(tmp_path / "findings.json")
    assert Data.model_validate_json(path.read_bytes()) == verdicts.data


def test_a_study_and_its_experiments_are_about_the_seeds_that_were_asked_for(
    client: Any, server: Any
) -> None:
    own = member("e-1", 1.0, "done") | {"seeds": [0, 1, 2, 5]}  # 5 was added for a target_error
    server.will(study("done", status=201, experiments=[own]))
    asked = client.study(corr_len=1)
    server.requests.clear()
    server.will(study("done", experiments=[own]), httpx.Response(404))
    with pytest.raises(rgclient.RGLabError):
        asked.results()
    with pytest.raises(rgclient.RGLabError):
        asked.experiments[0].refresh()
    assert server.paths == [
        f"GET /v1/studies/s-1?{OF_SEEDS}",
        "GET /v1/experiments/e-1/result?arrays=small&seeds=0%2C1%2C2%2C5",
        "GET /v1/experiments/e-1?seeds=0%2C1%2C2%2C5",
    ]


def test_a_study_that_is_fetched_is_about_the_seeds_that_are_named(
    client: Any, server: Any
) -> None:
    server.will(study())
    assert client.get_study("s-1", seeds=2).state == "queued"
    assert server.paths == ["GET /v1/studies/s-1?seeds=0%2C1"]
