"""The correlation length of a matrix of one's own is found, or refused with what it is."""

from __future__ import annotations

import itertools
import json
import math
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from rgcontract import ExplicitChain, Submission, chains, stochastic
from rgcontract.stochastic import defect
from rgcore.chain import ChainError, checks, make_chain
from rgcore.chain.families.explicit import ROW_SUM, SUMS_TO_ONE
from rgservice.experiments.completing import completed
from rgservice.http.errors import InvalidSpec
from rgstore.stored_specs import loaded_spec, stored_spec
from rgworker.unpack import chain_of

LAZY = [[0.75, 0.25], [0.25, 0.75]]  # second eigenvalue 1/2
CYCLE = [[0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.8, 0.1, 0.1]]  # a complex pair of modulus 0.7


def _post(api: Any, **chain: Any) -> Any:
    return api.post("/v1/experiments", json={"chain": {"family": "explicit", **chain}})


@pytest.mark.parametrize(
    ("matrix", "length"),
    [(LAZY, -1 / math.log(0.5)), (CYCLE, -1 / math.log(0.7)), ([[0.5, 0.5], [0.5, 0.5]], 0.0)],
)
def test_the_length_is_that_of_the_second_eigenvalue(
    api: TestClient, matrix: Any, length: Any
) -> None:
    name = _post(api, matrix=matrix).json()["id"]
    view = api.get(f"/v1/experiments/{name}").json()
    assert view["spec"]["chain"]["corr_len"] == pytest.approx(length, rel=1e-12)
    (listed,) = api.get("/v1/experiments", params={"family": "explicit"}).json()["items"]
    assert listed["corr_len"] == view["spec"]["chain"]["corr_len"]


def test_giving_the_right_length_is_the_same_experiment(api: TestClient) -> None:
    first = _post(api, matrix=LAZY).json()
    again = _post(api, matrix=LAZY, corr_len=1.442695)
    assert (again.status_code, again.json()["id"]) == (200, first["id"])


def test_a_wrong_length_is_refused_with_the_right_one(api: TestClient) -> None:
    answer = _post(api, matrix=LAZY, corr_len=3.0)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "chain.corr_len"
    assert error["allowed"].startswith("1.4427")


def test_a_chain_that_hardly_forgets_is_refused(api: TestClient) -> None:
    stay = 1 - 1e-5
    answer = _post(api, matrix=[[stay, 1 - stay], [1 - stay, stay]])
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "chain.matrix"


TOSSES = [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5], [0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]]


def test_a_memory_that_ends_has_length_zero(api: TestClient) -> None:
    name = _post(api, matrix=TOSSES).json()["id"]
    assert api.get(f"/v1/experiments/{name}").json()["spec"]["chain"]["corr_len"] == 0.0


def test_rows_of_float32_are_taken_and_are_the_same_as_their_normalised_form(
    api: TestClient,
) -> None:
    rows = np.array([[0.3, 0.6, 0.1], [0.2, 0.2, 0.6], [0.1, 0.3, 0.6]], np.float32)
    assert abs(math.fsum(map(float, rows[0])) - 1) > 1e-9
    sent = _post(api, matrix=rows.astype(float).tolist())
    assert sent.status_code == 201
    spec = api.get(f"/v1/experiments/{sent.json()['id']}").json()["spec"]
    again = _post(api, matrix=spec["chain"]["matrix"])
    assert (again.status_code, again.json()["id"]) == (200, sent.json()["id"])


def test_a_state_too_rare_for_a_worker_is_refused_with_the_bound(api: TestClient) -> None:
    answer = _post(api, matrix=[[1.0, 1e-301], [0.5, 0.5]])
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "chain.matrix"
    assert "stationary probability of 2e-301" in error["message"]
    assert error["allowed"] == "1e-300 or more for each state"


def test_the_seed_of_a_family_that_draws_nothing_is_no_other_experiment(api: TestClient) -> None:
    first, again = (
        api.post("/v1/experiments", json={"chain": {"family": "potts", "seed": seed}}).json()
        for seed in (0, 5)
    )
    assert (again["id"], again["created"], again["added_seeds"]) == (first["id"], False, [])


KERNELS = """
import json, sys
from rgcontract import Submission
from rgservice.experiments.completing import completed
from rgstore.submissions import Asked
for line in sys.stdin:
    spec = completed(Submission.model_validate_json(line))
    print(Asked.of(spec, flops_per_run=1.0).spec_hash, spec.chain.corr_len)
"""


def test_one_matrix_on_machines_of_two_kinds_is_one_experiment() -> None:
    random = np.random.default_rng(3)
    matrices = [random.dirichlet(np.ones(6), 6).tolist() for _ in range(12)]
    bodies = [json.dumps({"chain": {"family": "explicit", "matrix": one}}) for one in matrices]
    names, lengths = [], []
    for kernel in ("Prescott", "Haswell"):
        done = subprocess.run(
            [sys.executable, "-c", KERNELS],
            check=True,
            capture_output=True,
            text=True,
            input="\n".join(bodies),
            env={**os.environ, "OPENBLAS_CORETYPE": kernel},
        )
        rows = [line.split() for line in done.stdout.splitlines()]
        names.append([name for name, _ in rows])
        lengths.append([float(length) for _, length in rows])
    assert names[0] == names[1]
    assert lengths[0] == pytest.approx(lengths[1], rel=1e-12)


def test_a_length_from_another_kind_of_machine_is_taken_back_where_rounding_decides_it() -> None:
    matrix = np.linalg.matrix_power(np.random.default_rng(17).dirichlet(np.full(6, 0.3), 6), 24)
    body = {"chain": {"family": "explicit", "matrix": matrix.tolist()}}
    here = completed(Submission.model_validate(body)).chain
    error = make_chain("explicit", matrix=matrix).corr_len_error
    assert 1e-6 * here.corr_len < error < here.corr_len
    there = here.corr_len + 0.5 * error
    body["chain"]["corr_len"] = there
    assert completed(Submission.model_validate(body)).chain.corr_len == here.corr_len
    body["chain"]["corr_len"] = here.corr_len + 3 * error
    with pytest.raises(InvalidSpec):
        completed(Submission.model_validate(body))


def _random_matrix(draw: int) -> np.ndarray:
    """Of any kind: full, sparse, of few different rows, nearly periodic, a lag of another."""
    random = np.random.default_rng(draw)
    size = int(random.integers(2, 9))
    matrix = random.dirichlet(np.full(size, random.choice([0.02, 0.2, 1.0])), size)
    matrix[random.random((size, size)) < random.choice([0.0, 0.5])] = 0.0
    matrix += np.diag(np.where(matrix.sum(axis=1) == 0, 1.0, 0.0))
    if random.random() < 0.3:
        matrix = matrix[random.integers(0, 2, size)]
    if random.random() < 0.3:
        matrix = 10.0 ** -random.integers(1, 12) * matrix + np.roll(np.eye(size), 1, axis=1)
    matrix /= matrix.sum(axis=1, keepdims=True)
    return np.linalg.matrix_power(matrix, int(random.choice([1, 1, 2, 7])))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1))
def test_what_is_taken_is_measured_and_says_one_length_to_both(draw: Any) -> None:
    matrix = _random_matrix(draw).tolist()
    try:
        body = json.dumps({"chain": {"family": "explicit", "matrix": matrix}})
        taken = completed(Submission.model_validate_json(body))
    except (ValueError, InvalidSpec):
        return
    chain = chain_of(loaded_spec(stored_spec(taken.spec), [0]))
    assert chain.corr_len == taken.chain.corr_len
    assert isinstance(taken.chain, ExplicitChain)
    assert chain.transition.tolist() == [list(row) for row in taken.chain.matrix]


def test_the_contract_and_the_core_have_one_set_of_bounds() -> None:
    assert stochastic.ROW_SUM_TOLERANCE == ROW_SUM
    assert stochastic.SUMS_TO_ONE == SUMS_TO_ONE
    assert chains.CONSISTENT == checks.AGREEMENT


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1))
def test_the_contract_and_the_core_agree_on_what_is_a_chain(draw: Any) -> None:
    matrix = _random_matrix(draw)
    try:
        make_chain("explicit", matrix=matrix)
    except ChainError as error:
        reason = error.reason or ""
    else:
        reason = ""
    structural = any(word in reason for word in ("reducible", "periodic", "sums to"))
    assert (defect(tuple(map(tuple, matrix.tolist()))) is not None) == structural


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1))
def test_every_list_of_eigenvalues_that_is_taken_makes_a_chain(draw: Any) -> None:
    random = np.random.default_rng(draw)
    values = random.uniform(-1, 1, int(random.integers(1, 12)))
    low, high = 0.0, 1.0 / np.abs(values).max()
    for _ in range(60):  # to where the least entry of P is 0, to rounding
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _takes(middle * values) else (low, middle)
    for scale in itertools.chain([low], low * (1 + np.linspace(-3e-12, 3e-12, 13))):
        if _takes(scale * values):
            taken = _takes(scale * values)
            assert taken is not None
            assert chain_of(taken).corr_len == pytest.approx(taken.chain.corr_len, rel=1e-6)


def _takes(eigenvalues: Any) -> Submission | None:
    try:
        chain = {"family": "spectrum", "eigenvalues": list(map(float, eigenvalues))}
        return Submission.model_validate_json(json.dumps({"chain": chain}))
    except ValueError:
        return None
