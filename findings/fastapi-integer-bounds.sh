#!/usr/bin/env bash
# package: fastapi 0.165.0, pydantic 2.14.4
# guess: a model's integer field with le=2**63-1 has "maximum": 9223372036854775807 in /openapi.json
# seen: it is 9.223372036854776e+18, the double 2^63: a client made from it takes 2^63 for valid
# here: service/rgservice/http/description.py writes bounds of integers as integers
set -euo pipefail
cd "$(mktemp -d)"
"${PYTHON:-python3.11}" -m venv v && v/bin/pip install -q "fastapi==0.165.0" "pydantic==2.14.4"
v/bin/python - <<'PY'
from fastapi import FastAPI
from pydantic import BaseModel, Field

app = FastAPI()


class Seeded(BaseModel):
    seed: int = Field(le=2**63 - 1)


@app.post("/")
def route(body: Seeded) -> int:
    return body.seed


maximum = app.openapi()["components"]["schemas"]["Seeded"]["properties"]["seed"]["maximum"]
of_pydantic = Seeded.model_json_schema()["properties"]["seed"]["maximum"]
print(f"maximum of an integer: {maximum!r} from FastAPI, {of_pydantic!r} from pydantic")
assert isinstance(maximum, float) and int(maximum) == 2**63 == of_pydantic + 1
PY
