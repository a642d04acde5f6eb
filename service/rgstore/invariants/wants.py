"""What must hold of requests and of the studies that are made of them."""

from __future__ import annotations

from rgstore.invariants.invariant import stated
from rgstore.tables.people import MOST_COUNTED

SEEDS = stated(
    "seeds",
    "Every seed that a request names or wants has a run.",
    """
SELECT s.id AS request, s.owner, s.experiment_id AS experiment, n.seed
FROM submissions s
CROSS JOIN LATERAL (SELECT unnest(s.seeds) UNION SELECT unnest(s.wanted)) AS n (seed)
WHERE NOT EXISTS (
    SELECT 1 FROM runs r WHERE r.experiment_id = s.experiment_id AND r.seed = n.seed)
""",
)
WANTED = stated(
    "wanted",
    "A run that is still to end is wanted by somebody, or about to be stopped.",
    """
SELECT r.id AS run, r.experiment_id AS experiment, r.seed, r.state FROM runs r
WHERE r.state IN ('queued', 'running')
  AND NOT (r.state = 'running' AND r.cancel_requested)
  AND NOT EXISTS (
      SELECT 1 FROM submissions s
      WHERE s.experiment_id = r.experiment_id
        AND (s.wanted IS NULL OR r.seed = ANY (s.wanted)))
""",
)
WANTED_BY = stated(
    "wanted_by",
    "A run that is still to end says who wants it.",
    f"""
SELECT r.id AS run, r.wanted_by, w.owners AS wanted_of_requests
FROM runs r
CROSS JOIN LATERAL (
    SELECT (array_agg(DISTINCT s.owner ORDER BY s.owner))[1:{MOST_COUNTED}] AS owners
    FROM submissions s
    WHERE s.experiment_id = r.experiment_id AND (s.wanted IS NULL OR r.seed = ANY (s.wanted))
) AS w
WHERE r.state IN ('queued', 'running') AND r.wanted_by <> w.owners
""",  # noqa: S608 - our own number
)
FINDINGS = stated(
    "findings",
    "The findings of a study are newer than its newest result, or due to be written.",
    """
SELECT s.id AS study, s.findings_at, max(m.measured_at) AS newest_result
FROM studies s
JOIN study_experiments x ON x.study_id = s.id
JOIN runs r ON r.experiment_id = x.experiment_id
JOIN results m ON m.run_id = r.id
WHERE NOT s.findings_due
  AND EXISTS (
      SELECT 1 FROM submissions q
      WHERE q.study_id = s.id AND q.experiment_id = r.experiment_id
        AND (q.seeds IS NULL OR r.seed = ANY (q.seeds)))
GROUP BY s.id
HAVING s.findings_at IS NULL OR s.findings_at < max(m.measured_at)
""",
)
