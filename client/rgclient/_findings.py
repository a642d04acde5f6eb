"""The verdicts of a study as a physicist reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rgclient._extras import optional
from rgclient._html import grid
from rgcontract import Claim
from rgcontract.files import write_text
from rgcontract.reading import as_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike
    from pathlib import Path

    import pandas as pd

    from rgcontract import Effect, Finding, Group
    from rgcontract import Findings as Data

HEADLINE = {
    Claim.MONOTONE: "log_collapse",
    Claim.SELECTIVE: "contrast",
    Claim.LOCALIZED: "effective_transitions",
}
"""The effect of each claim that is shown at a glance; `to_frame` has them all."""
SHOUTED = {"under_trained": "UNDER-TRAINED", "too_few_samples": "TOO FEW SAMPLES"}
COLUMNS = [
    "claim", "level", "corr_lens", "verdict", "effect", "estimate", "low", "high",
    "bootstrap_low", "bootstrap_high", "p_value", "n_seeds", "warnings", "experiments",
]  # fmt: skip


@dataclass(frozen=True, repr=False)
class Findings:
    """What a study shows: a verdict on each claim, with the effect and interval that decide it."""

    data: Data
    """The whole answer of the server."""

    @property
    def complete(self) -> bool:
        """False while runs are missing: the verdicts are over what is measured so far."""
        return self.data.complete

    @property
    def groups(self) -> list[Group]:
        """One for each architecture, with the findings on it."""
        return self.data.groups

    def to_frame(self) -> pd.DataFrame:
        """Every effect of every finding as a row, with the settings of its group in front.

        Needs `pip install 'rgclient[frame]'`.
        """
        pandas = optional("pandas", "frame")
        names = list(self.groups[0].settings) if self.groups else []
        rows = [
            (*group.settings.values(), *_head(finding), name, *_numbers(finding, effect))
            for group, finding in self._all()
            for name, effect in finding.effects.items()
        ]
        return pandas.DataFrame(rows, columns=names + COLUMNS)

    def table(self) -> list[dict[str, str]]:
        """A row of words for each finding: settings, claim, level, chain, verdict, effect, ..."""
        return [
            {
                "settings": settings_text(group),
                "claim": finding.claim.value,
                "level": finding.level,
                "chain": _lengths(finding),
                "verdict": finding.verdict.value,
                "effect": headline(finding),
                "warnings": ", ".join(warnings(finding)),
                "reason": finding.reason,
            }
            for group, finding in self._all()
        ]

    def save(self, path: str | PathLike[str]) -> Path:
        """Write everything to a JSON file.

        Raises:
            OSError: it cannot be written; a file that was there before is as it was.
        """
        return write_text(path, as_json(self.data, indent=2))

    def __repr__(self) -> str:
        """A line and a reason for each finding, under the settings of its group."""
        lines, settings = [self._title()], ""
        for row in self.table():
            if row["settings"] != settings:
                settings = row["settings"]
                lines.append(f"  {settings}")
            at = f"{row['claim']:10} {row['level']:9} {row['chain']:16}"
            lines.append(f"    {at} {row['verdict'].upper():12} {row['effect']}")
            lines += [f"      {row[name]}" for name in ("reason", "warnings") if row[name]]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        table = self.table()
        header = list(table[0]) if table else []
        return grid(self._title(), header, [list(row.values()) for row in table])

    def _title(self) -> str:
        partial = "" if self.complete else ", INCOMPLETE: runs are missing"
        return (
            f"Findings of study {self.data.study_id}{partial} (over {self.data.error_bar}, "
            f"{self.data.n_seeds} or more; intervals at {self.data.confidence:.1%})"
        )

    def _all(self) -> Iterator[tuple[Group, Finding]]:
        return ((group, finding) for group in self.groups for finding in group.findings)


def settings_text(group: Group) -> str:
    """`mixing = flat, norm = layer`."""
    return ", ".join(
        f"{path.rpartition('.')[2]} = {value}" for path, value in group.settings.items()
    )


def headline(finding: Finding) -> str:
    """The effect that decides, with its interval: `contrast 0.170 [0.120, 0.220]`."""
    name = HEADLINE.get(finding.claim) or next(iter(finding.effects), "effect")
    effect = finding.effects.get(name)
    if effect is None or effect.estimate is None:
        return f"{name} unknown"
    if effect.low is None or effect.high is None:
        return f"{name} {effect.estimate:.3f}"
    return f"{name} {effect.estimate:.3f} [{effect.low:.3f}, {effect.high:.3f}]"


def warnings(finding: Finding) -> list[str]:
    """What to know before believing it."""
    return [SHOUTED.get(warning, warning) for warning in finding.warnings]


def _lengths(finding: Finding) -> str:
    """`xi = 1 against 7`."""
    return "xi = " + " against ".join(f"{length:.4g}" for length in finding.corr_lens)


def _head(finding: Finding) -> tuple[Any, ...]:
    return finding.claim.value, finding.level, tuple(finding.corr_lens), finding.verdict.value


def _numbers(finding: Finding, effect: Effect) -> tuple[Any, ...]:
    ends = effect.low, effect.high, effect.bootstrap_low, effect.bootstrap_high
    warned, experiments = tuple(finding.warnings), tuple(finding.experiments)
    return effect.estimate, *ends, effect.p_value, len(effect.per_seed), warned, experiments
