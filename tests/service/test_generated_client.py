"""A client that a generator makes of `/openapi.json` can submit the README's body."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from commands import foreign
from fastapi.testclient import TestClient

pytestmark = pytest.mark.slow

README = {"chain": {"corr_len": 7}}
PACKAGE = "generated_for_rglab"


@pytest.fixture
def generated(api: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of the package, which was made without a warning."""
    (tmp_path / "openapi.json").write_bytes(api.get("/openapi.json").content)
    (tmp_path / "config.yml").write_text("post_hooks: []\n")  # it would format what it made
    command: list[str | Path] = [
        Path(sys.executable).with_name("openapi-python-client"), "generate",
        "--path", "openapi.json", "--config", "config.yml", "--output-path", PACKAGE,
        "--meta", "none", "--fail-on-warning",
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=tmp_path, env=foreign(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    monkeypatch.syspath_prepend(tmp_path)
    return PACKAGE


def test_it_submits_and_reads_back(generated: str, api: TestClient, token: str) -> None:
    def module(name: str) -> Any:
        return importlib.import_module(f"{generated}.{name}")

    models, client_module = module("models"), module("client")
    submit = module("api.experiments.submit_v1_experiments_post")
    read = module("api.experiments.get_experiment_v1_experiments_name_get")
    bodies = [
        README,
        {},
        {"chain": {"family": "potts", "n_states": 4}},
        {"chain": {"family": "explicit", "matrix": [[0.9, 0.1], [0.1, 0.9]]}},
    ]

    async def main() -> list[str]:
        client = client_module.AuthenticatedClient(
            base_url="http://testserver",
            token=token,
            httpx_args={"transport": httpx.ASGITransport(api.app)},
        )
        families = []
        async with client:
            for body in bodies:
                model = models.Submission.from_dict(json.loads(json.dumps(body)))
                made = await submit.asyncio(client=client, body=model)
                assert isinstance(made, models.Acknowledgement), made
                found = await read.asyncio(made.id, client=client)
                families.append(type(found.spec.chain).__name__)
        return families

    assert anyio.run(main) == [
        "RandomReversibleChain", "RandomReversibleChain", "PottsChain", "ExplicitChain",
    ]  # fmt: skip
    lengths = [item["corr_len"] for item in api.get("/v1/experiments").json()["items"]]
    assert 7 in lengths
