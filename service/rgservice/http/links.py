"""What leads from a record that was made to all that can be done with it, for `/openapi.json`."""

from __future__ import annotations

from typing import Any

KEYS = {
    "/v1/experiments": "id",
    "/v1/studies": "id",
    "/v1/tokens": "id",
    "/v1/users": "name",
}
"""Where records are made -> the member of the answer by which each is found again."""


def link_records(schema: dict[str, Any]) -> None:
    """Have each answer that makes a record name the operations on it."""
    paths = schema["paths"]
    for collection in KEYS.keys() & paths.keys():
        links = {
            operation["operationId"]: {
                "operationId": operation["operationId"],
                "parameters": {"name": f"$response.body#/{KEYS[collection]}"},
            }
            for path, of_path in paths.items()
            if path.startswith(f"{collection}/{{name}}")
            for operation in of_path.values()
        }
        paths[collection]["post"]["responses"]["201"]["links"] = links
