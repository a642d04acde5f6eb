#!/usr/bin/env bash
# package: quantecon 0.11.4
# guess: a chain that is simulated with no start named starts from its stationary law
# seen: it starts uniformly: half of 2,000 sequences begin in a state that has 2 % of the stationary law
# here: every sequence is drawn from the stationary law (worker/rgcore/chain/chain.py); the race against it hands it such a start (benchmarks/sampling_race.py)
set -euo pipefail
cd "$(mktemp -d)"
"${PYTHON:-python3.11}" -m venv v && v/bin/pip install -q "quantecon==0.11.4"
v/bin/python - <<'PY'
import numpy as np
import quantecon

chain = quantecon.MarkovChain(np.array([[0.99, 0.01], [0.5, 0.5]]))
rare = float(chain.stationary_distributions[0][1])
begun = float(np.mean([chain.simulate(1, random_state=seed)[0] for seed in range(2000)]))
print(f"stationary share of the second state {rare:.3f}; of 2,000 starts in it {begun:.3f}")
assert rare < 0.02 and 0.45 < begun < 0.55
PY
