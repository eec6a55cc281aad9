"""By how much a recording is turned, and how its faces stand.

Revision 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("videos", sa.Column("rotate", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("segments", sa.Column("turns", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column("segments", "turns")
    op.drop_column("videos", "rotate")
