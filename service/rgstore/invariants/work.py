"""What must hold of runs, attempts and the states that follow from them."""

from __future__ import annotations

from datetime import timedelta

from rgcontract import State
from rgstore.invariants.invariant import stated
from rgstore.transitions import PRECEDENCE
from rgstore.workers import WORKER_SILENT_AFTER

OVERDUE = timedelta(minutes=5)
"""Many rounds of upkeep."""

LEASE = stated(
    "lease",
    "A run has a lease if and only if it is running.",
    """
SELECT id AS run, state, lease_owner, lease_until FROM runs
WHERE (state = 'running') <> (lease_owner IS NOT NULL)
   OR (state = 'running') <> (lease_until IS NOT NULL)
""",
)
FREED = stated(
    "freed",
    f"While a worker is there, no lease has been over for {OVERDUE.total_seconds() / 60:.0f} "
    "minutes.",
    f"""
SELECT id AS run, lease_owner, lease_until FROM runs
WHERE state = 'running'
  AND lease_until < CAST(:now AS timestamptz) - make_interval(secs => {OVERDUE.total_seconds()})
  AND EXISTS (
      SELECT 1 FROM workers
      WHERE seen_at > CAST(:now AS timestamptz)
          - make_interval(secs => {WORKER_SILENT_AFTER.total_seconds()})
        AND started_at < CAST(:now AS timestamptz)
          - make_interval(secs => {OVERDUE.total_seconds()}))
""",  # noqa: S608 - our own numbers
)
ATTEMPTS = stated(
    "attempts",
    "The attempts at a run are 1 to n without gaps, and n is what the run says.",
    """
SELECT r.id AS run, r.attempt AS says, count(a.number) AS attempts,
    min(a.number) AS first, max(a.number) AS last
FROM runs r LEFT JOIN attempts a ON a.run_id = r.id
GROUP BY r.id
HAVING count(a.number) <> r.attempt
    OR min(a.number) <> 1 OR max(a.number) <> r.attempt
""",
)
OPEN_ATTEMPT = stated(
    "open_attempt",
    "An attempt is open if and only if it is the latest of a running run; one that has ended says "
    "how.",
    """
SELECT a.run_id AS run, a.number AS attempt, r.state, a.outcome, a.ended_at
FROM attempts a JOIN runs r ON r.id = a.run_id
WHERE (a.ended_at IS NULL) <> (r.state = 'running' AND a.number = r.attempt)
   OR (a.ended_at IS NULL) <> (a.outcome IS NULL)
""",
)
DONE = stated(
    "done",
    "A run is done if and only if exactly one attempt ended well, the latest, and the one result "
    "is by it.",
    """
SELECT r.id AS run, r.state, w.well, w.by AS attempt, m.attempt AS result_by
FROM runs r
CROSS JOIN LATERAL (
    SELECT count(*) AS well, max(number) AS by FROM attempts
    WHERE run_id = r.id AND outcome = 'done') AS w
LEFT JOIN results m ON m.run_id = r.id
WHERE (r.state = 'done') <> (m.run_id IS NOT NULL)
   OR (r.state = 'done') <> (w.well = 1)
   OR w.well > 1
   OR (r.state = 'done' AND (m.attempt, w.by) IS DISTINCT FROM (w.by, r.attempt))
""",
)
MEASURED = stated(
    "measured",
    "A run has measurements if and only if it is done.",
    """
SELECT r.id AS run, r.state FROM runs r
WHERE (r.state = 'done') <> EXISTS (SELECT 1 FROM measurements m WHERE m.run_id = r.id)
""",
)
ATTEMPTS_LEFT = stated(
    "attempts_left",
    "A queued run has an attempt left.",
    """
SELECT id AS run, attempt, attempt_limit FROM runs
WHERE state = 'queued' AND attempt >= attempt_limit
""",
)
_WHEN = " ".join(f"WHEN bool_or(state = '{state}') THEN '{state}'" for state in PRECEDENCE)
STATE = stated(
    "state",
    "The state of an experiment is what its runs say.",
    f"""
SELECT e.id AS experiment, e.state, w.state AS runs_say
FROM experiments e
CROSS JOIN LATERAL (
    SELECT CASE {_WHEN} ELSE '{State.DONE}' END AS state
    FROM runs WHERE experiment_id = e.id) AS w
WHERE e.state <> w.state
""",  # noqa: S608 - our own states
)
COMPLETED = stated(
    "completed",
    "An experiment that is done says when it was completed.",
    "SELECT id AS experiment, state FROM experiments WHERE state = 'done' AND completed_at IS NULL",
)
