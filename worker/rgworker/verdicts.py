"""Stored measurements of a study turned into findings: which rows go into which claim.

The one place where the groups of a study meet the claims of `rgcore`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rgcontract import Claim, Effect, Finding, Group, canonical_json
from rgcontract.networks import DECIDING_LEVELS, Level
from rgcontract.observables import NETWORK
from rgcontract.strictjson import number_or_none
from rgcore import claims, statistics
from rgstore.studies import Member
from rgstore.study_runs import Values

CORR_LEN = "chain.corr_len"
"""The axis that a group runs over; on all others it has one value."""
LEVELS = (*DECIDING_LEVELS, Level.POOLED.value)

Rows = dict[int, NDArray[np.float64]]
"""Training seed, or chain seed where there are several, -> its numbers by layer."""


class Judge:
    """The findings of one study.

    Args:
        values: experiment -> what is stored of it.
        over_chains: whether chains are what is sampled, each averaged over its training seeds.
        before: findings written earlier; one over the same runs is kept, not computed again.
    """

    def __init__(
        self, values: Mapping[str, Values], *, over_chains: bool, before: Sequence[Finding]
    ) -> None:
        self._values = values
        self._over_chains = over_chains
        self._before = {
            _key(found.claim, found.level, found.experiments): found for found in before
        }

    @property
    def error_bar(self) -> str:
        """What every interval is over."""
        return statistics.SEVERAL_CHAINS if self._over_chains else statistics.ONE_CHAIN

    def groups(self, members: Sequence[Member]) -> list[Group]:
        """Findings of every group that has any, in the order of the grid."""
        parted: dict[str, list[Member]] = {}
        for member in members:
            parted.setdefault(canonical_json(_settings(member)), []).append(member)
        found = [
            Group(settings=_settings(of[0]), findings=self._group(of)) for of in parted.values()
        ]
        return [group for group in found if group.findings]

    def _group(self, members: list[Member]) -> list[Finding]:
        by_length = sorted(members, key=lambda member: member.corr_len)
        found: list[Finding | None] = []
        for level in LEVELS:
            if by_length[0].corr_len < by_length[-1].corr_len:
                found.append(self._selective(level, by_length[0], by_length[-1]))
            for member in by_length:
                found.append(self._monotone(level, member))
                found.append(self._localized(level, member))
        order = list(Claim)
        there = [finding for finding in found if finding is not None]
        return sorted(there, key=lambda finding: order.index(finding.claim))  # stable: level, xi

    def _monotone(self, level: str, member: Member) -> Finding | None:
        rows = [self._rows(member, when, level, "effective_rank") for when in ("final", "initial")]
        return self._judged(Claim.MONOTONE, level, [member], rows, claims.monotone_collapse)

    def _localized(self, level: str, member: Member) -> Finding | None:
        rows = [self._rows(member, when, level, "kernel_drift") for when in ("final", "initial")]
        return self._judged(Claim.LOCALIZED, level, [member], rows, claims.localized_drift)

    def _selective(self, level: str, short: Member, long: Member) -> Finding | None:
        rows = [
            self._rows(member, when, level, "effective_rank")
            for when in ("final", "initial")
            for member in (short, long)
        ]
        return self._judged(Claim.SELECTIVE, level, [short, long], rows, claims.selective_collapse)

    def _judged(
        self, claim: Claim, level: str, members: list[Member], rows: list[Rows], judge: Any
    ) -> Finding | None:
        """The finding over the seeds that all conditions have; None if there is none."""
        seeds = sorted(set.intersection(*(set(of_seed) for of_seed in rows)))
        if not seeds:
            return None
        names = [member.experiment_id for member in members]
        warnings = self._warnings(names, level)
        before = self._before.get(_key(claim, level, names))
        # a run's numbers stay as they are. The mean over a chain's may still move
        if before is not None and _rows(before) == seeds and not self._over_chains:
            return before.model_copy(update={"warnings": warnings})
        core = judge(*(np.array([of_seed[seed] for seed in seeds]) for of_seed in rows))
        return Finding(
            claim=claim,
            level=level,
            corr_lens=[member.corr_len for member in members],
            experiments=names,
            verdict=core.verdict,
            reason=core.reason,
            effects={name: _effect(effect, seeds) for name, effect in core.effects.items()},
            flags=core.flags,
            warnings=warnings,
        )

    def _rows(self, member: Member, when: str, level: str, quantity: str) -> Rows:
        of_run = self._values.get(member.experiment_id, {}).get((when, level, quantity), {})
        if not self._over_chains:
            return {seed: np.array(values) for (_, seed), values in of_run.items()}
        of_chain: dict[int, list[list[float]]] = {}
        for (chain_seed, _), values in of_run.items():
            of_chain.setdefault(chain_seed, []).append(values)
        return {chain_seed: np.mean(values, axis=0) for chain_seed, values in of_chain.items()}

    def _warnings(self, names: list[str], level: str) -> list[str]:
        looked = {"under_trained": NETWORK, "too_few_samples": level}
        return [
            warning
            for warning, at in looked.items()
            if any(
                values[0] != 0
                for name in names
                for values in self._values[name].get(("final", at, warning), {}).values()
            )
        ]


def fewest_rows(groups: Sequence[Group]) -> int:
    """Seeds, or chains, behind the finding that has the fewest."""
    return min((len(_rows(finding)) for group in groups for finding in group.findings), default=0)


def _settings(member: Member) -> dict[str, Any]:
    return {path: value for path, value in member.cell.items() if path != CORR_LEN}


def _key(claim: Claim, level: str, experiments: Sequence[str]) -> tuple[str, ...]:
    return (claim, level, *experiments)


def _rows(finding: Finding) -> list[int]:
    """The seeds, or chains, that it is over."""
    return sorted(map(int, next(iter(finding.effects.values())).per_seed))


def _effect(effect: claims.Effect, seeds: Sequence[int]) -> Effect:
    return Effect(
        meaning=effect.meaning,
        estimate=_number(effect.estimate),
        low=_number(effect.low),
        high=_number(effect.high),
        bootstrap_low=_number(effect.bootstrap_low),
        bootstrap_high=_number(effect.bootstrap_high),
        p_value=_number(effect.p_value),
        per_seed={
            str(seed): _number(value) for seed, value in zip(seeds, effect.per_seed, strict=True)
        },
        note=effect.note or None,
    )


def _number(value: float | None) -> float | None:
    return None if value is None else number_or_none(value)
