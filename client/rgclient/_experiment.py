"""A handle on an experiment of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rgclient._errors import (
    ExperimentCancelled,
    ExperimentFailed,
    FailedRun,
    RGLabError,
)
from rgclient._glance import Glance, of_view, runs_text
from rgclient._handle import Handle
from rgclient._progress import doing
from rgcontract import Experiment as View
from rgcontract import State

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Self

    from rgclient._api import Api
    from rgclient._result import Result
    from rgclient._seeds import Seeds
    from rgclient._series import RunKey
    from rgcontract import Attempt, ExperimentSpec

SHOWN_CAUSES = 3
"""Failed runs that a message names; the exception carries them all."""


class Experiment(Handle[View, View]):
    """An experiment of the server; made by `submit`, `get` and `experiments`.

    It is about the training seeds that were asked for: whatever others ask for of the same
    experiment, what is waited for and read is of these. What it says is what the server last said:
    `refresh` asks again.
    """

    _kind = "experiment"
    _getter = "get"

    def __init__(
        self,
        api: Api,
        glance: Glance,
        *,
        seeds: Seeds = None,
        view: View | None = None,
        created: bool = False,
    ) -> None:
        super().__init__(api, seeds=seeds, view=view)
        self._glance = glance
        self._created = created

    @property
    def id(self) -> str:
        """Its name; the same spec always has the same one."""
        return self._glance.id

    @property
    def state(self) -> State:
        """As last heard: `queued`, `running`, `done`, `failed` or `cancelled`."""
        return self._glance.state

    @property
    def progress(self) -> float:
        """How far it is as last heard, 0 to 1, of all its runs together."""
        known = self._glance.progress
        return self._known().progress if known is None else known

    @property
    def spec_hash(self) -> str:
        """SHA-256 of what is measured."""
        return self._glance.spec_hash

    @property
    def created(self) -> bool:
        """Whether the submission that gave this handle was the first of its spec."""
        return self._created

    @property
    def label(self) -> str | None:
        """A name for people."""
        return self._known().label

    @property
    def tags(self) -> list[str]:
        """Words to find it by."""
        return self._known().tags

    @property
    def note(self) -> str | None:
        """A few lines beside it."""
        return self._known().note

    @property
    def priority(self) -> int:
        """The largest that anybody gave who wants it."""
        return self._known().priority

    @property
    def owners(self) -> list[str]:
        """Whose it is: who wants any of it, or who has asked for it where nobody does any more."""
        return self._known().owners

    @property
    def created_at(self) -> datetime:
        """When it was first submitted."""
        return self._known().created_at

    @property
    def spec(self) -> ExperimentSpec:
        """The spec with all defaults filled in.

        Raises:
            RGLabError: the server cannot read it; another release stored it.
        """
        known = self._known()
        if known.spec is None:
            raise RGLabError(f"the server cannot read the spec of {self.id}: {known.unreadable}")
        return known.spec

    def wait(
        self, timeout: float | None = None, *, progress: bool = True, poll: float | None = None
    ) -> Result:
        """Wait until it is done and return the measurement.

        Args:
            timeout: seconds to wait at most; None for as long as it takes.
            progress: show a bar (in a terminal or a notebook; never in a log file).
            poll: seconds between two questions to the server.

        Raises:
            ExperimentFailed: runs of its seeds failed; `causes` says why.
            ExperimentCancelled: runs of its seeds were cancelled.
            WaitTimeout: not done in time. The experiment goes on.
        """
        view = self._awaited(
            lambda: self.refresh()._known(),
            lambda bar: bar,
            timeout=timeout,
            progress=progress,
            poll=poll,
        )
        if view.state is State.FAILED:
            raise self._failed(view)
        if view.state is State.CANCELLED:
            raise self._cancelled(view)
        return self.result()

    def result(self, *, partial: bool = False, per_run: bool = False) -> Result:
        """The measurement.

        Args:
            partial: also before all runs are measured, over those that are.
            per_run: what has several indexes, such as spectra, for each run too.

        Raises:
            NotReady: it is not there yet.
        """
        return self._api.result(self.id, seeds=self._seeds, partial=partial, per_run=per_run)

    def update(self, **changes: Any) -> Self:
        """Change what you call it and how urgent it is to you: `e.update(label="sweep 3")`.

        What others call it, and how urgent it is to them, stays.

        Args:
            **changes: `label`, `tags`, `note` (None for none) and `priority`; the others stay.

        Raises:
            UnknownField, InvalidValue: before anything is sent.
            Forbidden: only others have asked for it.
        """
        self._api.update(self.id, **changes)
        return self.refresh()

    def cancel(self, *, everybody: bool = False) -> Self:
        """Withdraw what you asked for: a run stops when nobody wants it any more.

        What others asked for too goes on. No error if it is cancelled already.

        Args:
            everybody: as an admin, also what others asked for.

        Raises:
            Conflict: everything has ended already.
            Forbidden: only others have asked for it.
        """
        return self._said(self._api.cancel(self.id, seeds=self._seeds, everybody=everybody))

    def retry(self) -> Self:
        """Queue failed and cancelled runs of its seeds again.

        Raises:
            Conflict: no run has failed or been cancelled.
        """
        return self._said(self._api.retry(self.id, seeds=self._seeds))

    def attempts(self) -> dict[RunKey, list[Attempt]]:
        """Run -> every try at it: worker, device, versions, times, outcome, traceback.

        A run is its training seed, or (chain seed, training seed) where there are several chains.
        """
        runs = self.refresh()._known().runs
        several = len({run.chain_seed for run in runs}) > 1
        return {(run.chain_seed, run.seed) if several else run.seed: run.attempts for run in runs}

    def __repr__(self) -> str:
        """State and key numbers, as last heard."""
        facts = ", ".join(
            {"label": f"label {text!r}", "progress": f"progress {text}"}.get(name, text)
            for name, text in self._facts()
        )
        return f"<Experiment {self.id}: {facts}>"

    def _ask(self) -> View:
        return self._api.view(self.id, seeds=self._seeds)

    def _heard(self, view: View) -> None:
        self._view, self._glance = view, of_view(view)

    def _facts(self) -> list[tuple[str, str]]:
        return self._glance.facts()

    def _doing(self, seen: View) -> str:
        return doing(seen)

    @property
    def _experiment_id(self) -> str:
        return self.id

    def _failed(self, view: View) -> ExperimentFailed:
        causes = [
            FailedRun(run.seed, run.error or "no cause recorded", len(run.attempts))
            for run in view.runs
            if run.state is State.FAILED
        ]
        lines = [f"  seed {cause.seed}: {cause.error}" for cause in causes[:SHOWN_CAUSES]]
        if len(causes) > SHOWN_CAUSES:
            lines.append(f"  and {len(causes) - SHOWN_CAUSES} more, see .causes")
        advice = ".attempts() has the tracebacks, .retry() queues the failed runs again"
        if view.run_counts.done:
            advice += ", .result(partial=True) has the seeds that are measured"
        head = f"experiment {self.id} failed ({runs_text(view.run_counts)})"
        return ExperimentFailed(
            "\n".join([head, *lines, advice]), experiment_id=self.id, causes=causes
        )

    def _cancelled(self, view: View) -> ExperimentCancelled:
        return ExperimentCancelled(
            f"experiment {self.id} was cancelled ({runs_text(view.run_counts)}); "
            ".retry() queues it again",
            experiment_id=self.id,
        )
