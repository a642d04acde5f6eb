"""A server and what can be asked of it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from rgclient._api import EXPERIMENTS, STUDIES, Api
from rgclient._arguments import (
    filters,
    filters_by_name,
    keywords_only,
    many,
    page_size,
    preset_name,
    sorted_by,
)
from rgclient._body import body
from rgclient._errors import AmbiguousField, InvalidValue, UnknownField
from rgclient._experiment import Experiment
from rgclient._filters import with_filters
from rgclient._glance import of_acknowledgement, of_summary, of_view
from rgclient._seeds import told, which
from rgclient._study import Study
from rgcontract import (
    Acknowledgement,
    BulkAcknowledgement,
    ExperimentPage,
    Forecast,
    StudyPage,
)
from rgcontract import Study as StudyView
from rgcontract.filters import FILTERS
from rgcontract.study import STUDY_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class Client(Api):
    """A connection to one server. Safe to share between threads; a context manager.

    A forked process opens connections of its own. A pickled client carries the address and the
    token, so that it works in a worker of joblib or dask: keep such a pickle as you keep a token.
    A copy is the client itself, as handles share it.

    Args:
        url: address of the server. Else `RGLAB_URL`, else the credentials file of `rglab up`.
        token: who asks. Else `RGLAB_TOKEN`, else the same file.
        timeout: seconds to wait for an answer, or an `httpx.Timeout`.
        transport: how requests travel; for tests, and for the process that made it alone.
        clock: how time passes between two attempts; for tests.
        attempts: requests in all before a passing failure becomes an error.

    Raises:
        NoServer: no address or no token is known, or they cannot be used.
    """

    def submit(self, *_unnamed: Any, **fields: Any) -> Experiment:
        """Ask for an experiment; the same spec gives the same one, computed once.

        Args:
            **fields: fields of the spec by name (`corr_len=7`), whole sections
                (`chain={"corr_len": 7}`), or both; also `seeds`, `label`, `tags`, `priority`,
                `device`.

        Raises:
            UnknownField, AmbiguousField, InvalidValue: before anything is sent.
            InvalidSpec: the server refused a field; the message says what is allowed.
            OverLimit: it costs more than the lab allows.
        """
        keywords_only("submit", _unnamed)
        return self._acknowledged(
            self._post(EXPERIMENTS, body(fields), Acknowledgement, keyed=True)
        )

    def submit_many(self, specs: Iterable[Mapping[str, Any]]) -> list[Experiment]:
        """Ask for many experiments in one request: as `submit` of each, but all or none.

        Args:
            specs: for each experiment what `submit` takes, flat or in sections:
                `[{"corr_len": xi, "depth": 4} for xi in (1, 2, 4)]`. At most 5000; the same spec
                may come several times.

        Returns:
            One handle for each spec, in their order.

        Raises:
            UnknownField, AmbiguousField, InvalidValue: before anything is sent; the message starts
                with the place of the spec.
            InvalidSpec: the server refused a field, such as `experiments.17.chain.corr_len`.
            OverLimit: one of them, or all together, cost more than the lab allows.
        """
        bodies = [_placed(index, spec) for index, spec in enumerate(many(specs))]
        if not bodies:
            return []
        sent = {"experiments": bodies}
        answer = self._post(f"{EXPERIMENTS}/bulk", sent, BulkAcknowledgement, keyed=True)
        return [self._acknowledged(one) for one in answer.experiments]

    def forecast(self, *_unnamed: Any, **fields: Any) -> Forecast:
        """What `submit` with the same fields would cost. Nothing is stored."""
        keywords_only("forecast", _unnamed)
        return self._post(EXPERIMENTS, body(fields), Forecast, params={"dry_run": "true"})

    def get(self, experiment_id: str, *, seeds: Any = None) -> Experiment:
        """An experiment by its id.

        Args:
            experiment_id: its name.
            seeds: training seeds that the handle is about, how many or which; all that the lab
                has if not given, whoever asked for them.

        Raises:
            NotFound: there is none.
            ResponseError: it has no such seed; the message says which it has.
        """
        asked = which(seeds)
        view = self.view(experiment_id, seeds=asked)
        return Experiment(self, of_view(view), seeds=asked, view=view)

    @with_filters
    def experiments(
        self,
        *_unnamed: Any,
        limit: int | None = None,
        sort: str | None = None,
        **asked: Any,
    ) -> Iterator[Experiment]:
        """Experiments, newest first, fetched page by page as they are read.

        Args:
            limit: how many at most; all of them if not given.
            sort: what they are ordered by, such as `"corr_len"`, or `"-corr_len"` for the largest
                first; one of those that follow the filters.
            **asked: filters: the rows of `rgcontract.filters`, which follow.

        Raises:
            UnknownField, InvalidValue: there is no such filter or order, or a value is none of one.
        """
        filters_by_name("experiments", _unnamed)
        known = {name: asked.pop(name, None) for name in FILTERS}
        params = {**filters(known, asked), "limit": str(page_size(limit)), **sorted_by(sort)}
        pages = self._pages(EXPERIMENTS, ExperimentPage, params)
        found = (Experiment(self, of_summary(one)) for page in pages for one in page.items)
        return islice(found, limit)

    def study(self, preset: str | None = None, **fields: Any) -> Study:
        """Ask for a study: as `submit`, but a list for a field makes a grid of experiments.

        Experiments that the lab has are not measured again. The same grid gives the same study.

        Args:
            preset: a name of `rgcontract.PRESETS` to start from, such as `paper-small`; other
                fields override it.
            **fields: as in `submit`; also `name`, `target_error` (add seeds until the standard
                error of every collapse ratio is below it) and `max_seeds`.

        Raises:
            UnknownField, AmbiguousField, InvalidValue: before anything is sent.
            InvalidSpec: the server refused a field, or a cell of the grid.
            OverLimit: the grid is larger, or costs more, than the lab allows.
        """
        if preset is not None:
            fields["preset"] = preset_name(preset)
        view = self._post(STUDIES, body(fields, STUDY_FIELDS), StudyView)
        return Study(self, view, seeds=told(view.seeds))

    def get_study(self, study_id: str, *, seeds: Any = None) -> Study:
        """A study by its id.

        Args:
            study_id: its name.
            seeds: training seeds that the handle is about, of those that the study was asked for
                with; all of them if not given.

        Raises:
            NotFound: there is none.
        """
        asked = which(seeds)
        return Study(self, self.study_view(study_id, seeds=asked), seeds=asked)

    def studies(
        self, *_unnamed: Any, owner: str | None = None, limit: int | None = None, **_unknown: Any
    ) -> Iterator[Study]:
        """Studies, newest first, fetched page by page as they are read.

        Args:
            owner: who asked for it first.
            limit: how many at most; all of them if not given.
        """
        filters_by_name("studies", _unnamed)
        params = {**filters({"owner": owner}, _unknown), "limit": str(page_size(limit))}
        pages = self._pages(STUDIES, StudyPage, params)
        return islice((Study(self, one) for page in pages for one in page.items), limit)

    def _acknowledged(self, answer: Acknowledgement) -> Experiment:
        return Experiment(
            self, of_acknowledgement(answer), seeds=told(answer.seeds), created=answer.created
        )


def _placed(index: int, spec: Mapping[str, Any]) -> dict[str, Any]:
    """The body of one of many specs; what is wrong with it says where it is."""
    try:
        return body(dict(spec))
    except (UnknownField, AmbiguousField, InvalidValue) as error:
        raise type(error)(f"experiments.{index}: {error}") from error
