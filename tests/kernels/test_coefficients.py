"""The polynomials of the kernels are as good as what stands beside them."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import erfc

from rgkernels.compiler import SOURCE

Array = NDArray[np.floating]
HEADER = (SOURCE / "coefficients.h").read_text()
NUMBER = r"[-+.\de]+"


def number(name: str) -> float:
    found = re.search(rf"{name} = ({NUMBER})f;", HEADER)
    assert found
    return float(found[1])


def errors_of(name: str, found: Callable[[Array], Array], wanted: Array) -> float:
    """How much larger the largest error of a polynomial is than what its comment says."""
    line = re.search(rf"{name}\[\] = {{(.*)}}; /\* error ({NUMBER}) \*/", HEADER)
    assert line
    coefficients = np.array([float(one.rstrip("f")) for one in line[1].split(", ")])
    return float(np.abs(found(coefficients) - wanted).max() / float(line[2]))


def power_of_2(c: Array, f: Array) -> Array:
    return np.polynomial.polynomial.polyval(f, c) * 2.0**-f


def test_powers_of_2() -> None:
    f = np.linspace(-0.5, 0.5, 10_001)
    assert errors_of("EXP2", lambda c: power_of_2(c, f), np.ones_like(f)) < 1.5


def test_the_tail_of_the_normal_law() -> None:
    z = np.linspace(0, 8, 10_001)
    t = 1 / (1 + number("ERFC_SLOPE") * z)
    half = erfc(z) / 2
    assert (
        errors_of("ERFC", lambda c: np.polynomial.polynomial.polyval(t, c) * np.exp(-z * z), half)
        < 1.5
    )


def test_tanh_near_0() -> None:
    x = np.linspace(1e-3, number("TANH_BELOW"), 10_001)

    def relative(c: Array) -> Array:
        return (x + x**3 * np.polynomial.polynomial.polyval(x * x, c)) / np.tanh(x)

    assert errors_of("TANH", relative, np.ones_like(x)) < 1.5


@pytest.mark.parametrize("name", ["EXP2", "ERFC", "TANH"])
def test_each_errs_by_less_than_float32_rounds(name: str) -> None:
    found = re.search(rf"{name}\[\] = .*error ({NUMBER}) ", HEADER)
    assert found
    assert float(found[1]) < np.finfo(np.float32).eps / 4
