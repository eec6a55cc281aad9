"""Sizes of a segment's pictures.

Revision 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("segments", sa.Column("picture_sizes", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column("segments", "picture_sizes")
