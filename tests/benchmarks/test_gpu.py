"""`python -m benchmarks.gpu` at toy size on the CPU, and what it makes of what goes wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import torch
from markdown import ROOT

from benchmarks.gpu import session
from benchmarks.gpu.agreement import fleet_losses, measured, plain_losses
from benchmarks.gpu.part import Part, plain
from benchmarks.gpu.problems import MEMBERS, members, small
from benchmarks.gpu.report import as_markdown, complaints
from benchmarks.gpu.setting import CPU
from benchmarks.gpu.tolerances import LOSS, compared, distance
from rgcore.network import MIXINGS
from rgcore.training import train

pytestmark = pytest.mark.slow

OTHERS = (
    "pydantic",
    "sqlalchemy",
    "celery",
    "fastapi",
    "httpx",
    "psycopg",
    "rgcontract",
    "rgstore",
)
"""What a machine that is lent for an hour does not have."""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The folder of a whole run at toy size."""
    folder = tmp_path_factory.mktemp("gpu")
    command = [sys.executable, "-m", "benchmarks.gpu", "--out", str(folder)]
    ran = subprocess.run(
        [*command, "--device", "cpu", "--toy", "--budget", "280"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder


@pytest.fixture(scope="module")
def found(out: Any) -> Any:
    return json.loads((out / "gpu.json").read_text())


def rows(found: Any, stage: Any, **fields: Any) -> Any:
    return [
        row
        for row in found["stages"][stage]["rows"]
        if all(row.get(name) == value for name, value in fields.items())
    ]


def test_every_stage_is_done_and_kept_beside_the_whole(out: Any, found: Any) -> None:
    assert list(found["stages"]) == list(session.STAGES)
    for name, stage in found["stages"].items():
        assert stage["state"] == "done"
        assert json.loads((out / "parts" / f"{name}.json").read_text()) == stage


def test_the_json_says_what_it_is_and_where_it_comes_from(found: Any) -> None:
    assert found["schema"] == session.SCHEMA
    assert (found["device"], found["toy"]) == ("cpu", True)
    known = found["stages"]["environment"]
    assert known["packages"]["torch"] == torch.__version__
    assert known["flags"]["matmul_allow_tf32"] is False


def test_a_cpu_agrees_with_itself(found: Any) -> None:
    judged = [row for stage in found["stages"] for row in rows(found, stage) if "agree" in row]
    assert len(judged) > 100
    assert all(row["agree"] for row in judged)


def test_every_mixing_and_precision_is_compared(found: Any) -> None:
    seen = {(row["mixing"], row["precision"]) for row in rows(found, "agreement")}
    assert seen == {(mixing, name) for mixing in MIXINGS for name in ("float32", "float64")}


def test_a_captured_step_is_said_not_to_be_on_this_device(found: Any) -> None:
    for stage, way in (("agreement", "fleet, captured"), ("speed", "captured")):
        found_there = rows(found, stage, way=way)
        assert found_there
        assert {row["note"] for row in found_there} == {"not on this device"}


def test_what_a_step_costs_is_there_with_and_without_its_sequences(found: Any) -> None:
    for n in (1, 3):
        for sequences in (True, False):
            (row,) = rows(found, "speed", members=n, way="eager", sequences=sequences)
            assert row["ms"]["least"] <= row["ms"]["median"] <= row["ms"]["most"]
            assert row["member_steps_per_s"] == pytest.approx(1e3 / row["ms"]["median"])


def test_jax_has_its_times_or_the_reason_why_not(found: Any) -> None:
    for row in rows(found, "speed", way="JAX"):
        assert "ms" in row or row["note"]


def test_eigenvalues_are_checked_without_another_lapack_too(found: Any) -> None:
    for row in rows(found, "algebra", what="eigvalsh"):
        assert set(row["checks"]) == {"of the CPU", "trace", "Frobenius norm"}


def test_the_core_s_tests_have_run(found: Any) -> None:
    suite = found["stages"]["suite"]
    assert suite["counts"]["passed"] > 20
    assert suite["counts"]["failed"] == 0


def test_the_page_begins_with_the_answer(out: Any) -> None:
    page = (out / "table.md").read_text()
    assert "**Nothing failed and nothing disagrees.**" in page
    for name in session.STAGES:
        assert f"\n## {name}\n" in page


def test_it_needs_nothing_but_the_core() -> None:
    modules = [path.stem for path in (ROOT / "benchmarks" / "gpu").glob("[!_]*.py")]
    program = f"""
import sys
for name in {OTHERS!r}:
    sys.modules[name] = None  # an import of it fails
import importlib
for name in {[*modules, "__main__"]!r}:
    importlib.import_module("benchmarks.gpu." + name)
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_a_stage_that_fails_is_written_down_and_the_next_goes_on(tmp_path: Path) -> None:
    stages = {"environment": 1.0, "algebra": 1.0}
    got = session.run(tmp_path, "no-such-device", 120.0, toy=True, stages=stages)
    for name in stages:
        assert got["stages"][name]["state"] == "failed"
        assert "no-such-device" in got["stages"][name]["error"]
    assert [one.split(":")[0] for one in complaints(got)] == list(stages)
    assert "no-such-device" in as_markdown(got)


def test_a_stage_that_runs_out_of_time_is_stopped_and_said(tmp_path: Path) -> None:
    got = session.run(tmp_path, "cpu", 0.5, toy=True, stages={"speed": 1.0, "algebra": 1.0})
    assert [stage["state"] for stage in got["stages"].values()] == ["out of time"] * 2
    assert got["seconds"] < 30
    assert "not done after" in complaints(got)[0]


def test_a_process_that_dies_keeps_what_it_had_found() -> None:
    part = {"stage": "speed", "state": "running", "rows": [{"way": "eager"}]}
    got = session.ended(part, {}, -11, "a last word")
    assert (got["state"], got["error"]) == ("failed", "its process ended with -11")
    assert got["rows"] == part["rows"]
    assert got["log"] == "a last word"


def test_a_row_is_on_disk_at_once(tmp_path: Path) -> None:
    part = Part(tmp_path / "speed.json", "speed")
    part.add(way="eager", ms=1.5)
    kept = json.loads((tmp_path / "speed.json").read_text())
    assert kept == {"stage": "speed", "state": "running", "rows": [{"way": "eager", "ms": 1.5}]}


def test_what_json_does_not_have_is_written_by_its_name() -> None:
    assert plain({"a": [float("nan"), float("-inf"), 1.0]}) == {"a": ["nan", "-inf", 1.0]}


def test_a_disagreement_is_said_first() -> None:
    row = {
        "what": "observables", "quantity": "cka", "mixing": "flat", "precision": "float64",
        "worst": 0.5, "where": "sequence", "tolerance": 1e-9, "agree": False,
    }  # fmt: skip
    stages = {"agreement": {"stage": "agreement", "state": "done", "rows": [row]}}
    got = {"device": "cuda", "toy": False, "seconds": 1.0, "stages": stages}
    (said,) = complaints(got)
    assert "cka" in said
    assert "5.0e-01, allowed 1.0e-09" in said
    assert "**Look at these first:**" in as_markdown(got)


def test_a_step_that_could_not_be_captured_is_said_first() -> None:
    note = "the training step runs without a CUDA graph, more slowly: it could not be recorded"
    row = {"shape": "S", "members": 8, "way": "captured", "sequences": False, "note": note}
    stages = {"speed": {"stage": "speed", "state": "done", "rows": [row]}}
    got = {"device": "cuda", "toy": False, "seconds": 1.0, "stages": stages}
    assert note in complaints(got)[0]


def test_a_number_that_only_one_of_two_has_is_infinitely_far() -> None:
    one, other = np.array([1.0, np.nan]), np.array([1.0, 2.0])
    assert distance(one, other) == np.inf
    assert distance(one, one) == 0.0


@pytest.mark.parametrize("mixing", MIXINGS)
@pytest.mark.parametrize("dtype", LOSS)
def test_another_order_of_sums_stays_within_the_tolerances(mixing: Any, dtype: Any) -> None:
    problem = small(mixing, steps=12, toy=True)
    (member,) = members(problem, [0], CPU, dtype)
    train(member.network, member.chain, member.plan, 0, seq_len=problem.arch.seq_len)
    whole = measured(member.network, problem, 128)
    for apart in compared(
        measured(member.network, problem, 128, batch_size=7), whole, dtype
    ).values():
        assert apart.agree, apart


def test_another_network_is_far_beyond_the_tolerances() -> None:
    problem = small("context", steps=1, toy=True)
    one, other = (member.network for member in members(problem, [0, 1], CPU))
    apart = compared(measured(one, problem, 64), measured(other, problem, 64), torch.float32)
    assert not apart["loss"].agree
    assert not apart["effective_rank"].agree


def test_a_fleet_whose_recording_fails_says_so_and_has_the_same_losses() -> None:
    problem = small("window", steps=4, toy=True)

    def cannot_record(compute: Any) -> NoReturn:
        raise RuntimeError("operation not permitted when stream is capturing")

    fleet = members(problem, MEMBERS, CPU, torch.float64)
    losses, note = fleet_losses(fleet, cannot_record)
    assert note is not None
    assert "not permitted when stream is capturing" in note
    alone = plain_losses(members(problem, MEMBERS, CPU, torch.float64))
    np.testing.assert_allclose(losses, alone, rtol=LOSS[torch.float64])
