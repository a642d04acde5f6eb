"""What holds of every route."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from rgservice.experiments import routes as experiments
from rgservice.operations import reading
from rgservice.operations import routes as operations
from rgservice.studies import routes as studies


def _all(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for one in dependant.dependencies:
        yield from _all(one)


def test_no_route_is_handed_a_response_to_change() -> None:
    routes = [
        route
        for room in (experiments, studies, operations, reading)
        for route in room.router.routes
        if isinstance(route, APIRoute)
    ]
    assert len(routes) > 15
    handed = [
        route.path
        for route in routes
        for dependant in _all(route.dependant)
        if dependant.response_param_name is not None
    ]
    assert handed == []
