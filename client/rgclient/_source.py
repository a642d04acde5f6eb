"""Where a result came from: what it leaves out for its size is fetched there when it is read."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from pydantic import PrivateAttr

from rgclient._errors import NotMeasured
from rgcontract import ChainFacts
from rgcontract import Result as Data
from rgcontract.arrays import TRANSITION, Arrays

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rgclient._api import Api


@dataclass(frozen=True)
class Source:
    """A result of a server.

    Elsewhere, as out of a pickle, it is asked for with the token of whoever asks: none is kept.
    """

    url: str
    """Of the server."""
    experiment_id: str
    partial: bool
    """Whether runs were missing, maybe."""
    api: Api | None = field(default=None, repr=False, compare=False)

    def chain(self, chain_seed: int) -> ChainFacts:
        """What is known of a chain, with its matrix."""
        with _asking(self) as api:
            return api.chain(self.experiment_id, chain_seed)

    def part(self, of: Data, **query: str) -> Data:
        """A part of a result, over the same runs.

        Args:
            of: what is there of it.
            **query: which part, as the server's query says it.

        Raises:
            NotMeasured: it is over other runs by now.
        """
        with _asking(self) as api:
            found = api.result_data(self.experiment_id, query, seeds=of.seeds, partial=self.partial)
        if _runs(found) != _runs(of):
            raise NotMeasured(
                f"experiment {of.id} is measured further since this result was read; "
                "ask for its result again"
            )
        return found

    def whole(self, of: Data) -> Data:
        """All of a result."""
        return self.part(of, arrays=Arrays.ALL)

    def __reduce__(self) -> tuple[type[Source], tuple[Any, ...]]:
        """All but the client, which has a token."""
        return Source, (self.url, self.experiment_id, self.partial)

    def __copy__(self) -> Self:
        """Itself: it has nothing that a copy could change."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Itself."""
        return self


class ChainApart(ChainFacts):
    """A chain whose matrix is fetched when it is read."""

    _source: Source = PrivateAttr()

    @classmethod
    def of(cls, facts: ChainFacts, source: Source) -> ChainApart:
        """The same chain."""
        made = cls.model_construct(facts.model_fields_set, **vars(facts))
        object.__setattr__(made, "__pydantic_extra__", facts.model_extra)
        made._source = source
        del vars(made)[TRANSITION]
        return made

    if not TYPE_CHECKING:  # for a type checker it has the field

        def __getattr__(self, name: str) -> Any:
            """The matrix, which is kept from then on."""
            if name != TRANSITION:
                return super().__getattr__(name)
            found = self._source.chain(self.seed).transition
            vars(self)[TRANSITION] = found
            return found


@contextmanager
def _asking(source: Source) -> Iterator[Api]:
    """The client of a source; elsewhere, one of whoever asks, for as long as it takes."""
    if source.api is not None:
        yield source.api
        return
    from rgclient._client import Client  # noqa: PLC0415 - it makes results, which come here

    with Client(source.url) as opened:
        yield opened


def _runs(data: Data) -> list[tuple[int, int]]:
    return [(curve.chain_seed, curve.seed) for curve in data.training]
