"""What storing and serving cannot be faster than, measured on the same servers in the same run."""

from __future__ import annotations

import io
import time
from contextlib import closing

import psycopg
from celery import Celery
from sqlalchemy import text

from benchmarks.serving.lab import Lab
from benchmarks.serving.latency import Latency, timed
from rgstore.messages import make_celery

COPIED = 20_000  # rows
ROW_NUMBERS = 64
TASK = "bench.empty"
QUEUE = "bench"
PATIENCE = 10.0  # s


def bounds(lab: Lab, n: int) -> list[Latency]:
    """A question that reads nothing, rows that nothing checks, a task that does nothing."""
    return [
        Latency("HTTP: /healthz", timed(lambda: lab.http.get("/healthz"), n)),
        Latency("Postgres: SELECT 1", _select_one(lab, n)),
        Latency(f"Postgres: COPY of a row of {ROW_NUMBERS} doubles", (_copy(lab),)),
        Latency("Celery: an empty task there and back", _empty_task(lab, n)),
    ]


def _select_one(lab: Lab, n: int) -> tuple[float, ...]:
    with lab.database.engine.connect() as connection:
        return timed(lambda: connection.execute(text("SELECT 1")).scalar(), n)


def _copy(lab: Lab) -> float:
    """Seconds for a row."""
    numbers = ",".join(repr(1.0 / (1 + k)) for k in range(ROW_NUMBERS))
    rows = io.StringIO("".join(f"{k}\t{{{numbers}}}\n" for k in range(COPIED)))
    with closing(psycopg.connect(_plain(lab.database_url))) as connection:
        connection.execute("CREATE TEMP TABLE copied (id bigint, numbers float8[])")
        begin = time.perf_counter()
        with connection.cursor().copy("COPY copied FROM STDIN") as copy:
            copy.write(rows.read())
        connection.commit()
        return (time.perf_counter() - begin) / COPIED


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


def _empty_task(lab: Lab, n: int) -> tuple[float, ...]:
    """Send a message and take it from the queue again, each on a connection of its own."""
    app: Celery = make_celery(lab.broker_url)
    with app.connection_for_read() as connection, closing(connection.SimpleQueue(QUEUE)) as queue:

        def there_and_back() -> None:
            app.send_task(TASK, queue=QUEUE, retry=False)
            queue.get(timeout=PATIENCE).ack()

        return timed(there_and_back, n)
