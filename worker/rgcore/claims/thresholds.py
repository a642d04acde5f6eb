"""What counts as shown, as negligible and as localized."""

from __future__ import annotations

ALPHA = 0.05
"""A verdict is wrong at most so often; a test is passed below it."""

CONFIDENCE = 1.0 - 2.0 * ALPHA / 3.0
"""Coverage of the intervals that decide, 96.7 %. Each of up to three of them can refute a claim by
lying on one side: three times half of what they miss is `ALPHA`."""

NEGLIGIBLE = 0.02
"""A rank that falls by less than this fraction does not collapse; nor do two ratios differ."""

WEAK_ORDER = -0.5
"""Kendall tau above which rank and depth are at best weakly ordered: a quarter of all pairs of
layers or more are the wrong way round."""

LOCALIZED = 3.0
"""Effective number of transitions. Nine tenths of the drift spread over two of L transitions, the
rest over the others, give 2.8 at L = 4, 3.1 at L = 8 and 3.4 at L = 16; equal drift gives L."""

LEAST_TRANSITIONS = 5
"""With fewer transitions even equal drift is hardly told apart from `LOCALIZED`."""

LEAST_SEEDS = 3
"""With fewer seeds there is no verdict."""
