"""A study through real processes: its verdicts are those of the numbers one can download."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from lab_processes import TINY, Lab
from scipy import stats

import rgclient
from rgcontract import Claim


@pytest.fixture
def study(lab: Lab, client: rgclient.Client) -> Any:
    """A study of two correlation lengths that is measured through."""
    lab.worker()
    grid: dict[str, Any] = {**TINY, "chain": {"n_states": 4, "corr_len": [1, 3]}}
    asked = client.study(**grid, seeds=3)
    asked.wait(progress=False, timeout=120)
    return asked


def _collapse_ratios(result: Any) -> np.ndarray:
    """rank_L / rank_0 of each seed, from its spectra alone, pooled level."""
    spectra = result.quantity("spectrum", level="pooled").per_seed
    ratios = []
    for seed in sorted(spectra):
        scales = np.sqrt(np.array(spectra[seed]))  # (L + 1, d)
        shares = scales / scales.sum(axis=1, keepdims=True)
        logs = np.log(shares, where=shares > 0, out=np.zeros_like(shares))
        ranks = np.exp(-(shares * logs).sum(axis=1))
        ratios.append(ranks[-1] / ranks[0])
    return np.array(ratios)


def test_the_contrast_equals_that_of_the_downloaded_spectra(study: Any) -> None:
    short, long = (experiment.result(per_run=True) for experiment in study.experiments)
    contrast = _collapse_ratios(long) - _collapse_ratios(short)
    (group,) = study.findings().groups
    (found,) = [
        finding.effects["contrast"]
        for finding in group.findings
        if (finding.claim, finding.level) == (Claim.SELECTIVE, "pooled")
    ]
    # the spectra are shares, rounded once more than what the server computed with
    assert list(found.per_seed.values()) == pytest.approx(list(contrast), abs=1e-12)
    assert found.estimate == pytest.approx(contrast.mean(), abs=1e-12)
    half_width = stats.t.ppf(1 - 0.05 / 3, df=2) * contrast.std(ddof=1) / math.sqrt(3)
    assert found.high - found.estimate == pytest.approx(half_width, rel=1e-9)


def test_asking_again_measures_nothing_again(study: Any, client: rgclient.Client) -> None:
    grid: dict[str, Any] = {**TINY, "chain": {"n_states": 4, "corr_len": [1, 3]}}
    again = client.study(**grid, seeds=3)
    assert again.id == study.id
    assert again.created is False
    assert again.state == "done"
