#!/usr/bin/env bash
# package: deeptime 0.5.0
# guess: a Markov model that is fitted to 100,000 tokens of a chain has the chain's time scale
# seen: 0.96 steps where the chain, which turns around three states, has 2.80: the estimate is made reversible unless `reversible=False` is said, and what turns is averaged away
# here: a matrix is taken as it is, its complex pairs too (docs/chains.md); whether it is reversible stands beside its numbers
set -euo pipefail
cd "$(mktemp -d)"
"${PYTHON:-python3.11}" -m venv v && v/bin/pip install -q "deeptime==0.5.0" "numpy==2.4.6"
v/bin/python - <<'PY'
import numpy as np
from deeptime.markov.msm import MaximumLikelihoodMSM

P = np.array([[0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.8, 0.1, 0.1]])
exact = -1 / np.log(np.sort(np.abs(np.linalg.eigvals(P)))[-2])
uniform, tokens = np.random.default_rng(0).random(100_000), [0]
for u in uniform:
    tokens.append(int((u > P[tokens[-1]].cumsum()).sum()))
fitted = {
    name: float(MaximumLikelihoodMSM(lagtime=1, **how).fit_fetch(np.array(tokens)).timescales()[0])
    for name, how in {"as it comes": {}, "reversible=False": {"reversible": False}}.items()
}
print(f"time scale {exact:.2f}; fitted: {({name: round(t, 2) for name, t in fitted.items()})}")
assert fitted["as it comes"] < 1 and abs(fitted["reversible=False"] / exact - 1) < 0.05
PY
