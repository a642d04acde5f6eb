"""Findings from stored measurements: the right rows in the right claim, never stale."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from claims import claim_one
from measured_study import DEPTH, GRID, Key, ask, measure, numbers_of, store
from scipy import stats
from sqlalchemy import func, select, text, update

from rgcontract import Findings, Outcome, State
from rgstore import claiming, endings, further_seeds, judging, study_runs
from rgstore.database import Database
from rgstore.tables import ExperimentRow, RunRow, StudyRow
from rgworker.findings import MOST_ADDED, more_seeds, refresh_findings

CONFIDENCE = 1.0 - 0.1 / 3.0
"""Of the intervals: three of them share two-sided 5 % (docs/claims.md)."""


def refresh(database: Database) -> list[int]:
    return refresh_findings(database, attempt_limit=3)


def findings(database: Database, name: str) -> Findings:
    with database.begin() as session:
        return Findings.model_validate(session.get_one(StudyRow, name).findings)


def one(found: Findings, claim: str, level: str = "position", group: int = 0) -> Any:
    """The finding with the shortest chain."""
    return next(f for f in found.groups[group].findings if (f.claim, f.level) == (claim, level))


def per_run(
    database: Database, numbers: Any = numbers_of
) -> dict[tuple[float, int], dict[Key, list[float]]]:
    """(corr_len, seed) -> the numbers that were stored."""
    stored = {}

    def remember(claim: Any) -> Any:
        found = numbers(claim)
        stored[claim.spec["chain"]["corr_len"], claim.seed] = found
        return found

    measure(database, remember)
    return stored


def ratio(
    numbers: Mapping[Key, list[float]], level: str = "position", when: str = "final"
) -> float:
    ranks = numbers[when, level, "effective_rank"]
    return ranks[-1] / ranks[0]


def test_the_contrast_is_the_paired_difference_of_the_stored_ratios(database: Database) -> None:
    name = ask(database, **GRID)
    stored = per_run(database)
    refresh(database)
    found = one(findings(database, name), "selective")
    contrast = [ratio(stored[7.0, seed]) - ratio(stored[1.0, seed]) for seed in range(3)]
    effect = found.effects["contrast"]
    low, high = stats.t.interval(CONFIDENCE, df=2, loc=np.mean(contrast), scale=stats.sem(contrast))
    # 1e-12: the same sums in another order
    assert effect.estimate == pytest.approx(np.mean(contrast), rel=1e-12)
    assert (effect.low, effect.high) == pytest.approx((low, high), rel=1e-9)
    assert list(effect.per_seed.values()) == pytest.approx(contrast, rel=1e-12)
    assert list(effect.per_seed) == ["0", "1", "2"]


def test_the_fall_with_depth_is_that_of_the_stored_ranks(database: Database) -> None:
    name = ask(database, **GRID)
    stored = per_run(database)
    refresh(database)
    found = one(findings(database, name), "monotone")
    falls = [math.log(ratio(stored[1.0, seed])) for seed in range(3)]
    before = [math.log(ratio(stored[1.0, seed], when="initial")) for seed in range(3)]
    learned = np.subtract(falls, before)
    assert found.corr_lens == [1.0]
    assert found.effects["log_collapse"].estimate == pytest.approx(np.mean(falls), rel=1e-12)
    assert found.effects["log_collapse_from_training"].estimate == pytest.approx(
        np.mean(learned), rel=1e-12
    )


def test_the_number_of_transitions_is_that_of_the_stored_drift(database: Database) -> None:
    name = ask(database, **GRID)
    stored = per_run(database)
    refresh(database)
    found = one(findings(database, name), "localized")
    numbers = []
    for seed in range(3):
        shares = np.array(stored[1.0, seed]["final", "position", "kernel_drift"])
        shares /= shares.sum()
        numbers.append(np.exp(-(shares * np.log(shares)).sum()))
    assert found.effects["effective_transitions"].estimate == pytest.approx(
        np.mean(numbers), rel=1e-12
    )


def test_what_is_plainly_there_is_supported_and_pooling_hides_it(database: Database) -> None:
    name = ask(database, **GRID)
    measure(database)
    refresh(database)
    found = findings(database, name)
    assert one(found, "monotone").verdict == "supported"
    assert one(found, "selective").verdict == "supported"
    assert one(found, "selective").flags["long_collapse"] == "absent"
    assert one(found, "localized").verdict == "supported"
    assert one(found, "selective", "pooled").verdict == "refuted"


def test_every_experiment_and_level_has_its_findings(database: Database) -> None:
    name = ask(database, **GRID)
    measure(database)
    refresh(database)
    (group,) = findings(database, name).groups
    assert [(f.claim, f.level, f.corr_lens) for f in group.findings] == [
        ("monotone", "position", [1.0]),
        ("monotone", "position", [7.0]),
        ("monotone", "pooled", [1.0]),
        ("monotone", "pooled", [7.0]),
        ("selective", "position", [1.0, 7.0]),
        ("selective", "pooled", [1.0, 7.0]),
        ("localized", "position", [1.0]),
        ("localized", "position", [7.0]),
        ("localized", "pooled", [1.0]),
        ("localized", "pooled", [7.0]),
    ]


def test_the_shortest_is_set_against_the_longest(database: Database) -> None:
    name = ask(database, chain={"corr_len": [3, 9, 1]}, seeds=3)
    measure(database)
    refresh(database)
    assert one(findings(database, name), "selective").corr_lens == [1.0, 9.0]


def test_one_correlation_length_has_no_contrast(database: Database) -> None:
    name = ask(database, chain={"corr_len": 1}, seeds=3)
    measure(database)
    refresh(database)
    claims = {f.claim for f in findings(database, name).groups[0].findings}
    assert claims == {"monotone", "localized"}


def test_architectures_are_groups_with_their_settings(database: Database) -> None:
    model = {"depth": [5, DEPTH], "norm": ["layer", "none"]}
    name = ask(database, chain={"corr_len": [1, 7]}, model=model, seeds=3)
    measure(database)
    refresh(database)
    found = findings(database, name)
    assert [group.settings for group in found.groups] == [
        {"model.depth": depth, "model.norm": norm}
        for depth in (5, DEPTH)
        for norm in ("layer", "none")
    ]
    assert all(one(found, "selective", group=g).corr_lens == [1.0, 7.0] for g in range(4))


def test_flat_networks_are_read_by_sequence(database: Database) -> None:
    name = ask(database, chain={"corr_len": [1, 7]}, model={"mixing": "flat"}, seeds=3)
    measure(database)
    refresh(database)
    found = findings(database, name)
    assert {f.level for f in found.groups[0].findings} == {"sequence"}
    assert one(found, "selective", "sequence").verdict == "supported"


def test_several_chains_are_the_sample_each_averaged_over_its_seeds(database: Database) -> None:
    chain = {"corr_len": [1, 7], "seeds": [3, 5, 8]}
    name = ask(database, chain=chain, seeds=2)
    stored: dict[tuple[float, int, int], Any] = {}

    def remember(claim: Any) -> Any:
        found = numbers_of(claim)
        corr_len = claim.spec["chain"]["corr_len"]
        stored[corr_len, claim.chain_seed, claim.seed] = found[
            "final", "position", "effective_rank"
        ]
        return found

    measure(database, remember)
    refresh(database)
    found = findings(database, name)
    contrasts = []
    for chain_seed in (3, 5, 8):
        short, long = (
            np.mean([stored[length, chain_seed, seed] for seed in (0, 1)], axis=0)
            for length in (1.0, 7.0)
        )
        contrasts.append(long[-1] / long[0] - short[-1] / short[0])
    effect = one(found, "selective").effects["contrast"]
    assert list(effect.per_seed) == ["3", "5", "8"]
    assert list(effect.per_seed.values()) == pytest.approx(contrasts, rel=1e-12)
    assert (found.n_seeds, found.error_bar) == (3, "chains and training seeds")


def test_seeds_that_one_side_lacks_are_left_out_of_the_contrast(database: Database) -> None:
    name = ask(database, **GRID)
    measure(database)
    with database.begin() as session:
        short = session.scalars(select(ExperimentRow.id).where(ExperimentRow.corr_len == 1.0)).one()
        study = session.get_one(StudyRow, name)
        further_seeds.add_seeds(session, study, {"alice": {short: 1}}, attempt_limit=3)
    measure(database)
    refresh(database)
    found = findings(database, name)
    assert len(one(found, "monotone").effects["log_collapse"].per_seed) == 4
    assert len(one(found, "selective").effects["contrast"].per_seed) == 3


@pytest.mark.parametrize(
    ("changed", "warned"),
    [
        (("final", "network", "under_trained"), {"position": ["under_trained"]}),
        (("final", "position", "too_few_samples"), {"position": ["too_few_samples"]}),
        (("final", "pooled", "too_few_samples"), {"position": []}),
    ],
)
def test_one_run_that_is_not_to_be_believed_is_enough_for_a_warning(
    database: Database, changed: Any, warned: Any
) -> None:
    def numbers(claim: Any) -> Any:
        bad = claim.seed == 2 and claim.spec["chain"]["corr_len"] == 7.0
        return numbers_of(claim) | ({changed: [1.0]} if bad else {})

    name = ask(database, **GRID)
    measure(database, numbers)
    refresh(database)
    found = findings(database, name)
    assert one(found, "selective").warnings == warned["position"]
    assert one(found, "monotone").warnings == []  # of the short chain


def test_a_run_without_a_number_leaves_no_nan_in_the_findings(database: Database) -> None:
    def numbers(claim: Any) -> Any:
        found = numbers_of(claim)
        if claim.seed == 1:
            found["final", "position", "effective_rank"] = [math.nan] * (DEPTH + 1)
        return found

    name = ask(database, **GRID)
    measure(database, numbers)
    refresh(database)
    effect = one(findings(database, name), "selective").effects["contrast"]
    assert effect.per_seed["1"] is None
    assert effect.estimate is not None


def test_nothing_measured_is_no_findings(database: Database) -> None:
    name = ask(database, **GRID)
    refresh(database)
    with database.begin() as session:
        study = session.get_one(StudyRow, name)
        assert (study.findings, study.findings_due) == (None, False)


def test_findings_before_the_end_say_so(database: Database) -> None:
    name = ask(database, **GRID)
    measure(database, most=5)
    refresh(database)
    assert findings(database, name).complete is False
    measure(database)
    refresh(database)
    assert findings(database, name).complete is True


def test_another_seed_makes_them_anew(database: Database) -> None:
    name = ask(database, **GRID)
    measure(database)
    refresh(database)
    ask(database, **GRID | {"seeds": 4})
    measure(database)
    refresh(database)
    found = findings(database, name)
    assert found.n_seeds == 4
    assert len(one(found, "localized").effects["effective_transitions"].per_seed) == 4


def test_findings_made_step_by_step_are_those_made_at_once(database: Database) -> None:
    name = ask(database, **GRID)
    while measure(database, most=1):
        refresh(database)
    stepwise = findings(database, name)
    with database.begin() as session:
        session.execute(update(StudyRow).values(findings=None, findings_due=True))
    refresh(database)
    assert findings(database, name).groups == stepwise.groups


def test_findings_in_another_form_are_replaced(database: Database) -> None:
    name = ask(database, **GRID)
    measure(database)
    with database.begin() as session:
        session.execute(update(StudyRow).values(findings={"version": 0}))
    refresh(database)
    assert findings(database, name).complete


def test_an_experiment_of_two_studies_serves_both(database: Database) -> None:
    first = ask(database, **GRID)
    second = ask(database, chain={"corr_len": [1, 3]}, model={"depth": DEPTH}, seeds=3)
    measure(database)
    refresh(database)
    assert one(findings(database, first), "selective").corr_lens == [1.0, 7.0]
    assert one(findings(database, second), "selective").corr_lens == [1.0, 3.0]


def test_a_run_that_is_stored_while_findings_are_made_is_not_forgotten(database: Database) -> None:
    name = ask(database, **GRID)
    measure(database, most=5)
    with database.begin() as session:
        study = judging.next_due(session)
        assert study is not None
        over = study_runs.count_measured(session, name)
        measure(database)  # does not wait for whoever makes the findings
        judging.keep_findings(session, study, None, over=over)
    refresh(database)
    assert findings(database, name).complete


def test_workers_at_the_same_moment_leave_one_right_answer(database: Database) -> None:
    names = [ask(database, **GRID | {"data": {"seq_len": 16 + n}, "seeds": 3}) for n in range(3)]

    def work(_: Any) -> None:
        while measure(database, most=1):
            refresh(database)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    refresh(database)
    for name in names:
        found = findings(database, name)
        assert (found.complete, found.n_seeds) == (True, 3)


def test_what_is_not_due_costs_one_look(database: Database) -> None:
    ask(database, **GRID)
    measure(database)
    refresh(database)
    with database.begin() as session:
        assert judging.next_due(session) is None


def spread(claim: Any, width: float) -> dict[Key, list[float]]:
    """A collapse ratio of 0.6 that alternates by the width from seed to seed."""
    found = numbers_of(claim)
    sign = 1.0 if claim.seed % 2 else -1.0
    wide = claim.spec["chain"]["corr_len"] == 1.0
    last = 12.0 * (1.0 + (sign * width if wide else 0.0))
    found["final", "position", "effective_rank"] = [20.0] * DEPTH + [last]
    return found


def seeds_of(database: Database) -> dict[float, list[int]]:
    with database.begin() as session:
        rows = session.execute(
            select(ExperimentRow.corr_len, RunRow.seed)
            .join(RunRow, RunRow.experiment_id == ExperimentRow.id)
            .order_by(RunRow.seed)
        )
        found: dict[float, list[int]] = {}
        for corr_len, seed in rows:
            found.setdefault(corr_len, []).append(seed)
    return found


def test_seeds_are_added_only_where_the_error_is_above_the_target(database: Database) -> None:
    ask(database, **GRID | {"target_error": 0.01})
    measure(database, lambda claim: spread(claim, 0.05))
    added = refresh(database)
    # ratios 0.57, 0.63, 0.57: error 0.02, so 3 x 2^2 = 12 are needed; four at a time
    assert seeds_of(database) == {1.0: [0, 1, 2, 3, 4, 5, 6], 7.0: [0, 1, 2]}
    with database.begin() as session:
        queued = session.scalars(select(RunRow.id).where(RunRow.state == State.QUEUED)).all()
    assert sorted(added) == sorted(queued)


def test_seeds_are_added_until_the_error_is_below_the_target(database: Database) -> None:
    name = ask(database, **GRID | {"target_error": 0.01, "max_seeds": 40})
    rounds = 0
    while measure(database, lambda claim: spread(claim, 0.05)):
        refresh(database)
        rounds += 1
    # alternating ratios have a standard deviation of 0.03 sqrt(n / (n - 1)), about: n = 10 or so
    n = len(seeds_of(database)[1.0])
    assert 8 <= n <= 12
    assert rounds < 6
    assert findings(database, name).complete


def test_no_more_seeds_than_allowed_are_added(database: Database) -> None:
    ask(database, **GRID | {"target_error": 1e-6, "max_seeds": 5})
    while measure(database, lambda claim: spread(claim, 0.05)):
        refresh(database)
    assert len(seeds_of(database)[1.0]) == 5


def test_a_spec_that_cannot_be_read_keeps_no_other_experiment_from_its_seeds(
    database: Database,
) -> None:
    ask(database, **GRID | {"target_error": 1e-6})
    measure(database, lambda claim: spread(claim, 0.05))
    with database.begin() as session:
        first = session.scalars(select(ExperimentRow).order_by(ExperimentRow.id)).first()
        assert first is not None
        first.spec = {**first.spec, "tempo": 2}
    assert len(refresh(database)) == MOST_ADDED


def test_no_seeds_are_added_while_runs_are_missing(database: Database) -> None:
    ask(database, **GRID | {"target_error": 1e-6})
    measure(database, lambda claim: spread(claim, 0.05), most=5)
    assert refresh(database) == []


def test_no_seeds_are_added_to_a_study_with_a_failed_run(database: Database) -> None:
    ask(database, **GRID | {"target_error": 1e-6})
    measure(database, lambda claim: spread(claim, 0.05), most=5)
    with database.begin() as session:
        claim = claim_one(session, claiming.Holder("w/1", "w", "h", "cpu", {}, {}), lease_seconds=9)
        assert claim is not None
        endings.fail(session, claim, outcome=Outcome.FAILED, error="x")
    assert refresh(database) == []


def test_a_lower_target_is_seen_without_another_run(database: Database) -> None:
    fields = GRID
    ask(database, **fields)
    measure(database, lambda claim: spread(claim, 0.05))
    assert refresh(database) == []
    ask(database, **fields | {"target_error": 0.01})
    assert len(refresh(database)) == MOST_ADDED


@pytest.mark.parametrize(
    ("n", "error", "target", "most", "more"),
    [
        (3, 0.02, 0.02, 16, 0),
        (3, 0.021, 0.02, 16, 1),  # 3.3 in all
        (4, 0.03, 0.02, 16, 4),  # 9 in all: four at a time
        (5, 0.022, 0.02, 16, 2),  # 6.05 in all
        (15, 0.03, 0.01, 16, 1),
        (16, 0.03, 0.01, 16, 0),
        (20, 0.03, 0.01, 16, 0),
        (1, None, 0.01, 16, 2),
        (1, None, 0.01, 1, 0),
        (4, None, 0.01, 16, 0),
    ],
)
def test_the_seeds_that_are_missing_follow_from_the_error(
    n: int, error: Any, target: float, most: int, more: int
) -> None:
    assert more_seeds(n, error, target, most) == more


def test_it_never_loads_torch() -> None:
    code = "import sys, rgworker.findings, rgworker.upkeep; print('torch' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_stored_twice_is_counted_once(database: Database) -> None:
    name = ask(database, **GRID)
    (claim,) = measure(database, most=1)
    with pytest.raises(endings.LeaseLostError):
        store(database, claim, numbers_of(claim))
    with database.begin() as session:
        assert study_runs.count_measured(session, name) == 1
        assert session.scalar(select(func.count()).select_from(StudyRow)) == 1


STAYS_DUE = (
    """
    CREATE FUNCTION stay_due() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.findings_due := true; RETURN NEW; END $$
    """,
    "CREATE TRIGGER stay_due BEFORE UPDATE ON studies FOR EACH ROW EXECUTE FUNCTION stay_due()",
)


def test_a_study_that_is_measured_on_and_on_keeps_no_other_from_its_findings(
    database: Database,
) -> None:
    """One round comes to each once, and ends."""
    names = [ask(database, **GRID), ask(database, chain={"corr_len": [2, 9]}, seeds=3)]
    measure(database)
    with database.begin() as session:
        for statement in STAYS_DUE:
            session.execute(text(statement))
    try:
        refresh(database)
        assert all(findings(database, name).complete for name in names)
    finally:
        with database.begin() as session:
            session.execute(text("DROP FUNCTION stay_due CASCADE"))
