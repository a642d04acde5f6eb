"""docs/observables.md says how far the participation ratio is off for few rows: what is so."""

from __future__ import annotations

import re
from math import sqrt
from typing import Any

import numpy as np
import pytest
from markdown import ROOT

from rgcore.observables import (
    participation_ratio_corrected_from_moments,
    participation_ratio_from_spectrum,
)

DRAWS = 20_000
PAGE = (ROOT / "docs" / "observables.md").read_text(encoding="utf-8")


def said(pattern: str) -> list[str]:
    found = re.search(pattern, PAGE)
    assert found is not None
    return found[1].split(", ")


SAID = [
    (n, float(plain), float(corrected))
    for n, plain, corrected in zip(
        (10, 20, 50),
        said(r"d = 10 isotropic directions read ([\d., ]+) at n = 10, 20, 50"),
        said(r"slightly high: ([\d., ]+) there"),
        strict=True,
    )
]


@pytest.mark.parametrize(("n", "plain", "corrected"), SAID)
def test_the_bias_that_the_page_tells_is_that_of_the_functions(
    n: Any, plain: Any, corrected: Any
) -> None:
    """Within four standard errors of the mean over the draws, and the page's rounding."""
    rows = np.random.default_rng(n).standard_normal((DRAWS, n, 10))
    rows -= rows.mean(axis=1, keepdims=True)
    gram = rows.mT @ rows  # (draws, d, d)
    norms4 = np.square(np.square(rows).sum(axis=2)).sum(axis=1)
    for said, found in (
        (plain, participation_ratio_from_spectrum(np.linalg.eigvalsh(gram))),
        (corrected, participation_ratio_corrected_from_moments(gram, norms4, n)),
    ):
        error = found.std() / sqrt(DRAWS)
        assert said == pytest.approx(found.mean(), abs=4 * error + 0.005)
