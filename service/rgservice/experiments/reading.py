"""Answering with a result: at once where it is small, else when it is its turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from rgservice.experiments.results import Answer, result_of
from rgservice.experiments.selecting import Asked
from rgservice.experiments.steering import Found
from rgservice.http.deps import Parts
from rgservice.http.kept import write_all

LARGE = 2**16
"""Numbers, about 1.3 MB: an answer of more is no longer made in memory."""


async def result(
    use: Parts,
    reader: str,
    name: str,
    seeds: Sequence[str] | None,
    asked: Asked,
    *,
    of_before: bool,
) -> Response:
    """The answer, made of one moment of the database; `result_of` says of what, and what it raises.

    Args:
        use: the parts of the application.
        reader: who asks.
        name: of the experiment.
        seeds: as the query has them.
        asked: the rest of the query.
        of_before: whether a client of before there was a `schema` asks.

    Raises:
        Busy: too many large ones are on their way.
    """

    @contextmanager
    def found() -> Iterator[Answer]:
        with use.database.snapshot() as session:
            yield result_of(session, Found.find(session, name, seeds), asked, of_before=of_before)

    def small() -> Response | None:
        with found() as answer:
            if answer.numbers > LARGE:
                return None
            return Response(b"".join(answer.pieces()), media_type="application/json")

    def large(file: IO[bytes]) -> None:
        with found() as answer:
            write_all(file, answer.pieces())

    return await run_in_threadpool(small) or await use.kept.response(reader, large)
