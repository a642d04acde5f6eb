"""What only a newer server knows is kept by who reads an answer, and refused to who makes one."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from rgcontract import State, StoredSpec
from rgcontract.unknown import READING, OrAsTold, Unknown, as_told

STATE: TypeAdapter[State] = TypeAdapter(OrAsTold[State])
SPEC: TypeAdapter[StoredSpec] = TypeAdapter(OrAsTold[StoredSpec])
NEWER_SPEC = {"model": {"mixing": "of_tomorrow"}}


def test_a_value_that_is_not_known_is_kept_where_an_answer_is_read() -> None:
    mixing = SPEC.validate_python(NEWER_SPEC, context=READING).model.mixing
    for found in (STATE.validate_python("of_tomorrow", context=READING), mixing):
        assert str(found) == "of_tomorrow"
        assert isinstance(found, Unknown)


@pytest.mark.parametrize(("kind", "told"), [(STATE, "of_tomorrow"), (SPEC, NEWER_SPEC)])
def test_it_is_refused_everywhere_else(kind: Any, told: Any) -> None:
    with pytest.raises(ValidationError, match="does not fit this contract"):
        kind.validate_python(told)


@pytest.mark.parametrize(("kind", "told"), [(STATE, 7), (STATE, {}), (SPEC, "spec"), (SPEC, 7)])
def test_what_no_release_would_tell_is_refused_there_too(kind: Any, told: Any) -> None:
    with pytest.raises(ValidationError, match="does not fit this contract"):
        kind.validate_python(told, context=READING)


def test_who_has_read_it_may_answer_with_it() -> None:
    assert STATE.validate_python(as_told(State, "of_tomorrow")) == "of_tomorrow"
    assert STATE.validate_python(as_told(State, "done")) is State.DONE
