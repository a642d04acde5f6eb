"""The verdict on each of the three claims, as the wire carries it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from rgcontract.status import View
from rgcontract.unknown import OrAsTold


class Claim(StrEnum):
    """What a study tests."""

    MONOTONE = "monotone"
    """After training, the effective rank falls with depth."""
    SELECTIVE = "selective"
    """It does so for the short correlation length and not for the long one."""
    LOCALIZED = "localized"
    """The change between layers sits in one or two transitions."""


class Verdict(StrEnum):
    """What the measurements say of a claim."""

    SUPPORTED = "supported"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"


class Effect(View):
    """A number that a verdict rests on."""

    meaning: str
    estimate: float | None
    low: float | None
    high: float | None
    """The interval that the verdict uses, at the level of the findings."""
    bootstrap_low: float | None
    bootstrap_high: float | None
    """Paired bootstrap interval, for comparison: too narrow for few seeds."""
    p_value: float | None
    per_seed: dict[str, float | None]
    """The value of each run, or of each chain where there are several."""
    note: str | None = None
    """Why a number is null."""


class Finding(View):
    """The verdict on one claim."""

    claim: OrAsTold[Claim]
    level: str
    """Rows it is read from: `position` decides, `pooled` shows what averaging hides."""
    corr_lens: list[float]
    """The correlation lengths it is about, tokens."""
    experiments: list[str]
    """Where its numbers come from."""
    verdict: OrAsTold[Verdict]
    reason: str
    """In a sentence, with the numbers that decide it."""
    effects: dict[str, Effect]
    flags: dict[str, str]
    """Finer answers, such as `long_collapse`: `absent`, `weaker`, `as_strong`, `undetermined`."""
    warnings: list[str]
    """`under_trained`, `too_few_samples`: of the experiments behind it."""


class Group(View):
    """The findings of one architecture: all that the study varies, but the chain's length."""

    settings: dict[str, Any]
    """Field -> value, of the fields that differ between groups."""
    findings: list[Finding]


class Findings(View):
    """What a study shows."""

    study_id: str
    complete: bool
    """False while runs are missing: these findings are over what is measured so far."""
    confidence: float
    n_seeds: int
    """Fewest runs behind any finding."""
    error_bar: str
    groups: list[Group]
    updated_at: datetime
