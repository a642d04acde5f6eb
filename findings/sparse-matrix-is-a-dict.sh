#!/usr/bin/env bash
# package: scipy 1.17.1
# guess: a sparse matrix is an array or a sequence of rows, whatever its format
# seen: a dok one is a dict of its stored entries: its len() counts them, its keys are (row, column)
# here: client/rgclient/_plain.py asks for toarray() before it looks for a mapping or a sequence
set -euo pipefail
cd "$(mktemp -d)"
"${PYTHON:-python3.11}" -m venv v && v/bin/pip install -q "scipy==1.17.1" "numpy==2.4.6"
v/bin/python - <<'PY'
import sys

import scipy.sparse

formats = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
dicts = [name for name in formats if isinstance(scipy.sparse.eye_array(2).asformat(name), dict)]
dok = scipy.sparse.eye_array(3, 3, k=1).asformat("dok")
keys = [tuple(map(int, key)) for key in dict(dok)]
print(f"formats that are dicts: {dicts}; a 3 x 3 one has len() {len(dok)} and the keys {keys}")
sys.exit((dicts, len(dok), keys) != (["dok"], 2, [(0, 1), (1, 2)]))
PY
