"""The correlation length of a matrix of one's own is found, or refused with what it is."""

from __future__ import annotations

import math

import pytest

LAZY = [[0.75, 0.25], [0.25, 0.75]]  # second eigenvalue 1/2
CYCLE = [[0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.8, 0.1, 0.1]]  # a complex pair of modulus 0.7


def _post(api, **chain):
    return api.post("/v1/experiments", json={"chain": {"family": "explicit", **chain}})


@pytest.mark.parametrize(
    ("matrix", "length"),
    [(LAZY, -1 / math.log(0.5)), (CYCLE, -1 / math.log(0.7)), ([[0.5, 0.5], [0.5, 0.5]], 0.0)],
)
def test_the_length_is_that_of_the_second_eigenvalue(api, matrix, length):
    name = _post(api, matrix=matrix).json()["id"]
    view = api.get(f"/v1/experiments/{name}").json()
    assert view["spec"]["chain"]["corr_len"] == pytest.approx(length, rel=1e-12)
    (listed,) = api.get("/v1/experiments", params={"family": "explicit"}).json()["items"]
    assert listed["corr_len"] == view["spec"]["chain"]["corr_len"]


def test_giving_the_right_length_is_the_same_experiment(api):
    first = _post(api, matrix=LAZY).json()
    again = _post(api, matrix=LAZY, corr_len=1.442695)
    assert (again.status_code, again.json()["id"]) == (200, first["id"])


def test_a_wrong_length_is_refused_with_the_right_one(api):
    answer = _post(api, matrix=LAZY, corr_len=3.0)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "chain.corr_len"
    assert error["allowed"].startswith("1.4427")


def test_a_chain_that_hardly_forgets_is_refused(api):
    stay = 1 - 1e-5
    answer = _post(api, matrix=[[stay, 1 - stay], [1 - stay, stay]])
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "chain.matrix"
