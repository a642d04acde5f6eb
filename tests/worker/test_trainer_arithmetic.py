"""A trainer computes in one way, whatever the environment that its worker was started in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from questions import asked, open_to_questions

from rgworker.process import SECRETS, Trainer

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
LOUD = {
    **dict.fromkeys(SECRETS, "postgresql://lab:canary@host/lab"),
    **dict.fromkeys(THREADS, "7"),
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1",
}
"""An environment that asks for the opposite."""
HALF_OF_THE_LEAST = "__import__('sys').float_info.min * 0.5"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the trainer is asked."""
    return tmp_path_factory.mktemp("questions")


@pytest.fixture(scope="module")
def trainer(directory: Path) -> Iterator[Trainer]:
    with pytest.MonkeyPatch.context() as patch, open_to_questions(directory):
        for name, value in LOUD.items():
            patch.setenv(name, value)
        started = Trainer("cpu")
    yield started
    started.kill()


def test_no_library_of_a_trainer_starts_threads_of_its_own(
    trainer: Trainer, directory: Path
) -> None:
    expression = f"[__import__('os').environ[name] for name in {THREADS}]"
    assert asked(trainer, expression, directory) == "['1', '1', '1']"


def test_a_trainer_has_no_password_of_database_or_broker(trainer: Trainer, directory: Path) -> None:
    expression = f"{set(SECRETS)} & __import__('os').environ.keys()"
    assert asked(trainer, expression, directory) == "set()"


def test_a_trainer_flushes_subnormal_numbers_in_the_thread_that_trains(
    trainer: Trainer, directory: Path
) -> None:
    assert asked(trainer, HALF_OF_THE_LEAST, directory) == "0.0"


def test_a_trainer_multiplies_in_full_precision_where_the_environment_asks_for_tf32(
    trainer: Trainer,
) -> None:
    assert trainer.ready.versions["float32"] == "ieee, no tf32"


def _printed(code: str) -> str:
    """The last line that a Python process prints which starts with several threads."""
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys, torch\ntorch.set_num_threads(2)\n{code}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return ran.stdout.splitlines()[-1]


STATE = f"print(torch.get_num_threads(), {HALF_OF_THE_LEAST}, arithmetic.float32())"


def test_settled_is_one_thread_no_subnormal_numbers_and_full_precision() -> None:
    begin = (
        "from rgworker import arithmetic\n"
        "torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True\n"
    )
    assert _printed(begin + STATE) == f"2 {sys.float_info.min * 0.5} tf32"
    assert _printed(f"{begin}arithmetic.settle()\n{STATE}") == "1 0.0 ieee, no tf32"


@pytest.mark.parametrize("backend", ["cuda.matmul", "cudnn"])
def test_tf32_in_one_place_is_enough_to_say_so(backend: str) -> None:
    begin = f"from rgworker import arithmetic\narithmetic.settle()\ntorch.backends.{backend}"
    assert _printed(f"{begin}.allow_tf32 = True\nprint(arithmetic.float32())") == "tf32"


def test_a_machine_is_calibrated_as_a_trainer_computes() -> None:
    code = "from rgworker import arithmetic, calibrate\ncalibrate.main()\n"
    assert _printed(code + STATE) == "1 0.0 ieee, no tf32"
