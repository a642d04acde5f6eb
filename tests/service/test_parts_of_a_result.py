"""A result is read in parts; what is not in an answer is named there, with where it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from claims import claim_one
from fastapi.testclient import TestClient
from kept_database import Copies
from measured_study import CHAIN

from rgcontract import Losses, Result
from rgcontract.arrays import MOST_NUMBERS
from rgcontract.observables import NETWORK
from rgcore.statistics import summarise_runs
from rgservice.app import create_app
from rgservice.experiments import reading, results
from rgstore import claiming, measurements
from rgstore.database import Database
from rgstore.records import Quantity, RunRecord, Training
from rgstore.settings import Settings
from rgstore.tokens import make_token

V, DEPTH, WIDTH = 100, 2, 2_000
DRAWS, SEEDS = 2, 2
HOLDER = claiming.Holder("w/1", "w", "host", "cpu", {}, {})
STEPS = {"initial": 0, "step_5": 5, "final": 10, "shuffled": 10}
LEVELS = ("masked", "pooled", "position")
SHAPES = {
    "effective_rank": [DEPTH + 1], "kernel_drift": [DEPTH], "cka": [DEPTH + 1, DEPTH + 1],
    "spectrum": [DEPTH + 1, WIDTH],
}  # fmt: skip
LARGE = ("spectrum", "transition")
SMALL = {"effective_rank", "kernel_drift"}


def _record(claim: Any) -> RunRecord:
    rng = np.random.default_rng([claim.chain_seed, claim.seed])
    sizes: dict[tuple[str, str], list[int]] = {(NETWORK, name): [] for name in Losses.model_fields}
    sizes |= {(NETWORK, "under_trained"): [], ("position", "too_few_samples"): []}
    sizes |= {(level, name): shape for level in LEVELS for name, shape in SHAPES.items()}
    quantities = [
        Quantity(
            when, step, level, name, 64, "plug-in", shape,
            rng.random(int(np.prod(shape, dtype=int))).tolist() if shape else [1.0], None, {},
        )
        for when, step in STEPS.items()
        for (level, name), shape in sizes.items()
        if name != "spectrum" or when == "final"
    ]  # fmt: skip
    matrix = np.full(V * V, 1 / V).tolist()
    chain = replace(CHAIN, seed=claim.chain_seed, n_states=V, transition=matrix)
    return RunRecord(1.0, True, Training([1], [1.0], []), chain, quantities)  # noqa: FBT003


@pytest.fixture(scope="module")
def measured(copies: Copies, tmp_path_factory: Any) -> Iterator[tuple[TestClient, str]]:
    """An API, and the path of an experiment there whose matrices and spectra are large."""
    directory: Path = tmp_path_factory.mktemp("lab")
    with copies.new() as url:
        settings = Settings(
            database_url=url, broker_url="redis://127.0.0.1:1", data_dir=directory,
            allowed_hosts="testserver",
        )  # fmt: skip
        database = Database(url)
        with database.begin() as session:
            token = make_token(session, "alice")
        with TestClient(create_app(settings, lambda _: None)) as api:
            api.headers["Authorization"] = f"Bearer {token}"
            body = {"chain": {"n_states": V, "seeds": DRAWS}, "model": {"depth": DEPTH},
                    "seeds": SEEDS}  # fmt: skip
            name = api.post("/v1/experiments", json=body).json()["id"]
            for _ in range(DRAWS * SEEDS):
                with database.begin() as session:
                    claim = claim_one(session, HOLDER, lease_seconds=60)
                    assert claim is not None
                    measurements.store(session, claim, _record(claim), summarise_runs)
            yield api, f"/v1/experiments/{name}"
        database.dispose()


def _read(measured: Any, query: str = "") -> dict[str, Any]:
    api, path = measured
    answer = api.get(f"{path}/result?{query}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert body.keys() == Result.model_fields.keys()
    Result.model_validate_json(answer.content)
    return body


def _shapes(body: Any, when: str = "final", level: str = "pooled") -> dict[str, list[int]]:
    (snapshot,) = (one for one in body["snapshots"] if one["when"] == when)
    (found,) = (one for one in snapshot["levels"] if one["level"] == level)
    return {name: one["shape"] for name, one in found["quantities"].items()}


def test_by_default_there_are_arrays_of_one_index_and_the_others_are_named(measured: Any) -> None:
    body = _read(measured)
    assert _shapes(body).keys() == SMALL
    assert {one["name"] for one in body["left_out"]} == {"cka", *LARGE}
    assert body["chain"]["transition"] is None
    assert len(body["chains"]) == DRAWS
    assert body["layers"] is None


def test_of_small_arrays_there_are_all_and_large_ones_are_named(measured: Any) -> None:
    body = _read(measured, "arrays=small")
    assert _shapes(body).keys() == {"cka", *SMALL}
    numbers = {one["name"]: one["numbers"] for one in body["left_out"]}
    assert numbers == {"transition": DRAWS * V**2, "spectrum": 3 * (DEPTH + 1) * WIDTH}
    assert min(numbers.values()) > MOST_NUMBERS


@pytest.mark.parametrize("arrays", ["all", "runs"])
def test_who_asks_for_all_gets_all(measured: Any, arrays: str) -> None:
    body = _read(measured, f"arrays={arrays}")
    assert _shapes(body) == SHAPES
    assert body["left_out"] == []
    for chain in (body["chain"], *body["chains"]):
        assert np.array(chain["transition"]).shape == (V, V)


def test_what_is_left_out_is_where_it_is_said_to_be(measured: Any) -> None:
    api, path = measured
    whole = _read(measured, "arrays=all&levels=masked&seeds=1")
    left = {one["name"]: one["url"] for one in
            _read(measured, "arrays=small&levels=masked&seeds=1")["left_out"]}  # fmt: skip
    assert left["transition"] == f"{path}/chains/{{chain_seed}}"
    for chain_seed, chain in zip(whole["chain_seeds"], whole["chains"], strict=True):
        assert api.get(left["transition"].format(chain_seed=chain_seed)).json() == chain
    url = {one["name"]: one["url"] for one in
           _read(measured, "seeds=1&levels=masked,pooled&at=final")["left_out"]}  # fmt: skip
    there = api.get(url["spectrum"]).json()
    assert there["chain"]["transition"] is None
    assert _shapes(there, level="masked") == {"spectrum": [DEPTH + 1, WIDTH]}
    levels = [
        {one["level"]: one["quantities"]["spectrum"] for one in body["snapshots"][-1]["levels"]}
        for body in (there, _read(measured, "seeds=1&levels=masked,pooled&at=final&arrays=all"))
    ]
    assert levels[0] == levels[1]


def test_a_layer_has_its_numbers_and_a_change_those_of_two(measured: Any) -> None:
    body, whole = (_read(measured, f"arrays=all&at=10{query}") for query in ("&layers=1-2", ""))
    assert body["layers"] == [1, 2]
    assert _shapes(body) == {
        "effective_rank": [2], "kernel_drift": [1], "cka": [2, 2], "spectrum": [2, WIDTH]
    }  # fmt: skip
    for name, part in (("effective_rank", slice(1, 3)), ("kernel_drift", slice(1, 2))):
        few, all_of = (
            one["snapshots"][0]["levels"][1]["quantities"][name] for one in (body, whole)
        )
        assert few["low"] == all_of["low"][part]
        assert few["per_seed"] == {run: values[part] for run, values in all_of["per_seed"].items()}


@pytest.mark.parametrize(
    ("at", "whens"),
    [
        ("initial", ["initial"]),
        ("0,shuffled", ["initial", "shuffled"]),
        ("5, 10", ["step_5", "final"]),
    ],
)
def test_moments_are_named_or_counted_in_steps(measured: Any, at: str, whens: Any) -> None:
    body = _read(measured, f"at={at}")
    assert [one["when"] for one in body["snapshots"]] == whens
    assert body["under_trained"]  # that of the trained network, whatever is shown
    assert body["too_few_samples"]


def test_levels_and_observables_are_those_that_are_named(measured: Any) -> None:
    body = _read(measured, "levels=position,pooled&observables=kernel_drift,transition")
    for snapshot in body["snapshots"]:
        assert [one["level"] for one in snapshot["levels"]] == ["pooled", "position"]
        assert snapshot["losses"]["loss"]["mean"] == 1.0
    assert _shapes(body) == {"kernel_drift": [DEPTH]}
    assert len(body["chain"]["transition"]) == V
    assert body["left_out"] == []


@pytest.mark.parametrize(
    ("query", "says", "allowed"),
    [
        ("layers=3", "'3' is not there", "of 0 to 2, as 0,2,4-6"),
        ("layers=0,2-1,x", "'2-1', 'x' are not there", "of 0 to 2, as 0,2,4-6"),
        ("layers=", "'' is not there", "of 0 to 2, as 0,2,4-6"),
        ("levels=token", "'token' is not there", "of masked, network, pooled, position"),
        ("at=step_6", "'step_6' is not there",
         "of initial, step_5, final, shuffled, or of the steps 0, 5, 10"),
        ("at=7", "'7' is not there",
         "of initial, step_5, final, shuffled, or of the steps 0, 5, 10"),
        ("observables=rank", "'rank' is not there", None),
        ("observables=" + "x," * 12, "'', 'x' are not there", None),
    ],
)  # fmt: skip
def test_what_is_not_there_is_refused_with_what_is(
    measured: Any, query: str, says: str, allowed: str | None
) -> None:
    api, path = measured
    answer = api.get(f"{path}/result?{query}")
    (refused,) = answer.json()["errors"]
    assert (answer.status_code, refused["field"]) == (422, query.partition("=")[0])
    assert refused["message"] == says
    names = ", ".join(sorted({*SHAPES, *Losses.model_fields, "transition", "under_trained",
                              "too_few_samples"}))  # fmt: skip
    assert refused["allowed"] == (allowed or f"of {names}")


def test_a_chain_that_it_has_not_is_not_found(measured: Any) -> None:
    api, path = measured
    answer = api.get(f"{path}/chains/7")
    assert answer.status_code == 404
    assert "no chain of seed 7; there are 0, 1" in answer.json()["detail"]


def test_a_large_answer_is_the_same_as_a_small_one(
    measured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, path = measured
    plain = {"Accept-Encoding": "identity"}
    for query in ("", "?seeds=0&arrays=runs&observables=spectrum"):
        found = []
        for most in (2**30, 0):
            monkeypatch.setattr(reading, "LARGE", most)
            found.append(api.get(f"{path}/result{query}", headers=plain))
        at_once, in_parts = found
        assert in_parts.content == at_once.content
        for name in ("Content-Length", "Content-Type"):
            assert in_parts.headers[name] == at_once.headers[name]
        assert in_parts.json()["spec"]["schema"] == 1
        of_before = api.get(f"{path}/result{query}", headers=plain | {"User-Agent": "rgclient"})
        assert "schema" not in of_before.json()["spec"]


def test_more_than_can_be_sent_at_once_is_refused_with_a_remedy(
    measured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, path = measured
    monkeypatch.setattr(results, "MOST_NUMBERS", 2**16)
    assert api.get(f"{path}/result").status_code == 200
    answer = api.get(f"{path}/result?arrays=all")
    assert (answer.status_code, answer.json()["code"]) == (422, "over_limit")
    (refused,) = answer.json()["errors"]
    assert refused["allowed"] == "at most 65536 at once"
    assert (
        "ask for them in parts, by observables, levels, at, layers or seeds" in refused["message"]
    )
