#!/usr/bin/env bash
# package: numpy 2.4.6
# guess: a duration is no integer: isinstance(numpy.timedelta64(90, "s"), numbers.Integral) is False
# seen: it is True, yet int() of it is a TypeError; in nanoseconds it is an int, the unit gone, as is a datetime64's tolist()
# here: the kind of the dtype is looked at before the number: client/rgclient/_plain.py refuses both
set -euo pipefail
cd "$(mktemp -d)"
"${PYTHON:-python3.11}" -m venv v && v/bin/pip install -q "numpy==2.4.6"
v/bin/python - <<'PY'
import numbers
import sys

import numpy

seconds, nanoseconds = numpy.timedelta64(90, "s"), numpy.timedelta64(90, "ns")
date = numpy.datetime64("2020-01-01", "ns")
try:
    whole = str(int(seconds))
except TypeError:
    whole = "a TypeError"
seen = isinstance(seconds, numbers.Integral), whole, int(nanoseconds), type(date.tolist())
print(f"Integral: {seen[0]}; int() of 90 s: {seen[1]}, of 90 ns: {seen[2]}; a date's list: {seen[3]}")
sys.exit(seen != (True, "a TypeError", 90, int))
PY
