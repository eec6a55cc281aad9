"""Clip ranges, and uploads that can be resumed.

Revision 0003; follows 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    # Not by a copy of the table, which would take a video's segments with it on SQLite.
    op.add_column("videos", sa.Column("clip_start_s", sa.Float(precision=53), nullable=True))
    op.add_column("videos", sa.Column("clip_end_s", sa.Float(precision=53), nullable=True))
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("tus_metadata", sa.Text(), nullable=False),
        sa.Column("unverified_from", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("video_id", sa.String(length=32), nullable=True),
        sa.Column("is_duplicate", sa.Boolean(), nullable=True),
        sa.Column("refusal", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["video_id"], ["videos.id"], name=op.f("fk_uploads_video_id_videos"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    op.create_index("ix_uploads_updated_at", "uploads", ["updated_at"])
    op.create_index("ix_uploads_video_id", "uploads", ["video_id"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("uploads")
    op.drop_column("videos", "clip_end_s")
    op.drop_column("videos", "clip_start_s")
