"""Faces: what each adds up to, and what a person says of it.

Rows of videos that are done already are made when somebody first looks at their faces.

Revision 0005; follows 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "faces",
        sa.Column("video_id", sa.String(length=32), nullable=False),
        sa.Column("face_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("first_timestamp_s", sa.Float(precision=53), nullable=False),
        sa.Column("last_timestamp_s", sa.Float(precision=53), nullable=False),
        sa.Column("on_screen_s", sa.Float(precision=53), nullable=False),
        sa.Column("best_frame", sa.Integer(), nullable=False),
        sa.Column("best_timestamp_s", sa.Float(precision=53), nullable=False),
        sa.Column("best_box", sa.JSON(), nullable=False),
        sa.Column("emotion_frames", sa.JSON(), nullable=False),
        sa.Column("emotion_sums", sa.JSON(), nullable=False),
        sa.Column("peaks", sa.JSON(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=True),
        sa.Column("merged_into", sa.Integer(), nullable=True),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["video_id"], ["videos.id"], name=op.f("fk_faces_video_id_videos"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("video_id", "face_id", name=op.f("pk_faces")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("faces")
