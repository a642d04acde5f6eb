"""What is known of an experiment without asking the server again, whatever answer it came with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rgclient._numbers import count, percent

if TYPE_CHECKING:
    from rgcontract import (
        Acknowledgement,
        ExperimentSpec,
        ExperimentSummary,
        RunCounts,
        State,
    )
    from rgcontract import Experiment as View


@dataclass(frozen=True)
class Glance:
    """The key numbers of an experiment."""

    id: str
    spec_hash: str
    state: State
    runs: RunCounts
    physics: str = ""
    """Chain and network in a few words; empty if not known yet."""
    label: str | None = None
    progress: float | None = None
    """Of all its runs together, 0 to 1."""

    def facts(self) -> list[tuple[str, str]]:
        """Names and values, in the order they are read."""
        found = [("label", self.label or ""), ("state", self.state.value), ("spec", self.physics)]
        if self.progress and not self.state.is_final:  # what has not begun has none to show
            found.append(("progress", percent(self.progress)))
        return [(name, text) for name, text in [*found, ("runs", runs_text(self.runs))] if text]


def runs_text(runs: RunCounts) -> str:
    """`2 of 3 runs done, 1 failed`."""
    failed = f", {runs.failed} failed" if runs.failed else ""
    cancelled = f", {runs.cancelled} cancelled" if runs.cancelled else ""
    return f"{runs.done} of {count(runs.total, 'run')} done{failed}{cancelled}"


def of_acknowledgement(answer: Acknowledgement) -> Glance:
    """After a submission."""
    return Glance(answer.id, answer.spec_hash, answer.state, answer.runs)


def of_summary(summary: ExperimentSummary) -> Glance:
    """From a list."""
    return Glance(
        summary.id,
        summary.spec_hash,
        summary.state,
        summary.run_counts,
        _physics(summary.corr_len, summary.family, summary.depth, summary.width),
        summary.label,
    )


def of_view(view: View) -> Glance:
    """From the experiment itself."""
    return Glance(
        view.id,
        view.spec_hash,
        view.state,
        view.run_counts,
        _physics_of(view.spec) if view.spec else "a spec that the server cannot read",
        view.label,
        view.progress,
    )


def _physics_of(spec: ExperimentSpec) -> str:
    chain, model = spec.chain, spec.model
    return _physics(chain.corr_len, chain.family, model.depth, model.width)


def _physics(corr_len: Any, family: str, depth: int, width: int) -> str:
    """The chain may be of a family that only a newer server knows, and its length of any kind."""
    length = f"{corr_len:.4g}" if isinstance(corr_len, int | float) else corr_len or "not known yet"
    return f"xi = {length}, {family}, depth {depth}, width {width}"
