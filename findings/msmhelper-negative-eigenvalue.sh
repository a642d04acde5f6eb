#!/usr/bin/env bash
# package: msmhelper 1.1.1
# guess: the implied time scale of a chain of two states that changes state nine times of ten is 4.5 steps at any lag, as is -lag / ln|l2|
# seen: at lags 1 and 3, where the eigenvalue is negative, it is minus the lag: -1 and -3; at lag 2 it is 4.5
# here: xi is of |l2|, so that memory of alternating sign counts as memory (4.48 for this chain: docs/chains.md)
set -euo pipefail
cd "$(mktemp -d)"
"${PYTHON:-python3.11}" -m venv v && v/bin/pip install -q "msmhelper==1.1.1"
MPLBACKEND=agg v/bin/python - <<'PY'
import numpy as np
from msmhelper.msm import implied_timescales

changes = np.random.default_rng(0).random(100_000) < 0.9
states = np.cumsum(changes) % 2
scales = [float(t) for t in implied_timescales(states, [1, 2, 3]).ravel()]
print(f"-1 / ln(.8) = {-1 / np.log(0.8):.2f}; at lags 1, 2, 3: {[round(t, 2) for t in scales]}")
assert scales[0] == -1 and scales[2] == -3 and abs(scales[1] - 4.48) < 0.2
PY
