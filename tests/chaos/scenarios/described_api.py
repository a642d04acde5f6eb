"""Whatever `/openapi.json` lets anybody send, and much that it does not: schemathesis."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from rgcontract.roles import Role
from tests.chaos.lab import chaos_lab
from tests.chaos.scenario import Effort, Scenario, Seen

ROOT = Path(__file__).parents[3]
EXAMPLES, QUICK_EXAMPLES = 1_000, 15
"""Of an operation."""
USER = "tester"


def _run(effort: Effort) -> Seen:
    with chaos_lab(effort.directory) as lab:
        lab.token("keeper", Role.ADMIN)  # so that the tester is not the last one
        token = lab.token(USER, Role.ADMIN)
        ran = subprocess.run(
            _command(f"{lab.url}/openapi.json", token, effort),
            cwd=effort.directory,
            env={
                **os.environ,
                "SCHEMATHESIS_HOOKS": "tests.chaos.hooks",
                "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "tests" / "support"))),
            },
            capture_output=True,
            text=True,
            check=False,
        )
    sys.stderr.write(ran.stdout + ran.stderr)
    many = f"at most {_many(effort):,} examples an operation"
    return Seen(ran.returncode == 0, f"{many}; {_summary(ran.stdout)}")


def _many(effort: Effort) -> int:
    return QUICK_EXAMPLES if effort.quick else EXAMPLES


def _command(url: str, token: str, effort: Effort) -> list[str]:
    return [
        sys.executable, "-m", "schemathesis.cli", "run", url,
        "--checks", "all", "--max-examples", str(_many(effort)), "--seed", str(effort.seed),
        "--continue-on-failure", "--header", f"Authorization: Bearer {token}",
        "--warnings", "off", "--no-color",
        *(["--no-shrink"] if effort.quick else []),
    ]  # fmt: skip


def _summary(output: str) -> str:
    lines = [line.strip() for line in output.splitlines()]
    last = next((line for line in reversed(lines) if line.startswith("===")), "no summary")
    cases = next((line for line in lines if "generated" in line), "")
    excused = len([line for line in lines if line.startswith("valid by the description")])
    return re.sub("=+", "", f"{cases}; {last}; {excused} kinds rightly refused").strip()


SCENARIO = Scenario(
    "whatever the description lets one send, and what it does not",
    "no check of schemathesis fails",
    _run,
)
