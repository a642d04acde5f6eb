"""A trainer as a real child process: what it says, how it dies, what a pool does with it."""

from __future__ import annotations

import os
import platform
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
import pytest
from lab_processes import LONG, TINY
from questions import open_to_questions, run_in

from rgcontract import IMPLEMENTED
from rgstore.heartbeats import TrainingProgress
from rgworker.process import Trainer, TrainerDiedError, TrainerPool
from rgworker.protocol import Advanced, Broken, Event, Finished, Job, Ready, Task, Unread
from rgworker.wire import Wire

SPEC: dict[str, Any] = TINY
WILD = {
    **SPEC,
    "model": {**SPEC["model"], "norm": "none", "activation": "relu", "init_scale": 10.0},
    "training": {"steps": 200, "batch_size": 16, "optimizer": "sgd", "lr": 10.0, "grad_clip": None},
}
"""A training that diverges."""
SECONDS = 60.0
"""Longer than any of this takes on a busy machine."""


def task(spec: dict[str, Any], seed: int = 0) -> Task:
    return Task(spec=spec, chain_seed=0, seed=seed, training=None)


def job(*specs: dict[str, Any]) -> Job:
    return Job(tuple(task(spec) for spec in specs))


def outcome(trainer: Trainer, spec: dict[str, Any]) -> Event:
    """How a job ends."""
    trainer.start(job(spec))
    while True:
        event = trainer.listen(SECONDS)
        assert event is not None
        if isinstance(event, Finished | Broken | Unread):
            return event


def in_training(trainer: Trainer) -> TrainingProgress:
    """Start a job without end; returns its first word out of the training loop."""
    trainer.start(job(LONG))
    while True:
        event = trainer.listen(SECONDS)
        assert isinstance(event, Advanced)
        if event.progress[0].phase == "training":
            return event.progress[0]


def drain(trainer: Trainer) -> None:
    """Listen until it has ended."""
    while True:
        trainer.listen(SECONDS)


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(scope="module")
def pool() -> Iterator[TrainerPool]:
    """One for all tests: a start takes seconds. No test counts on what is in it."""
    opened = TrainerPool("cpu")
    yield opened
    opened.close()


@pytest.fixture
def trainer(pool: TrainerPool) -> Iterator[Trainer]:
    with pool.trainer() as lent:
        yield lent.trainer
        if not lent.trainer.alive:
            lent.discard()


def test_a_trainer_says_where_and_with_what_it_computes(trainer: Trainer) -> None:
    assert trainer.ready.device == f"cpu: {platform.machine()}"
    assert trainer.ready.versions == {
        "rglab": version("rglab"),
        "torch": version("torch"),
        "numpy": version("numpy"),
        "scipy": version("scipy"),
        "python": platform.python_version(),
        "float32": "ieee, no tf32",
        "backend": "torch",
    }


def test_a_trainer_measures_known_answers_before_it_takes_work(trainer: Trainer) -> None:
    assert trainer.ready.calibration
    assert all(trainer.ready.calibration.values())


def test_the_worker_itself_never_loads_torch() -> None:
    code = "import sys, rgworker.__main__; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_trainer_without_a_job_says_nothing(trainer: Trainer) -> None:
    assert trainer.listen(0.05) is None


def test_a_job_is_measured(trainer: Trainer) -> None:
    assert isinstance(outcome(trainer, TINY), Finished)


def test_progress_comes_in_order_before_the_result(trainer: Trainer) -> None:
    spec = {**TINY, "training": {"steps": 600, "batch_size": 16}}
    trainer.start(job(spec))
    events: list[Advanced] = []
    while isinstance(event := trainer.listen(SECONDS), Advanced):
        events.append(event)
    assert isinstance(event, Finished)
    assert len(events) > 1
    fractions = [event.progress[0].fraction for event in events]
    assert fractions == sorted(fractions)
    assert all(0 <= fraction <= 1 for fraction in fractions)


def test_a_training_that_diverges_is_broken_for_good(trainer: Trainer) -> None:
    broken = outcome(trainer, WILD)
    assert isinstance(broken, Broken)
    assert broken.may_pass is False
    assert "try a smaller training.lr" in broken.error
    assert "DivergedError" in broken.traceback


def test_a_spec_that_cannot_be_read_is_handed_back_by_the_name_of_its_field(
    trainer: Trainer,
) -> None:
    unread = outcome(trainer, {"chain": {"corr_len": -1.0}})
    assert isinstance(unread, Unread)
    assert unread.error.startswith("chain.corr_len")


def test_a_trainer_says_which_protocols_its_code_implements(trainer: Trainer) -> None:
    assert trainer.ready.implements == IMPLEMENTED
    end = outcome(trainer, TINY)
    assert isinstance(end, Finished)
    assert end.record.protocols == IMPLEMENTED


def test_a_trainer_outlives_a_job_that_breaks(trainer: Trainer) -> None:
    outcome(trainer, WILD)
    assert isinstance(outcome(trainer, TINY), Finished)


def test_ctrl_c_is_left_to_the_worker(trainer: Trainer) -> None:
    os.kill(trainer.pid, signal.SIGINT)
    assert isinstance(outcome(trainer, TINY), Finished)


def test_a_trainer_killed_in_the_middle_of_a_job_is_told_by_its_signal(trainer: Trainer) -> None:
    assert in_training(trainer).step > 0
    os.kill(trainer.pid, signal.SIGKILL)
    with pytest.raises(TrainerDiedError, match=r"ended by SIGKILL \(out of memory\?\)"):
        drain(trainer)
    assert not trainer.alive


def test_a_dead_trainer_takes_no_job(trainer: Trainer) -> None:
    os.kill(trainer.pid, signal.SIGTERM)
    with pytest.raises(TrainerDiedError, match=r"ended by SIGTERM$"):
        drain(trainer)
    with pytest.raises(TrainerDiedError, match=r"ended by SIGTERM$"):
        trainer.start(job(TINY))


def test_a_trainer_that_cannot_start_says_how_it_ended() -> None:
    with pytest.raises(TrainerDiedError, match="ended with exit code 1"):
        Trainer("abacus")


def test_a_trainer_that_is_not_ready_in_time_is_ended() -> None:
    before = set(psutil.Process().children())
    with pytest.raises(TrainerDiedError, match=r"not ready in 0\.01 s"):
        Trainer("cpu", start_seconds=0.01)
    assert set(psutil.Process().children()) == before


def test_a_trainer_that_hangs_up_and_goes_on_is_ended(tmp_path: Path) -> None:
    with open_to_questions(tmp_path):
        trainer = Trainer("cpu")
    run_in(trainer, "import os, time\nos.closerange(3, 100)\ntime.sleep(1000)", tmp_path)
    with pytest.raises(TrainerDiedError, match="ended by SIGKILL"):
        drain(trainer)
    assert not exists(trainer.pid)


def test_a_busy_trainer_ends_when_its_worker_is_gone() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "rgworker.trainer", str(theirs.fileno()), "cpu", "torch"],
            pass_fds=[theirs.fileno()],
        )
    with Wire(ours.detach()) as wire:
        assert isinstance(wire.receive(), Ready)
        wire.send(job(LONG))
        assert isinstance(wire.receive(), Advanced)
    try:
        assert process.wait(SECONDS) == 0
    finally:
        process.kill()
        process.wait()


def test_a_pool_keeps_a_trainer_warm(pool: TrainerPool) -> None:
    pids = []
    for _ in range(2):
        with pool.trainer() as lent:
            pids.append(lent.trainer.pid)
            assert isinstance(outcome(lent.trainer, TINY), Finished)
    assert pids[0] == pids[1]


def test_a_pool_lends_a_trainer_to_one_at_a_time(pool: TrainerPool) -> None:
    with pool.trainer() as first, pool.trainer() as second:
        assert first.trainer.pid != second.trainer.pid


def test_a_discarded_trainer_is_ended_at_once_and_replaced(pool: TrainerPool) -> None:
    with pool.trainer() as lent:
        in_training(lent.trainer)
        begun = time.monotonic()
        lent.discard()
        assert time.monotonic() - begun < 5  # SIGKILL itself takes milliseconds
        assert not exists(lent.trainer.pid)
    with pool.trainer() as other:
        assert other.trainer.pid != lent.trainer.pid
        assert other.trainer.alive


def test_a_trainer_is_ended_if_its_block_raises(pool: TrainerPool) -> None:
    def fails() -> None:
        with pool.trainer() as lent:
            pids.append(lent.trainer.pid)
            raise RuntimeError("on purpose")

    pids: list[int] = []
    with pytest.raises(RuntimeError, match="on purpose"):
        fails()
    assert not exists(pids[0])


def test_a_trainer_that_died_idle_is_not_lent(pool: TrainerPool) -> None:
    with pool.trainer() as lent:
        dead = lent.trainer.pid
    os.kill(dead, signal.SIGKILL)
    os.waitid(os.P_PID, dead, os.WEXITED | os.WNOWAIT)  # ended, and left for the pool to find
    with pool.trainer() as other:
        assert other.trainer.pid != dead
        assert isinstance(outcome(other.trainer, TINY), Finished)


def test_a_closed_pool_leaves_no_process_behind(pool: TrainerPool) -> None:
    with pool.trainer() as lent:
        pid = lent.trainer.pid
    pool.close()
    assert not exists(pid)
