"""The whole system in processes of its own: broker, two API servers, workers on demand."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from rglab.embedded import broker
from rglab.embedded.children import Child
from rglab.embedded.lab import free_port

TINY: dict[str, dict[str, Any]] = {
    "chain": {"n_states": 4, "corr_len": 2.0},
    "data": {"seq_len": 8},
    "model": {"context": 1, "depth": 2, "width": 8, "hidden_ratio": 1.0},
    "training": {"steps": 20, "batch_size": 16},
    "measurement": {"n_sequences": 64},
}
"""A second or so of work."""
LONG = {**TINY, "training": {"steps": 1_000_000, "batch_size": 16}}
"""More work than a test waits for."""

FAST = {
    "RGLAB_LEASE_SECONDS": "3",
    "RGLAB_HEARTBEAT_SECONDS": "0.3",
    "RGLAB_MAINTENANCE_SECONDS": "0.5",
    "RGLAB_CONCURRENCY": "1",
}


PATIENCE = 120.0
"""Seconds that a test waits for a process: many times what it takes, on a slow and busy machine."""


def until(true: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.05)


class Lab:
    """Addresses and processes of a system under test."""

    def __init__(self, directory: Path, database_url: str, *, servers: int = 2) -> None:
        self.directory = directory
        self.children: list[Child] = []
        self.valkey = directory / "valkey"
        self.env = {
            **FAST,
            "RGLAB_DATABASE_URL": database_url,
            "RGLAB_BROKER_URL": broker.url(self.valkey),
            "RGLAB_DATA_DIR": str(directory),
        }
        self.broker = self.start_broker()
        self.urls = [self.api() for _ in range(servers)]

    def start_broker(self) -> Child:
        """A broker on the same data as the one before."""
        child = self._child("broker", ["rglab.embedded.broker", str(self.valkey)])
        until(lambda: broker.answers(broker.socket_path(self.valkey)))
        return child

    def worker(self, **env: str) -> Child:
        """A worker process."""
        return self._child("worker", ["rgworker"], **env)

    def api(self, **env: str) -> str:
        """Address of an API server."""
        port = free_port("127.0.0.1")
        self._child("api", ["rgservice", "--port", str(port)], **env)
        url = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            try:
                return httpx.get(f"{url}/healthz").status_code == 200
            except httpx.TransportError:
                return False

        until(answers)
        return url

    def _child(self, name: str, arguments: list[str], **env: str) -> Child:
        log = self.directory / f"{name}-{len(self.children)}.log"
        child = Child(name, arguments, log=log, env={**self.env, **env})
        self.children.append(child)
        return child

    def stop(self) -> None:
        """End every process."""
        for child in reversed(self.children):
            if child.exit_code is None:
                child.stop(PATIENCE)


def kill_group(child: Child) -> None:
    """`kill -9` of a process group, as a machine that loses power."""
    os.killpg(child.pid, signal.SIGKILL)
    child.reap()
