"""Result codes in common words."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

#: Old code -> new code. Both are in .github/USING.md.
CODES = {
    "linesman.unread": "linesman.not_read_back",
    "linesman.not_told": "linesman.not_shown",
    "linesman.under_way": "linesman.still_activating",
    "linesman.unsettled": "linesman.unclear_response",
}


def upgrade() -> None:
    """Apply. Codes in events stay as they are, because the hashes of the audit log are over them."""
    for table in ("operations", "run_numbers"):
        code = sa.column("code", sa.String())
        rows = sa.table(table, code)
        op.execute(sa.update(rows).where(code.in_(CODES)).values(code=sa.case(CODES, value=code)))
