"""`python -m benchmarks.gpu.stage NAME`: one stage, in a process of its own.

After a mistake on a GPU a process may be unable to compute anything more: the next has its own.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import traceback
from pathlib import Path

import torch

from benchmarks.gpu.part import Part
from benchmarks.gpu.setting import Setting, compute_as_a_trainer_does


def main(arguments: list[str]) -> int:
    """Run a stage; its part says how it went. 1 if it failed."""
    parser = argparse.ArgumentParser("benchmarks.gpu.stage", description=main.__doc__)
    parser.add_argument("stage")
    parser.add_argument("--part", type=Path, required=True)
    parser.add_argument("--device", required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--toy", action="store_true")
    chosen = parser.parse_args(arguments)
    part = Part(chosen.part, chosen.stage)
    begin = time.monotonic()
    try:
        compute_as_a_trainer_does()
        setting = Setting(torch.device(chosen.device), chosen.toy, chosen.seconds)
        importlib.import_module(f"benchmarks.gpu.{chosen.stage}").run(setting, part)
    except Exception as error:
        part.set(
            state="failed",
            error=f"{type(error).__name__}: {error}",
            traceback=traceback.format_exc(),
            seconds=time.monotonic() - begin,
        )
        return 1
    part.set(state="done", seconds=time.monotonic() - begin)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
