#!/usr/bin/env bash
# package: torch 2.13.0, numpy 2.4.6
# guess: with one seed, the first 8 of randn(16) are randn(8), as the first 8 of rand(16) are rand(8)
# seen: not one of them is the same: below 16 numbers randn goes another way, above it works in blocks of 16
# here: what must be a prefix is made of uniforms, drawn in blocks whose size nobody chooses (worker/rgcore/measurement/sequences.py)
set -euo pipefail
cd "$(mktemp -d)"
"${PYTHON:-python3.11}" -m venv v
v/bin/pip install -q "torch==2.13.0" "numpy==2.4.6"
v/bin/python - <<'PY'
import torch


def drawn(draw, n):
    return draw(n, generator=torch.Generator().manual_seed(0))


same = {
    draw.__name__: {n: int((drawn(draw, n) == drawn(draw, 2 * n)[:n]).sum()) for n in (8, 16, 100)}
    for draw in (torch.rand, torch.randn)
}
print(f"of the first n of 2 n numbers the same as n alone: {same}")
assert same["rand"] == {8: 8, 16: 16, 100: 100}
assert same["randn"][8] == 0 and same["randn"][16] == 16 and same["randn"][100] < 100
PY
