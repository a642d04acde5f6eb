"""The lines of docs/client.md do what the page says."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from markdown import blocks

from rgcontract import StudyRequest, Submission
from rgcontract.chains import ExplicitChain


def test_the_lines_run_and_ask_for_what_they_say(
    client: Any, server: Any, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = {
        "id": "study1", "name": None, "axes": {}, "state": "queued", "progress": 0.0,
        "run_counts": {"queued": 1}, "seeds": [0], "target_error": None, "max_seeds": 8,
        "experiments": [], "owner": "ada", "created_at": "2026-01-02T03:04:05Z",
    }  # fmt: skip
    server.will(
        answer.acknowledgement(), httpx.Response(201, json=study), answer.experiment("running")
    )
    monkeypatch.setattr("rgclient._default.default_client", lambda: client)
    names: dict[str, object] = {}
    for block in blocks("docs/client.md"):
        exec(block.code, names)
    asked, grid = server.bodies
    spec = Submission.model_validate_json(json.dumps(asked))
    assert isinstance(spec.chain, ExplicitChain)
    assert spec.chain.matrix[3] == (0.5, 0, 0, 0.5)
    assert spec.seeds == (0, 1, 2)
    axes = StudyRequest.model_validate_json(json.dumps(grid)).axes()
    assert axes["chain.corr_len"] == pytest.approx([1, 2, 4, 8])
    assert len(axes) == 2
