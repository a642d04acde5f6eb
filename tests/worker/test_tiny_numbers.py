"""A number next to nothing, in any field of a spec, is measured or refused when it is sent."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Iterator
from typing import Any, get_args

import pytest
import torch
from pydantic import BaseModel, ValidationError

from rgcontract import ExperimentSpec, ExplicitChain, Submission, field_problems
from rgcontract.chains import CHAIN_OF
from rgservice.experiments.completing import completed
from rgservice.http.errors import InvalidSpec
from rgstore.stored_specs import loaded_spec, stored_spec
from rgworker import subnormals
from rgworker.fleet import Fleet
from rgworker.protocol import End, Finished, Job, Task
from rgworker.unpack import chain_of

TINY = [1e-320, 1e-310, 1e-308, 1e-301, 1e-299, 1e-290, 5e-324]
SMALL: dict[str, Any] = {
    "data": {"seq_len": 8},
    "model": {"depth": 1, "width": 4, "context": 1},
    "training": {"steps": 2, "batch_size": 8},
    "measurement": {"n_sequences": 16, "levels": ["token"]},
    "seeds": 1,
}
CHAINS: dict[str, dict[str, Any]] = {
    "potts": {"n_states": 3},
    "ring": {"n_states": 3},
    "random_reversible": {"n_states": 3},
    "hierarchical": {"n_states": 4, "scales": [1.0, 2.0]},
    "spectrum": {"eigenvalues": [0.3, 0.2]},
    "explicit": {"matrix": [[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.125, 0.375, 0.5]]},
}
Path = tuple[str | int, ...]


def _has_float(annotation: Any) -> bool:
    if annotation is float:
        return True
    return any(_has_float(part) for part in get_args(annotation) if part is not Any)


def _float_fields(model: type[BaseModel]) -> list[str]:
    return [name for name, field in model.model_fields.items() if _has_float(field.annotation)]


def _sections() -> Iterator[tuple[str, list[str]]]:
    """Section -> its fields that hold floats, of all sections but the chain."""
    for name, field in Submission.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield name, _float_fields(field.annotation)


def _places(value: Any, at: Path) -> Iterator[Path]:
    """Every number in a list of lists."""
    if not isinstance(value, list):
        yield at
        return
    for index, item in enumerate(value):
        yield from _places(item, (*at, index))


def _all_places() -> Iterator[tuple[str, Path]]:
    """(family, path) of every float that a submission may hold."""
    for section, names in _sections():
        for name in names:
            yield "random_reversible", (section, name)
    for family, model in CHAIN_OF.items():
        for name in _float_fields(model):
            value = CHAINS[family].get(name, 0.0)
            for path in _places(value, ("chain", name)):
                yield family, path


def _with(family: str, path: Path, value: float) -> dict[str, Any]:
    body = copy.deepcopy({**SMALL, "chain": {"family": family, **CHAINS[family]}})
    place: Any = body
    for step in path[:-1]:
        place = place.setdefault(step, {}) if isinstance(place, dict) else place[step]
    place[path[-1]] = value
    if "matrix" in path:  # the row is still a law
        row = path[2]
        assert isinstance(row, int)
        heaviest = max((column for column in range(3) if column != path[-1]), key=place.__getitem__)
        place[heaviest] += 1.0 - sum(place)
    return body


def _accepted(body: dict[str, Any]) -> Submission | list[Any]:
    """What the service stores, or the problems that it names."""
    try:
        return completed(Submission.model_validate_json(json.dumps(body)))
    except ValidationError as error:
        return field_problems(error, Submission)
    except InvalidSpec as error:
        return error.errors


@pytest.fixture
def flushed() -> Iterator[Any]:
    """The floating point mode of a trainer."""
    torch.set_flush_denormal(True)
    yield
    torch.set_flush_denormal(False)


def _measured(submission: Submission) -> list[Any]:
    """How the run ends in a trainer."""
    events: list[Any] = []
    task = Task(stored_spec(submission.spec), submission.chain.draws[0], 0, None)
    job = Job((task,))
    Fleet(job, torch.device("cpu"), tell=events.append, asked_to_leave=set).see_through()
    return [event for event in events if isinstance(event, End)]


def test_the_walk_finds_the_fields() -> None:
    found = {".".join(str(step) for step in path) for _, path in _all_places()}
    assert {
        "training.lr", "training.grad_clip", "training.weight_decay", "model.init_scale",
        "model.residual_scale", "model.hidden_ratio", "data.mask_prob", "chain.corr_len",
        "chain.concentration", "chain.scales.0", "chain.eigenvalues.1", "chain.matrix.2.1",
    } <= found  # fmt: skip


def _measured_or_refused(body: dict[str, Any], fields: set[str]) -> bool:
    """Whether it is measured; else it is refused, naming one of these and a bound."""
    with subnormals.kept():  # the service never flushes
        sent = _accepted(body)
    if isinstance(sent, Submission):
        (end,) = _measured(sent)
        assert isinstance(end, Finished), end
        return True
    (problem,) = sent
    assert any(problem.field.startswith(field) for field in fields)
    assert any(digit.isdigit() for digit in problem.allowed), problem
    return False


@pytest.mark.parametrize(
    ("family", "path"), list(_all_places()), ids=lambda part: str(part).replace(" ", "")
)
def test_it_is_measured_or_refused_by_the_name_of_the_bound(
    flushed: Any, family: Any, path: Any
) -> None:
    named = {".".join(map(str, path[:2])), "chain.corr_len"}  # which may follow from it
    for value in TINY:
        _measured_or_refused(_with(family, path, value), named)


@pytest.mark.parametrize("value", TINY)
@pytest.mark.parametrize("rare", [0, 1, 2])
def test_a_state_that_is_next_to_never_there_is_measured_or_refused(
    flushed: Any, value: Any, rare: int
) -> None:
    often = [state for state in range(3) if state != rare]
    rows = [[0.0] * 3 for _ in range(3)]
    for state in often:
        rows[state][rare] = value
        for other in often:
            rows[state][other] = 0.5
    rows[rare] = [0.25, 0.25, 0.25]
    rows[rare][rare] = 0.5
    body = {**SMALL, "chain": {"family": "explicit", "matrix": rows}}
    measured = _measured_or_refused(body, {"chain.matrix"})
    assert measured == (value >= 1e-300)


def test_a_spec_that_was_stored_before_there_was_a_bound_is_read() -> None:
    stored = stored_spec(ExperimentSpec())
    stored["model"] = stored["model"] | {"init_scale": 1e-302}
    assert loaded_spec(stored, [0]).model.init_scale == 1e-302


def test_a_tiny_entry_is_the_same_matrix_in_a_trainer(flushed: Any) -> None:
    matrix = [[0.5, 0.5, 0.0], [0.25, 0.5, 0.25], [1e-310, 0.5, 0.5]]
    with subnormals.kept():
        spec = completed(
            Submission.model_validate({"chain": {"family": "explicit", "matrix": matrix}})
        )
        chain = loaded_spec(stored_spec(spec.spec), [0]).chain
        assert isinstance(chain, ExplicitChain)
        assert chain.matrix[2][0] > 0
        assert chain_of(spec).corr_len == spec.chain.corr_len
    assert sys.float_info.min * matrix[0][0] == 0.0  # and then the mode is as it was
