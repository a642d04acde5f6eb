"""What a round of mutants says: a score, a table, the survivors."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from scripts.mutation.trial import End, Trial

NOTICED = (End.KILLED, End.TIMEOUT)


def score(trials: Sequence[Trial]) -> float:
    """The share that the tests notice; a mutant without a test counts as one they do not."""
    return sum(trial.end in NOTICED for trial in trials) / len(trials)


def markdown(root: Path, trials: Sequence[Trial], seed: int) -> str:
    """A page: counts by package, then what was not noticed."""
    packages = list(dict.fromkeys(trial.mutant.package for trial in trials))
    rows = [("package", "mutants", *End, "noticed")]
    rows += [_row(one, [t for t in trials if t.mutant.package == one]) for one in packages]
    if len(packages) > 1:
        rows.append(_row("all", trials))
    table = [f"| {' | '.join(row)} |" for row in rows]
    table.insert(1, "|---|" + "---:|" * (len(rows[0]) - 1))
    survivors = [
        f"- `{trial.mutant.id}`\n  `{trial.mutant.change(root)}` in"
        f" `{trial.mutant.source}` ({trial.end}, {trial.n_tests} tests)"
        for trial in trials
        if trial.end not in NOTICED
    ]
    return "\n".join([f"Seed {seed}.", "", *table, "", *survivors, ""])


def _row(name: str, trials: Sequence[Trial]) -> tuple[str, ...]:
    counts = Counter(trial.end for trial in trials)
    ends = [str(counts[end]) for end in End]
    return (name, str(len(trials)), *ends, f"{100 * score(trials):.1f} %")


def as_json(root: Path, trials: Sequence[Trial], seed: int) -> str:
    """All of them, one object a mutant."""
    return json.dumps(
        {
            "seed": seed,
            "score": score(trials),
            "mutants": [
                {
                    "id": trial.mutant.id,
                    "change": trial.mutant.change(root),
                    "source": trial.mutant.source,
                    "operator": trial.mutant.operator,
                    "end": trial.end,
                    "seconds": round(trial.seconds, 1),
                    "n_tests": trial.n_tests,
                    "test": trial.test,
                }
                for trial in trials
            ],
        },
        indent=1,
    )
