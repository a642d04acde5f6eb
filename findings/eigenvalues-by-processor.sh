#!/usr/bin/env bash
# package: numpy 2.4.6
# guess: one wheel gives one answer for one matrix, to the last bit
# seen: eigenvalues differ in their last digits with the kernel that OpenBLAS picks for the processor
# here: no hash is made of a computed number; an experiment is named after its matrix (rgcontract/identity.py)
set -euo pipefail
cd "$(mktemp -d)"
"${PYTHON:-python3.11}" -m venv v && v/bin/pip install -q "numpy==2.4.6"
cat >eigen.py <<'PY'
import numpy as np

random = np.random.default_rng(3)
for _ in range(20):
    matrix = random.dirichlet(np.ones(6), 6)
    print(repr(float(np.sort(np.abs(np.linalg.eigvals(matrix)))[-2])))
PY
OPENBLAS_CORETYPE=Prescott v/bin/python eigen.py >old
OPENBLAS_CORETYPE=Haswell v/bin/python eigen.py >new
count=$(paste old new | awk '$1 != $2' | wc -l)
echo "numpy 2.4.6: $count of 20 second eigenvalues of 6 x 6 matrices differ between two kernels"
[ "$count" -gt 0 ]
