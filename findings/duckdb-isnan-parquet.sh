#!/usr/bin/env bash
# package: duckdb 2.0.1, pyarrow 26.0.1
# guess: isnan finds the NaN of a Parquet file, and max and the top row agree
# seen: count(*) where isnan(x) is 0 for a file that holds a NaN, max(x) passes it over, order by x desc begins with it
# here: a number that does not exist is a null with its reason beside it, never a NaN (client/rgcontract/result.py)
set -euo pipefail
cd "$(mktemp -d)"
"${PYTHON:-python3.11}" -m venv v
v/bin/pip install -q "duckdb==2.0.1" "pyarrow==26.0.1"
v/bin/python - <<'PY'
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

pq.write_table(pa.table({"x": [1.0, float("nan"), 3.0]}), "x.parquet")


lab = duckdb.connect()
lab.execute("create table t as select x from 'x.parquet'")


def one(query):
    return lab.execute(query).fetchone()[0]


found = one("select count(*) from 'x.parquet' where isnan(x)")
loaded = one("select count(*) from t where isnan(x)")
most, top = one("select max(x) from 'x.parquet'"), one("select x from 'x.parquet' order by x desc limit 1")
print(f"isnan finds {found} in the file, {loaded} once loaded; max is {most}, the top row {top}")
assert found == 0 and loaded == 1 and most == 3.0 and top != top
PY
