#!/usr/bin/env bash
# package: torch 2.13.0, numpy 2.4.6
# guess: gelu of a transposed tensor has the values of gelu of its copy, being computed entry by entry
# seen: on the CPU most entries differ by a rounding or more: strided tensors take another kernel
# here: two ways to lay out one computation are held to agree within a tolerance, never to the bit (tests/core/fleet/test_agreement.py)
set -euo pipefail
cd "$(mktemp -d)"
"${PYTHON:-python3.11}" -m venv v
v/bin/pip install -q "torch==2.13.0" "numpy==2.4.6"
v/bin/python - <<'PY'
import torch
from torch.nn.functional import gelu

strided = torch.randn(64, 64, generator=torch.Generator().manual_seed(0)).T
one, other = gelu(strided), gelu(strided.contiguous())
differ, most = (one != other).float().mean().item(), (one - other).abs().max().item()
print(f"{differ:.0%} of the entries differ, by up to {most:.1e}")
assert differ > 0 and most < 1e-5
PY
