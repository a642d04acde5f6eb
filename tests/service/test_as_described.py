"""The API against its own description: a few requests of each operation, drawn by schemathesis.

`make chaos` draws a thousand, follows the links between operations, and shrinks what it finds.
"""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext, suppress
from typing import Any

import pytest
import schemathesis
from conformance import is_fault
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.core.result import Err

EXAMPLES = 1
"""Of an operation, valid, and as many that are not."""
SEED = 20
"""Of what is drawn: whoever changes the API sees whether it was that."""


def test_what_may_be_sent_is_answered_as_described(
    api: TestClient, token: str, subtests: pytest.Subtests
) -> None:
    print(f"schemathesis: seed {SEED}")
    headers = {"Host": "testserver", "Authorization": f"Bearer {token}"}
    schema = schemathesis.openapi.from_asgi("/openapi.json", api.app, headers=headers)
    met: Counter[str] = Counter()

    @schema.hook
    def filter_failure(_context: Any, failure: Any, case: Any, response: Any) -> bool:
        return is_fault(failure, case, response, met)

    for found in schema.get_all_operations():
        assert not isinstance(found, Err), found
        operation = found.ok()
        for mode in schemathesis.GenerationMode:

            @seed(SEED)
            @settings(
                max_examples=EXAMPLES, database=None, deadline=None, phases=[Phase.generate],
                suppress_health_check=[*HealthCheck],
            )  # fmt: skip
            @given(operation.as_strategy(generation_mode=mode))
            def answered_as_described(case: Any) -> None:
                case.call_and_validate(headers=headers)

            nothing_to_get_wrong = suppress(Unsatisfiable) if mode.is_negative else nullcontext()
            with subtests.test(operation.label, mode=mode), nothing_to_get_wrong:
                answered_as_described()
    for why, count in met.items():
        print(f"valid by the description and rightly refused, {why}: {count}")
