"""The description of the API, for programs and for people: nothing of it comes from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from rgservice.http.query import known_query
from rgservice.http.safety import policy

SWAGGER_UI = StaticFiles(directory=Path(fastapi_offline.__file__).parent / "static")
"""Its files, as a package brings them."""
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>RGLab: the API</title>
<link rel="stylesheet" href="docs/assets/swagger-ui.css">
</head>
<body>
<div id="page">This page needs JavaScript; <a href="openapi.json">openapi.json</a> does not.</div>
<script src="docs/assets/swagger-ui-bundle.js"></script>
<script src="docs/page.js"></script>
</body>
</html>
"""
SCRIPT = """SwaggerUIBundle({
  url: "openapi.json", dom_id: "#page", deepLinking: true, persistAuthorization: false,
  validatorUrl: null,
});
"""
_SELF = "'self'"
POLICY = policy(
    script=_SELF, connect=_SELF, style=f"{_SELF} 'unsafe-inline'", img=f"{_SELF} data:",
    font=f"{_SELF} data:",
)  # fmt: skip
"""Nothing from outside, whatever the package's scripts would like; it writes styles as it goes."""

router = APIRouter(dependencies=[Depends(known_query)], include_in_schema=False)


@router.get("/openapi.json")
def openapi(request: Request) -> dict[str, Any]:
    """The description."""
    found: dict[str, Any] = request.app.openapi()
    return found


@router.get("/docs", response_class=HTMLResponse)
def docs() -> HTMLResponse:
    """The same for people: every route, to read and to try."""
    return HTMLResponse(PAGE, headers=POLICY)


@router.get("/docs/page.js")
def script() -> Response:
    """What starts the page: a script of its own, so that the policy forbids those in pages."""
    return Response(SCRIPT, media_type="text/javascript", headers=POLICY)


@router.get("/docs/assets/{name}")
async def asset(name: str, request: Request) -> Response:
    """A file of Swagger UI; 304 to a browser that has it."""
    return await SWAGGER_UI.get_response(name, request.scope)
