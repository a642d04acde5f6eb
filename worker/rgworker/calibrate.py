"""`python -m rgworker.calibrate`: known answers, measured here; exit code 1 if any is missed.

On the device that a worker would compute on.
"""

from __future__ import annotations

import sys

from rgstore.settings import Settings
from rgworker.trainer import chosen_device


def main() -> int:
    """Print measured, expected and tolerance of every check."""
    from rgcore.calibration import calibrate  # noqa: PLC0415 - it loads torch
    from rgworker import arithmetic  # noqa: PLC0415

    arithmetic.settle()  # as a trainer computes
    checks = calibrate(chosen_device(Settings().device))
    width = max(len(check.name) for check in checks)
    lines = [f"{'':{width}}  {'measured':>14}{'expected':>14}{'tolerance':>12}"]
    lines += [
        f"{check.name:{width}}  {check.measured:>14.8g}{check.expected:>14.8g}"
        f"{check.tolerance:>12.2g}  {'pass' if check.passed else 'FAIL'}  ({check.reason})"
        for check in checks
    ]
    failed = [check.name for check in checks if not check.passed]
    verdict = f"{len(failed)} of {len(checks)} FAIL" if failed else f"all {len(checks)} pass"
    sys.stdout.write("\n".join([*lines, verdict, ""]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
