"""What schemathesis' command line loads of ours: `SCHEMATHESIS_HOOKS=tests.chaos.hooks`."""

from __future__ import annotations

import atexit
import sys
from collections import Counter
from typing import Any

import schemathesis
from conformance import is_fault

met: Counter[str] = Counter()


@schemathesis.hook
def filter_failure(_context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Whether what a check found counts."""
    return is_fault(failure, case, response, met)


@atexit.register
def say_what_was_met() -> None:
    """What did not count, with the reasons."""
    for reason, count in met.most_common():
        sys.stdout.write(f"valid by the description and rightly refused, {reason}: {count}\n")
