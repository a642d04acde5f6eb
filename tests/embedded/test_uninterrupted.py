"""Ctrl-C while something is started."""

from __future__ import annotations

import signal

import pytest

from rglab.embedded.uninterrupted import uninterrupted


def test_ctrl_c_takes_effect_at_the_end_of_a_step() -> None:
    done = []

    def step() -> None:
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        step()
    assert done
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
