#!/usr/bin/env bash
# package: safetensors 0.8.0, numpy 2.4.6
# guess: safetensors.numpy.save keeps an array's values, or refuses the array
# seen: a transposed or Fortran-ordered array comes back with its values in other places, without a word
# here: weights are saved by safetensors.torch, contiguous tensors alone (worker/rgworker/weights.py)
set -euo pipefail
cd "$(mktemp -d)"
"${PYTHON:-python3.11}" -m venv v
v/bin/pip install -q "safetensors==0.8.0" "numpy==2.4.6"
v/bin/python - <<'PY'
import numpy as np
from safetensors.numpy import load, save

array = np.asfortranarray(np.arange(6.0).reshape(2, 3))
back = load(save({"a": array}))["a"]
right = load(save({"a": np.ascontiguousarray(array)}))["a"]
print(f"{array.tolist()} came back as {back.tolist()}")
assert np.array_equal(right, array)
assert back.shape == array.shape and not np.array_equal(back, array)
PY
