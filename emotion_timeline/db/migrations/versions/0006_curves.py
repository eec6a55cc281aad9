"""Segments' rows condensed for charts; filled when a chart is first asked for.

Revision 0006; follows 0005.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "segment_curves",
        sa.Column("segment_id", sa.Integer(), nullable=False),
        sa.Column("first_timestamp_s", sa.Float(precision=53), nullable=False),
        sa.Column("last_timestamp_s", sa.Float(precision=53), nullable=False),
        sa.Column("faces", sa.LargeBinary(), nullable=False),
        sa.Column("frames", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segments.id"], name=op.f("fk_segment_curves_segment_id_segments"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("segment_id", name=op.f("pk_segment_curves")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("segment_curves")
