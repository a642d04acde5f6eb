"""One thread for all arithmetic of this process and of those that it starts.

There is a process of tests for each core. Two whose libraries start a thread for each core wait for
each other's: small matrices then take several times the time. Libraries look when they are loaded,
so this is imported before them.
"""

from __future__ import annotations

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))
