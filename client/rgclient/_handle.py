"""What a handle on an experiment and one on a study do alike: remember, ask again, wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Self, TypeVar

from rgclient._errors import WaitTimeout
from rgclient._html import facts_table
from rgclient._named import Named
from rgclient._progress import ProgressBar
from rgclient._seeds import argument
from rgclient._waiting import HasState, OutOfTime, until_final

if TYPE_CHECKING:
    from collections.abc import Callable

    from rgclient._api import Api
    from rgclient._seeds import Seeds
    from rgclient._waiting import Display
    from rgcontract.audit import AuditEntry

View = TypeVar("View")
"""What the server answers of it."""
Seen = TypeVar("Seen", bound=HasState)
"""What is looked at while it is waited for."""


class Handle(Named, Generic[View, Seen]):
    """About the training seeds that were asked for; what it says is what was last heard."""

    _kind: str
    """What it is called in a message."""
    _getter: str
    """The function of the package that gives it again."""

    def __init__(self, api: Api, *, seeds: Seeds, view: View | None) -> None:
        self._api = api
        self._seeds = seeds
        self._view = view

    @property
    def seeds(self) -> tuple[int, ...] | None:
        """The training seeds that it is about; None for all that the lab has."""
        return self._seeds

    def history(self) -> list[AuditEntry]:
        """Who did what to it, oldest first; asked for now."""
        return list(self._api.audit(target=self.id))[::-1]

    def refresh(self) -> Self:
        """Ask the server how far it is."""
        return self._said(self._ask())

    def _repr_html_(self) -> str:
        return facts_table(f"{self._kind.capitalize()} {self.id}", self._facts())

    @property
    def _server(self) -> str:
        return self._api.url

    def _ask(self) -> View:
        """The answer of the server, asked for now."""
        raise NotImplementedError

    def _heard(self, view: View) -> None:
        """Keep an answer."""
        self._view = view

    def _facts(self) -> list[tuple[str, str]]:
        """Names and values, in the order they are read."""
        raise NotImplementedError

    def _doing(self, seen: Seen) -> str:
        """What is going on, in a line."""
        raise NotImplementedError

    def _said(self, view: View) -> Self:
        self._heard(view)
        return self

    def _known(self) -> View:
        """The last view; asked for if there is none, as after a submission or in a list."""
        if self._view is None:
            self.refresh()
        assert self._view is not None
        return self._view

    def _awaited(
        self,
        look: Callable[[], Seen],
        display: Callable[[ProgressBar], Display[Seen]],
        *,
        timeout: float | None,
        progress: bool,
        poll: float | None,
    ) -> Seen:
        """What is looked at, once nothing more happens to it.

        Raises:
            WaitTimeout: not in time.
        """
        bar = ProgressBar(self.id, enabled=progress)
        clock = self._api.clock
        try:
            return until_final(look, display(bar), clock, timeout=timeout, poll=poll)
        except OutOfTime as error:
            where = f" ({self._doing(error.last)})" if error.last else ""
            again = f"rgclient.{self._getter}({self.id!r}{argument(self._seeds)}).wait()"
            raise WaitTimeout(
                f"{self._kind} {self.id} is not done after {timeout:g} s{where}. "
                f"It goes on: {again} waits for it again",
                experiment_id=self._experiment_id,
            ) from None
        finally:
            bar.close()

    @property
    def _experiment_id(self) -> str:
        """The experiment that an error is about, where it is about one."""
        return ""
