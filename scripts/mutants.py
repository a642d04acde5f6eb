"""Mutation testing: change the code in small ways, see whether a test notices.

    python -m scripts.mutants                                # as `make mutants` does
    python -m scripts.mutants --package rgcore --sample 25   # a portion
    python -m scripts.mutants --only ID                      # one, by the name the report gives it

A fixed sample is tried, each mutant with the tests that touch its line, in a copy of the tree.
mutmut 3 changes bodies of functions alone, not bounds of fields, constants or what is decorated
(routes, validators), and all of them instead of a sample; cosmic-ray runs one fixed command for
every mutant, here the whole suite of minutes. So the runner is our own (`scripts/mutation`).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import SimpleQueue

from rgcontract.files import write_text
from scripts.mutation.choosing import Choosing
from scripts.mutation.mutant import Mutant
from scripts.mutation.places import PACKAGES, RECORDED
from scripts.mutation.recording import digest
from scripts.mutation.report import as_json, markdown, score
from scripts.mutation.sample import sample
from scripts.mutation.sites import sites
from scripts.mutation.trial import Trial, copies, environment, tried

ROOT = Path(__file__).resolve().parent.parent
SEED = 20260610
SAMPLE = 200


def main() -> int:
    """Try mutants, print what becomes of each, write the report."""
    asked = _arguments().parse_args()
    packages = [one for one in PACKAGES if asked.package in {None, Path(one).name}]
    if asked.only:
        mutants = [
            one for package in PACKAGES for one in sites(ROOT, package) if one.id in asked.only
        ]
        if missing := set(asked.only) - {one.id for one in mutants}:
            raise SystemExit(f"no such mutant: {', '.join(sorted(missing))}")
    else:
        mutants = sample(ROOT, packages, asked.sample, asked.seed)[asked.skip :]
    _say(f"{len(mutants)} mutants, seed {asked.seed}")
    asked.out.mkdir(parents=True, exist_ok=True)
    with copies(ROOT, asked.workers) as trees:
        records = _recorded(trees, asked.tests or RECORDED, asked.out)
        trials = _tried(trees, mutants, Choosing.read(ROOT, records))
    trials.sort(key=lambda trial: mutants.index(trial.mutant))
    write_text(asked.out / "mutants.json", as_json(ROOT, trials, asked.seed))
    write_text(asked.out / "mutants.md", markdown(ROOT, trials, asked.seed))
    _say(markdown(ROOT, trials, asked.seed))
    return 0 if score(trials) >= asked.floor else 1


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    names = [Path(one).name for one in PACKAGES]
    parser.add_argument("--package", choices=names, help="one of them; all are sampled evenly")
    parser.add_argument("--sample", type=int, default=SAMPLE, help="how many mutants")
    parser.add_argument("--skip", type=int, default=0, help="how many of the sample to leave out")
    parser.add_argument("--seed", type=int, default=SEED, help="which ones")
    parser.add_argument("--workers", type=int, default=2, help="how many at a time")
    parser.add_argument(
        "--only", action="append", metavar="ID", help="this mutant; may be repeated"
    )
    parser.add_argument(
        "--tests",
        action="append",
        choices=RECORDED,
        help="only tests of this folder may notice; may be repeated",
    )
    parser.add_argument("--out", type=Path, default=ROOT / ".mutants", help="where the report goes")
    parser.add_argument("--floor", type=float, default=0.9, help="a lower score is a failure")
    return parser


def _recorded(trees: Sequence[Path], folders: Sequence[str], out: Path) -> list[Path]:
    """Which tests touch which line, a file in `out` a folder; kept as long as code and tests stay.

    Raises:
        RuntimeError: tests of a folder could not be recorded; what they said is in the text.
    """
    records = {
        folder: out / f"lines-{Path(folder).name}-{digest(trees[0], folder)}.json"
        for folder in folders
    }
    left: SimpleQueue[Path] = SimpleQueue()
    for tree in trees:
        left.put(tree)

    def record(folder: str) -> None:
        tree = left.get()
        begun = time.monotonic()
        command = [sys.executable, "-m", "scripts.mutation.recording", str(records[folder]), folder]
        try:
            ended = subprocess.run(  # noqa: S603 - our own tests
                command, cwd=tree, env=environment(tree), check=False,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip
        finally:
            left.put(tree)
        if ended.returncode != 0:
            raise RuntimeError(f"the tests of {folder} could not be recorded:\n{ended.stdout}")
        _say(f"{folder}: {time.monotonic() - begun:.0f} s")

    missing = [folder for folder, path in records.items() if not path.exists()]
    if missing:
        _say("running the tests once, to see which of them touch which line")
        with ThreadPoolExecutor(len(trees)) as pool:
            list(pool.map(record, missing))
    return list(records.values())


def _tried(trees: Sequence[Path], mutants: Sequence[Mutant], choosing: Choosing) -> list[Trial]:
    """Each in whichever copy is free, the result printed as it comes."""
    free: SimpleQueue[Path] = SimpleQueue()
    for tree in trees:
        free.put(tree)

    def one(mutant: Mutant) -> Trial:
        tests = choosing.tests_of(mutant)
        tree = free.get()
        try:
            return tried(tree, mutant, tests, choosing.expected_seconds(tests))
        finally:
            free.put(tree)

    begun = time.monotonic()
    trials: list[Trial] = []
    with ThreadPoolExecutor(len(trees)) as pool:
        for done in as_completed([pool.submit(one, mutant) for mutant in mutants]):
            trial = done.result()
            trials.append(trial)
            _say(
                f"{len(trials)}/{len(mutants)} {time.monotonic() - begun:.0f} s"
                f" {trial.end} {trial.seconds:.0f} s {trial.mutant.id} {trial.test}",
            )
    return trials


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
