"""What arrays, tables and other objects become: numbers, or a refusal that names the field."""

from __future__ import annotations

import datetime
import itertools
from array import array
from collections import OrderedDict, deque
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch

from rgclient import InvalidValue
from rgclient._body import body
from rgcontract.study import STUDY_FIELDS

MATRIX = [[0.75, 0.25], [0.5, 0.5]]
SPARSE = [
    getattr(scipy.sparse, f"{name}_{kind}")
    for name in ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
    for kind in ("matrix", "array")
]


class Speaks:
    """An object that knows the given methods of arrays and nothing else."""

    def __init__(self, **answers: Any) -> None:
        self.__dict__ |= {name: lambda found=found: found for name, found in answers.items()}


class OnlyArray:
    """As an array of dask or h5py: the protocol, and no `tolist`."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self.values, dtype=dtype)


class OnlyInterface:
    def __init__(self, values: Any) -> None:
        self.kept = np.asarray(values)
        self.__array_interface__ = self.kept.__array_interface__


class LikePolarsSeries(OnlyArray):
    """`item` fails on more than one; iterates, is no sequence."""

    def item(self) -> Any:
        raise ValueError("can only call .item() if the Series is of length 1")

    def to_numpy(self) -> np.ndarray:
        return np.asarray(self.values)

    def __iter__(self) -> Any:
        return iter(self.values)


class LikeXarray(LikePolarsSeries):
    """Iterates over 0-d arrays of its own kind."""

    def __iter__(self) -> Any:
        return (LikeXarray(value) for value in self.values)


@pytest.mark.parametrize(
    "make",
    [
        np.array, torch.tensor, pd.DataFrame, OnlyArray, OnlyInterface,
        LikePolarsSeries, LikeXarray, lambda m: torch.tensor(m, requires_grad=True),
        lambda m: torch.tensor(m).to_sparse(), lambda m: np.ma.array(m, mask=False),
        lambda m: pd.DataFrame(m, index=["a", "b"], columns=["c", "d"]),
        lambda m: np.array(m, dtype=object), lambda m: np.array(m, dtype=np.longdouble),
        lambda m: [np.array(row) for row in m], lambda m: (tuple(row) for row in m),
        lambda m: [pd.Series(row) for row in m], lambda m: np.array(m, dtype=np.float16),
        lambda m: torch.tensor(m, dtype=torch.bfloat16), lambda m: [array("d", row) for row in m],
        lambda m: [[Fraction(value) for value in row] for row in m], *SPARSE,
    ],
)  # fmt: skip
def test_a_matrix_is_read_entry_by_entry(make: Any) -> None:
    sent = body({"family": "explicit", "matrix": make(MATRIX)})["chain"]["matrix"]
    assert sent == MATRIX
    assert {type(value) for row in sent for value in row} == {float}


@pytest.mark.parametrize("name", ["seeds", "scales", "eigenvalues"])
@pytest.mark.parametrize(
    "make",
    [
        np.array, torch.tensor, pd.Series, pd.Index, pd.array, tuple, deque, iter, pd.Categorical,
        OnlyArray, OnlyInterface, LikePolarsSeries, LikeXarray, lambda v: dict.fromkeys(v).keys(),
        lambda v: pd.Series(v, index=["a", "b"]), lambda v: range(7, 9), lambda v: array("i", v),
        lambda v: map(int, v), lambda v: [np.array(x) for x in v], lambda v: np.array(v, object),
        lambda v: Speaks(tolist=v), lambda v: Speaks(to_numpy=np.array(v)),
    ],
)  # fmt: skip
def test_a_list_is_read_value_by_value(name: str, make: Any) -> None:
    sent = body({name: make([7, 8])})
    assert sent.get(name, sent.get("chain", {}).get(name)) == [7, 8]


@pytest.mark.parametrize("name", ["corr_len", "depth", "activation"])
@pytest.mark.parametrize("make", [np.array, pd.Series, pd.Index, LikePolarsSeries, LikeXarray])
def test_an_axis_of_a_study_is_read_value_by_value(name: str, make: Any) -> None:
    values = ["gelu", "relu"] if name == "activation" else [1, 7]
    (section,) = body({name: make(values)}, STUDY_FIELDS).values()
    assert section[name] == values


def test_a_table_is_its_rows_and_never_its_labels() -> None:
    assert body({"seeds": pd.DataFrame([[7, 8]])}) == {"seeds": [[7, 8]]}
    assert body({"corr_len": pd.DataFrame([[7.0, 8.0]])}, STUDY_FIELDS) == {
        "chain": {"corr_len": [[7.0, 8.0]]}
    }


@pytest.mark.parametrize(
    "value", [np.array(7), torch.tensor(7), np.int64(7), np.uint8(7), OnlyArray(7), LikeXarray(7)]
)
def test_an_array_without_axes_is_a_number(value: Any) -> None:
    sent = body({"n_states": value})["chain"]["n_states"]
    assert (type(sent), sent) == (int, 7)


@pytest.mark.parametrize("value", [np.longdouble(7), np.float16(7), torch.tensor(7.0), Fraction(7)])
def test_a_number_of_another_precision_is_a_float(value: Any) -> None:
    sent = body({"corr_len": value})["chain"]["corr_len"]
    assert (type(sent), sent) == (float, 7.0)


def test_a_number_with_a_fraction_stays_one() -> None:
    assert body({"n_states": np.float64(2.000001)}) == {"chain": {"n_states": 2.000001}}


ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({1, 2}, "is a set, which has no order"),
        (frozenset({1}), "is a set, which has no order"),
        ({"a": 1}, "is of type dict"),
        (OrderedDict(a=1), "is of type OrderedDict"),
        ([{"a": 1}], "scales.0 is of type dict"),
        (np.ma.array([1, 2], mask=[False, True]), "has masked entries"),
        (np.ma.masked, "has masked entries"),
        (np.array(["2020-01-01"], dtype="datetime64[ns]"), "holds dates"),
        (np.datetime64("2020-01-01", "ns"), "holds dates"),
        (np.timedelta64(5, "s"), "holds durations"),
        (pd.to_datetime(pd.Series(["2020-01-01"])), "holds dates"),
        (pd.Timestamp("2020-01-01"), "holds dates"),
        (pd.Timedelta(1, "s"), "holds durations"),
        ([datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)], "is of type datetime"),
        (np.zeros(2, dtype=[("a", int)]), "holds records"),
        (np.array([1j]), "is of type complex"),
        (torch.tensor([1j]), "is of type complex"),
        (np.complex128(1), "is of type complex"),
        (pd.Series([1, None]), "is nan"),
        (pd.array([1, None]), "is of type NAType"),
        (np.array([np.nan]), "is nan"),
        (np.longdouble("1e4000"), "is inf"),
        (Fraction(10**400), "is inf"),
        (10**5000, "bits"),
        (Decimal("0.1"), "is of type Decimal"),
        (np.array([object()]), "is of type object"),
        (np.array([b"7"]), "is of type bytes"),
        (memoryview(b"7"), "is of type memoryview"),
        (ENDLESS, "is nested too deeply"),
        (itertools.count(), "has more than 100000 items"),
        (range(10**12), "has more than 100000 items"),
        (np.array, "is of type builtin_function_or_method"),
        (np.ndarray, "is of type type"),
        (pd.DataFrame([[1]]).groupby(0), "is of type DataFrameGroupBy"),
        (torch.empty(2, device="meta"), "is of type Tensor"),
        (Speaks(tolist=None), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_would_be_misread_is_refused_with_the_field_and_what_is_allowed(
    value: Any, reason: Any
) -> None:
    if reason is None:  # null is JSON's own
        assert body({"scales": value}) == {"chain": {"scales": None}}
        return
    with pytest.raises(InvalidValue) as caught:
        body({"scales": value})
    assert "scales" in str(caught.value)
    assert reason in str(caught.value)
    assert "(allowed: a list of 1 to 8 of: number >= 0, <= 1000.0 or null)" in str(caught.value)


class Endless:
    def tolist(self) -> Endless:
        return Endless()


def test_an_object_that_gives_no_end_of_arrays_is_refused() -> None:
    with pytest.raises(InvalidValue, match="seeds is nested too deeply"):
        body({"seeds": Endless()})


def test_a_section_whose_keys_are_no_names_is_refused() -> None:
    with pytest.raises(InvalidValue, match="chain has the key 1"):
        body({"chain": {1: 2}})
