"""The trigger of attempts finds its tables whatever the session's search path is.

A dump of data alone empties that path before its rows, and could not be loaded.

Revision: 0009
Follows: 0008
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER FUNCTION attempt_is_implemented() SET search_path FROM CURRENT")


def downgrade() -> None:
    op.execute("ALTER FUNCTION attempt_is_implemented() RESET search_path")
