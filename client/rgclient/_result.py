"""A measurement as a physicist reads it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import ValidationError

from rgclient._collapse import CollapseRatio, collapse_ratio
from rgclient._errors import NotMeasured, UnreadableResult
from rgclient._extras import optional
from rgclient._frame import frame
from rgclient._html import facts_table
from rgclient._series import LayerArray, LayerSeries, layer_array, layer_series
from rgclient._source import ChainApart, Source
from rgclient._summary import facts, title, warnings
from rgcontract import Level, measured
from rgcontract import Result as Data
from rgcontract.arrays import TRANSITION
from rgcontract.files import write_text
from rgcontract.observables import NETWORK, OBSERVABLES
from rgcontract.reading import as_json, read

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    import pandas as pd
    from matplotlib.axes import Axes

    from rgcontract import ChainFacts, Estimate, Losses, Snapshot
    from rgcontract.observables import Observable


BY_NAME = {
    name: row
    for name, row in OBSERVABLES.items()
    if name not in Data.model_fields  # a flag of the whole: yes or no
}
"""The observables that a result can be asked for as `result.<name>(level=..., when=...)`."""


@dataclass(frozen=True, repr=False)
class Result:
    """The measurement of an experiment over its seeds; every number has its error bar.

    Levels say which rows a matrix is made of. The default is `position`, the one that the
    claims are about, or `sequence` where the mixing is `flat`.
    """

    data: Data
    """The whole answer of the server. Arrays that are large are not in it: `left_out` names them,
    and they are fetched when they are read here."""
    source: Source | None = field(default=None, compare=False)
    """Where they are fetched from; None where it is no longer known, as for a file of before."""
    _fetched: dict[tuple[str, str, str], Estimate] = field(
        default_factory=dict, init=False, compare=False
    )

    @property
    def id(self) -> str:
        """Name of the experiment."""
        return self.data.id

    @cached_property
    def chain(self) -> ChainFacts:
        """What is known exactly of the chain; of the first one where there are several."""
        return self._with_matrix(self.data.chain)

    @cached_property
    def chains(self) -> tuple[ChainFacts, ...]:
        """The same of each chain, in the order of `chain_seeds`."""
        return tuple(map(self._with_matrix, self.data.chains))

    @property
    def seeds(self) -> tuple[int, ...]:
        """The training seeds these numbers are over."""
        return tuple(self.data.seeds)

    @property
    def chain_seeds(self) -> tuple[int, ...]:
        """The chains these numbers are over."""
        return tuple(self.data.chain_seeds)

    @property
    def under_trained(self) -> bool:
        """Whether the final network is too far above the Bayes loss to believe its rank."""
        return self.data.under_trained

    @property
    def too_few_samples(self) -> bool:
        """Whether more `n_sequences` would move the ranks of the final network."""
        return self.data.too_few_samples

    @property
    def level(self) -> str:
        """The level that a quantity is read at if none is given."""
        return measured.deciding_level(self.data)

    def losses(self, when: str = "final") -> Losses:
        """The masked-token loss beside the best possible, in nats."""
        return self._snapshot(when).losses

    def effective_rank(self, level: str | None = None, when: str = "final") -> LayerSeries:
        """exp(-sum p ln p), p = s / sum s, s the singular values; layers 0 to L."""
        return self._series("effective_rank", level, when)

    def participation_ratio(self, level: str | None = None, when: str = "final") -> LayerSeries:
        """(sum v)^2 / sum v^2, v the squared singular values; layers 0 to L."""
        return self._series("participation_ratio", level, when)

    def stable_rank(self, level: str | None = None, when: str = "final") -> LayerSeries:
        """Sum v / max v, v the squared singular values; layers 0 to L."""
        return self._series("stable_rank", level, when)

    def kernel_drift(self, level: str | None = None, when: str = "final") -> LayerSeries:
        """1 - CKA of a layer and the next; index l is from layer l to layer l + 1."""
        return self._series("kernel_drift", level, when)

    def spectrum(self, level: str | None = None, when: str = "final") -> LayerArray:
        """The squared singular values v / sum v of each layer, largest first: (L + 1, d)."""
        return self._array("spectrum", level, when)

    def quantity(
        self, name: str, level: str | None = None, when: str = "final"
    ) -> LayerSeries | LayerArray:
        """Any measured quantity by name: a series if it has one number per layer.

        Raises:
            NotMeasured: no such quantity, level or moment; the message names what is there.
        """
        level = level or self.level
        estimate = self._estimate(name, level, when)
        make = layer_series if len(estimate.shape) == 1 else layer_array
        return make(estimate, quantity=name, level=level, when=when, seeds=self.seeds)

    if not TYPE_CHECKING:  # for a type checker there is what is written out, and `quantity`

        def __getattr__(self, name: str) -> Callable[..., LayerSeries | LayerArray]:
            """Any observable by its name: `result.frobenius_drift(level=..., when=...)`.

            Raises:
                AttributeError: there is none of that name; the message has the nearest.
            """
            row = BY_NAME.get(name)
            if row is None:
                near = difflib.get_close_matches(name, BY_NAME, n=3)
                did_you = f"; did you mean {' or '.join(near)}?" if near else ""
                raise AttributeError(f"a result has no {name!r}{did_you}", name=name, obj=self)

            def read(level: str | None = None, when: str = "final") -> LayerSeries | LayerArray:
                return self.quantity(name, level or self._level_of(row), when)

            read.__name__, read.__doc__ = name, row.meaning
            return read

    def __dir__(self) -> list[str]:
        """With every observable that can be read by its name."""
        return sorted({*super().__dir__(), *BY_NAME})

    def collapse_ratio(self, level: str | None = None, when: str = "final") -> CollapseRatio:
        """Effective rank of the last layer over that of the first, per seed and over seeds."""
        return collapse_ratio(self.effective_rank(level, when))

    def cka(self, level: str | None = None, when: str = "final") -> LayerArray:
        """Linear CKA of every layer with every layer: (L + 1, L + 1).

        Not measured at levels `position` and `token`; without a level, that of the hidden tokens.
        """
        flat = self.level == Level.SEQUENCE.value
        return self._array("cka", level or (self.level if flat else Level.MASKED.value), when)

    def relevance(self, target: str = "posterior", when: str = "final") -> LayerSeries:
        """Out-of-sample R^2 of a linear ridge read-out from each layer at the masked positions.

        With mixing `flat` at the middle position alone. Negative where the read-out predicts worse
        than the mean does; nan where there is nothing to read: the `reasons` of the series say why.

        Args:
            target: `posterior` (log-odds of the exact posterior given the tokens in view) or
                `irrelevant` (what the next visible tokens beyond the nearest hold that these do
                not say of them; given the nearest, it says nothing of the masked token). Of each
                eigenvector by itself: `quantity("relevance_eigenvectors", "network")`.
            when: the moment.
        """
        return self._series(f"relevance_{target}", NETWORK, when)

    def corr_len_flow(self, when: str = "final") -> LayerSeries:
        """Correlation length of the residual stream, layer by layer, in tokens."""
        return self._series("corr_len_flow", NETWORK, when)

    def to_frame(self) -> pd.DataFrame:
        """Every quantity with one index as tidy pandas rows.

        Columns: when, step, level, quantity, layer, transition, mode, mean, standard_error, low,
        high, n_seeds, n, half_shift. Of layer, transition and mode one has the index, by what it
        counts.
        Needs `pip install 'rgclient[frame]'`.
        """
        return frame(self.data)

    def plot(self, level: str | None = None, axes: Axes | None = None) -> Axes:
        """Draw the effective rank by layer with its interval, before and after training.

        Needs `pip install 'rgclient[plot]'`. Draws on new axes if none are given.
        """
        pyplot = optional("matplotlib.pyplot", "plot")
        from rgfigures import ranks_by_layer  # noqa: PLC0415 - needs matplotlib

        level = level or self.level
        for snapshot in self.data.snapshots:
            self.effective_rank(level, snapshot.when)  # or else says what there is
        drawn_on: Axes = pyplot.subplots()[1] if axes is None else axes
        heading = "\n".join([title(self.data), *warnings(self.data)])
        ranks_by_layer(drawn_on, self.data, level=level, title=heading)
        return drawn_on

    def save(self, path: str | PathLike[str]) -> Path:
        """Write everything to a JSON file, for `Result.load`; what was left out is fetched.

        Raises:
            OSError: it cannot be written; a file that was there before is as it was.
        """
        source = self.source if self._left_out else None
        whole = self.data if source is None else source.whole(self.data)
        return write_text(path, as_json(whole))

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read what `save` wrote.

        Raises:
            UnreadableResult: the file is something else.
        """
        try:
            return cls(read(Data, Path(path).read_bytes()))
        except ValidationError as error:
            raise UnreadableResult(f"{path} is not a saved result: {error}") from error

    def __repr__(self) -> str:
        """The numbers that matter, in a few lines."""
        lines = [title(self.data), *(f"  {name}: {text}" for name, text in self._facts())]
        return "\n".join(lines + [f"  {flag}" for flag in warnings(self.data)])

    def _repr_html_(self) -> str:
        flags = " ".join(warnings(self.data)) or None
        return facts_table(title(self.data), self._facts(), flags)

    def _facts(self) -> list[tuple[str, str]]:
        return facts(self.data, self._headline())

    def _level_of(self, row: Observable) -> str:
        """Where an observable is read if no level is given: the usual one, if it exists there."""
        return next(level for level in (self.level, *row.levels) if level in row.levels)

    def _headline(self) -> tuple[LayerSeries, CollapseRatio] | None:
        """The rank at the default level, or else at the first one measured."""
        levels = [part.level for part in self._snapshot("final").levels]
        for level in sorted(levels, key=lambda level: level != self.level):
            try:
                ranks = self.effective_rank(level)
            except NotMeasured:
                continue
            return ranks, collapse_ratio(ranks)
        return None

    def _series(self, name: str, level: str | None, when: str) -> LayerSeries:
        found = self.quantity(name, level, when)
        if isinstance(found, LayerSeries):
            return found
        raise NotMeasured(f"{name} is not a number per layer; see .quantity({name!r})")

    def _array(self, name: str, level: str | None, when: str) -> LayerArray:
        found = self.quantity(name, level, when)
        if isinstance(found, LayerArray):
            return found
        raise NotMeasured(f"{name} has one number per layer; see .quantity({name!r})")

    def _estimate(self, name: str, level: str, when: str) -> Estimate:
        try:
            if name not in self._left_out:
                return measured.estimate(self.data, name, level, when)
            measured.at_level(self.data, level, when)  # or else says what there is
            return self._apart(name, level, when)
        except measured.NotThere as error:
            raise NotMeasured(str(error)) from None

    @property
    def _left_out(self) -> list[str]:
        return [one.name for one in self.data.left_out]

    def _with_matrix(self, facts: ChainFacts) -> ChainFacts:
        """A chain whose matrix can be read; where it was left out, it is fetched by that."""
        if self.source is None or TRANSITION not in self._left_out:
            return facts
        return ChainApart.of(facts, self.source)

    def _apart(self, name: str, level: str, when: str) -> Estimate:
        """A quantity that was left out, fetched once."""
        key = name, level, when
        if key not in self._fetched:
            if self.source is None:
                raise NotMeasured(
                    f"{name} is large and was left out of this result; ask the server for the "
                    f"result of {self.id} again"
                )
            found = self.source.part(self.data, observables=name, levels=level, at=when)
            self._fetched[key] = measured.estimate(found, name, level, when)
        return self._fetched[key]

    def _snapshot(self, when: str) -> Snapshot:
        try:
            return measured.at_moment(self.data, when)
        except measured.NotThere as error:
            raise NotMeasured(str(error)) from None
