"""A client of today reads the answers of a server that knows more, and keeps all of them."""

from __future__ import annotations

import json
import math
import pickle
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import matplotlib as mpl
import pytest
from pydantic import BaseModel, ValidationError

import rgclient
from rgclient import Client, NewerServer, NotMeasured, Result, WaitTimeout
from rgclient._progress import doing
from rgcontract import (
    Acknowledgement,
    BulkAcknowledgement,
    Experiment,
    ExperimentPage,
    Forecast,
    Study,
    StudyPage,
    Submission,
)
from rgcontract import Findings as FindingsData
from rgcontract import Result as Data
from rgcontract.reading import as_json, read
from rgcontract.version import CONTRACT, CONTRACT_HEADER

mpl.use("Agg")

GOLDEN = json.loads((Path(__file__).parent / "golden" / "newer_answers.json").read_text())
"""Route -> its answer with fields, states, families, levels, quantities that nobody has yet."""
MODELS: dict[str, type[BaseModel]] = {
    "POST /v1/experiments": Acknowledgement,
    "POST /v1/experiments?dry_run=true": Forecast,
    "POST /v1/experiments/bulk": BulkAcknowledgement,
    "GET /v1/experiments": ExperimentPage,
    "GET /v1/experiments/exp1": Experiment,
    "POST /v1/experiments/exp1/cancel": Experiment,
    "POST /v1/experiments/exp1/retry": Experiment,
    "GET /v1/experiments/exp1/result": Data,
    "POST /v1/studies": Study,
    "GET /v1/studies": StudyPage,
    "GET /v1/studies/s-1": Study,
    "POST /v1/studies/s-1/cancel": Study,
    "POST /v1/studies/s-1/retry": Study,
    "GET /v1/studies/s-1/findings": FindingsData,
    "GET /healthz": rgclient.Health,
}


def answers(request: httpx.Request) -> httpx.Response:
    """What the server of another day answers."""
    url = request.url
    route = f"{request.method} {url.path}"
    if "dry_run" in url.params:
        route += "?dry_run=true"
    return httpx.Response(200, json=GOLDEN[route])


@pytest.fixture
def newer(time: Any) -> Iterator[Any]:
    with Client(
        "http://lab", "t", transport=httpx.MockTransport(answers), clock=time.clock
    ) as opened:
        yield opened


@pytest.fixture
def quiet() -> Iterator[Any]:
    """The remarks are not what a test is about."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NewerServer)
        yield


def superset(whole: Any, part: Any) -> bool:
    """Whether all that is in the one is in the other; there may be defaults beside it."""
    if isinstance(part, dict):
        return all(key in whole and superset(whole[key], item) for key, item in part.items())
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(superset, whole, part))
    return bool(whole == part)


@pytest.mark.parametrize("route", GOLDEN)
def test_nothing_of_an_answer_is_lost(route: Any) -> None:
    text = json.dumps(GOLDEN[route])
    found = read(MODELS[route], text)
    assert superset(json.loads(as_json(found)), json.loads(text))
    assert read(MODELS[route], as_json(found)) == found


def test_every_route_of_the_client_is_in_the_recorded_set(newer: Any, quiet: Any) -> None:
    asked = []
    newer._connection._http().event_hooks["request"].append(
        lambda request: asked.append(f"{request.method} {request.url.path}")
    )
    experiment, study = newer.submit(corr_len=7), newer.study(corr_len=[1, 7])
    newer.forecast(corr_len=7)
    newer.submit_many([{"corr_len": 7}])
    newer.health()
    assert [one.id for one in newer.experiments()] == [one.id for one in [experiment]]
    assert [one.id for one in newer.studies()] == [study.id]
    for handle in (experiment.refresh(), study.refresh()):
        handle.cancel().retry()
    experiment.result()
    study.findings()
    assert {*asked} == {route.partition("?")[0] for route in GOLDEN}


def test_what_is_not_known_stands_in_extra_at_its_place(newer: Any, quiet: Any) -> None:
    view = newer.view("exp1")
    assert view.extra == {"fidelity": 0.9, "co_owners": ["eve"]}
    assert view.runs[0].progress.extra == {"eta": 60}
    assert view.runs[1].attempts[0].extra == {"energy": 12.5}
    assert view.spec.extra["steering"] == {"temperature": 0.5}
    assert view.spec.model.extra == {"heads": 4}
    assert view.spec.chain.extra == {"n_modes": 4}
    result = newer.result("exp1")
    assert result.data.extra == {"quality": "gold"}
    assert result.chain.extra == {"n_modes": 4}
    assert result.losses().extra["codelength"]["mean"] == 1.5
    with pytest.raises(NotMeasured, match="there are loss, bayes_loss"):
        result.quantity("codelength", "network")  # no estimate: nobody here knows what it is
    assert newer.findings("s-1").data.extra == {"multiplicity": "holm"}


def test_an_answer_of_today_has_nothing_extra(client: Any, server: Any, answer: Any) -> None:
    server.will(answer.experiment())
    view = client.view("exp1")
    assert view.extra == view.spec.extra == view.spec.chain.extra == {}


def test_a_state_that_nobody_here_knows_is_a_text_that_is_no_end(newer: Any, quiet: Any) -> None:
    handle = newer.get("exp1")
    assert handle.state == "paused"
    assert f"{handle.state} {handle.state.value}" == "paused paused"
    assert not handle.state.is_final
    assert pickle.loads(pickle.dumps(handle.state)) == handle.state
    assert repr(handle) == (
        "<Experiment exp1: paused, xi = 7, designed, depth 2, width 4096, 1 of 2 runs done>"
    )
    assert "paused" in handle._repr_html_()
    study = newer.get_study("s-1")
    assert "state paused" in repr(study)
    assert [one.state for one in study.experiments] == ["paused"]
    assert [one.state for one in newer.experiments()] == ["paused"]


def test_a_spec_of_a_newer_form_keeps_what_it_says(newer: Any, quiet: Any) -> None:
    spec = newer.get("exp1").spec
    assert (spec.chain.family, spec.chain.corr_len, spec.chain.seed) == ("designed", 7.0, 3)
    assert (spec.model.mixing, spec.model.width) == ("attention", 4096)
    assert spec.training.optimizer == "muon"
    assert spec.measurement.levels == ("position", "masked_position")
    assert (spec.training.steps, spec.seeds) == (1500, (0, 1, 2))


def test_a_state_that_nobody_here_knows_is_waited_through(
    newer: Any, time: Any, quiet: Any
) -> None:
    with pytest.raises(WaitTimeout, match="state 'paused', which this client does not know"):
        newer.get("exp1").wait(timeout=60, progress=False)
    with pytest.raises(WaitTimeout, match="2 of 6 runs done"):
        newer.get_study("s-1").wait(timeout=60, progress=False)
    assert 120 <= time.seconds < 130


def test_the_progress_line_says_that_it_goes_on_asking(newer: Any, quiet: Any) -> None:
    assert doing(newer.view("exp1")).startswith(
        "state 'paused', which this client does not know: still asking; 1 of 2 runs done"
    )


def test_what_ends_after_a_state_that_nobody_here_knows_is_read(
    client: Any, server: Any, answer: Any, quiet: Any
) -> None:
    server.will(answer.experiment("paused"), answer.experiment("done"), answer.result())
    assert client.get("exp1").wait(progress=False).id == "exp1"


def test_an_observable_that_nobody_here_knows_is_read_by_its_name(newer: Any, quiet: Any) -> None:
    result = newer.result("exp1")
    series = result.quantity("intrinsic_dimension", "masked_position", "thawed")
    assert series.mean[0] == 1.5
    assert math.isnan(series.mean[1])
    assert series.reasons == {1: "nobody has thought of it yet"}
    assert result.quantity("retention").shape == (3, 2)
    assert result.effective_rank("masked_position").mean == (11.0, 8.5, 7.0)


def test_a_result_of_a_newer_server_is_shown_drawn_and_tabulated(newer: Any, quiet: Any) -> None:
    import matplotlib.pyplot as plt

    result = newer.result("exp1")
    assert "designed" in repr(result)
    assert "designed" in result._repr_html_()
    frame = result.to_frame()
    assert {"intrinsic_dimension", "effective_rank"} <= set(frame.quantity)
    assert set(frame.when) == {"initial", "final", "thawed"}
    assert set(frame.level) == {"position", "masked_position", "network"}
    axes = result.plot(level="masked_position")
    assert [line.get_label() for line in axes.lines] == ["initial", "final", "thawed"]
    plt.close("all")


def test_a_saved_result_of_a_newer_server_is_whole(newer: Any, quiet: Any, tmp_path: Path) -> None:
    result = newer.result("exp1")
    path = result.save(tmp_path / "result.json")
    assert superset(json.loads(path.read_text()), GOLDEN["GET /v1/experiments/exp1/result"])
    assert Result.load(path) == result


def test_claims_and_verdicts_that_nobody_here_knows_are_shown(
    newer: Any, quiet: Any, tmp_path: Path
) -> None:
    findings = newer.findings("s-1")
    shown = repr(findings)
    assert re.search(r"universal .*SUSPENDED .*exponent 0\.200", shown)
    assert "suspended" in findings._repr_html_()
    assert "universal" in set(findings.to_frame().claim)
    assert {row["verdict"] for row in findings.table()} == {"supported", "refuted", "suspended"}
    saved = json.loads(findings.save(tmp_path / "findings.json").read_text())
    assert superset(saved, GOLDEN["GET /v1/studies/s-1/findings"])


def test_it_is_said_once_what_to_upgrade(newer: Any) -> None:
    with pytest.warns(NewerServer) as said:
        newer.get("exp1")
    newer.get("exp1").refresh()  # a warning would be an error here
    (remark,) = [str(one.message) for one in said]
    assert "http://lab says what rgclient" in remark
    assert "field Attempt.energy" in remark
    assert "upgrade rgclient" in remark
    with pytest.warns(NewerServer, match=r"ExperimentPage\.total"):
        list(newer.experiments())


@pytest.mark.parametrize("unknown", ["chains of family 'designed'", "Experiment.state 'paused'"])
def test_the_remark_names_what_is_not_known(
    newer: Any, monkeypatch: pytest.MonkeyPatch, unknown: str
) -> None:
    monkeypatch.setattr("rgclient._newer.MOST_NAMED", 99)
    with pytest.warns(NewerServer, match=re.escape(unknown)):
        newer.get("exp1")


def test_what_is_sent_is_as_strict_as_ever() -> None:
    with pytest.raises(ValidationError, match="heads"):
        Submission.model_validate_json('{"model": {"heads": 4}}')
    with pytest.raises(ValidationError, match="designed"):
        Submission.model_validate_json('{"chain": {"family": "designed"}}')
    with pytest.raises(ValidationError, match="paused"):
        Acknowledgement.model_validate(GOLDEN["POST /v1/experiments"])


def test_what_is_no_answer_at_all_is_still_refused() -> None:
    for wrong in ({"state": 3}, {"state": None}):
        with pytest.raises(ValidationError):
            read(Acknowledgement, json.dumps(GOLDEN["POST /v1/experiments"] | wrong))
    with pytest.raises(ValidationError):
        read(Experiment, json.dumps(GOLDEN["GET /v1/experiments/exp1"] | {"spec": "a text"}))


def test_every_request_names_the_contract_of_the_client(
    client: Any, server: Any, answer: Any
) -> None:
    server.will(answer.acknowledgement(), answer.experiment())
    client.submit(corr_len=7)
    client.get("exp1")
    assert [r.headers[CONTRACT_HEADER] for r in server.requests] == [str(CONTRACT)] * 2


def spoken(response: httpx.Response, version: str) -> httpx.Response:
    response.headers[CONTRACT_HEADER] = version
    return response


@pytest.mark.parametrize(
    ("version", "advice"),
    [
        (f"{CONTRACT.major + 1}.0", "upgrade rgclient"),
        (f"{CONTRACT.major - 1}.9", "upgrade the server (RGLab)"),
    ],
)
def test_another_contract_is_an_error_in_one_sentence(
    client: Any, server: Any, answer: Any, version: str, advice: str
) -> None:
    server.will(spoken(answer.experiment(), version))
    with pytest.raises(rgclient.ContractMismatch) as caught:
        client.get("exp1")
    assert str(caught.value).endswith(advice)
    assert f"speaks contract {version}" in str(caught.value)
    assert len(server.requests) == 1


def test_a_refusal_of_the_servers_says_the_same(client: Any, server: Any, answer: Any) -> None:
    server.will(answer.problem(400, "contract_mismatch", "upgrade the client"))
    with pytest.raises(rgclient.ContractMismatch, match="upgrade the client"):
        client.get("exp1")


def test_a_newer_minor_version_is_said_once(client: Any, server: Any, answer: Any) -> None:
    server.will(spoken(answer.experiment(), f"{CONTRACT.major}.{CONTRACT.minor + 1}"))
    with pytest.warns(NewerServer, match="upgrade rgclient to make use of what is new") as said:
        client.get("exp1")
    client.get("exp1")  # a warning would be an error here
    assert len(said) == 1


@pytest.mark.parametrize("version", [str(CONTRACT), "", "soon"])
def test_the_same_contract_or_none_is_nothing_to_talk_of(
    client: Any, server: Any, answer: Any, version: Any
) -> None:
    server.will(spoken(answer.experiment(), version))
    assert client.get("exp1").id == "exp1"
