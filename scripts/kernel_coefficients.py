"""Coefficients of the kernels' polynomials: fits for the least largest error, as C.

    python scripts/kernel_coefficients.py > worker/rgkernels/source/coefficients.h

- 2^f for |f| <= 1/2: by its value at Chebyshev's points, relative error.
- erfc(z) / 2 exp(z^2) = p(t), t = 1 / (1 + a z) (the form of Abramowitz & Stegun 7.1.26): the error
  that counts is that of erfc(z) / 2, so of p(t) exp(-z^2). a is the best of a few.
- tanh(x) = x + x^3 p(x^2) for |x| <= x0: relative error. From x0 on, 1 - 2 / (1 + e^2x) is as good.

Each is fitted by least squares whose weights grow where the error is large (Lawson's algorithm).
`tests/kernels/test_coefficients.py` holds the errors to what stands beside the coefficients.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx

Array = NDArray[np.float64]

TANH_BELOW = 0.6
ROUNDS = 200
SHARPNESS = 0.12  # more of it and the weights run off to a few points


def fitted(basis: Array, wanted: Array, size: Array) -> tuple[Array, float]:
    """Coefficients with the least largest |basis @ c - wanted| * size, and that error."""
    weights = np.ones_like(wanted)
    best: tuple[Array, float] = (np.zeros(basis.shape[1]), np.inf)
    for _ in range(ROUNDS):
        scale = weights * size
        found = np.linalg.lstsq(basis * scale[:, None], wanted * scale, rcond=None)[0]
        errors = np.abs(basis @ found - wanted) * size
        if errors.max() < best[1]:
            best = (np.asarray(found, dtype=np.float64), float(errors.max()))
        weights *= (1e-14 + errors) ** SHARPNESS
        weights /= weights.max()
    return best


def exp2(degree: int) -> tuple[Array, float]:
    """Of 2^f."""
    f = np.cos(np.pi * (np.arange(400) + 0.5) / 400) / 2
    return fitted(np.vander(f, degree + 1, increasing=True), 2**f, 2**-f)


def erfc(degree: int, slope: float) -> tuple[Array, float]:
    """The scaled complementary error function, in 1 / (1 + slope z)."""
    z = np.linspace(0, 6, 6001)
    t = 1 / (1 + slope * z)
    return fitted(np.vander(t, degree + 1, increasing=True), 0.5 * erfcx(z), np.exp(-z * z))


def tanh(degree: int) -> tuple[Array, float]:
    """Of (tanh(x) - x) / x^3 in x^2."""
    x = np.linspace(1e-2, TANH_BELOW, 2000)
    basis = np.vander(x * x, degree + 1, increasing=True)
    return fitted(basis, (np.tanh(x) - x) / x**3, x**3 / np.tanh(x))


def _array(name: str, values: Iterable[float], error: float) -> str:
    written = ", ".join(f"{value:.9e}f" for value in values)
    return f"static const float {name}[] = {{{written}}}; /* error {error:.1e} */"


def main() -> None:
    """Print the header."""
    slopes = [0.4, 0.425, 0.45, 0.475, 0.5]
    slope, (of_erfc, erfc_error) = min(
        ((slope, erfc(5, slope)) for slope in slopes), key=lambda found: found[1][1]
    )
    lines = [
        "/* Written by scripts/kernel_coefficients.py, which says what is fitted to what. */",
        _array("EXP2", *exp2(6)),
        _array("ERFC", of_erfc, erfc_error),
        f"static const float ERFC_SLOPE = {slope:g}f;",
        _array("TANH", *tanh(5)),
        f"static const float TANH_BELOW = {TANH_BELOW:g}f;",
    ]
    print("\n".join(lines))  # noqa: T201 - that is its work


if __name__ == "__main__":
    main()
