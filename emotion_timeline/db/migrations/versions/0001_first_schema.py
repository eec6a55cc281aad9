"""First schema.

Revision 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""

    op.create_table(
        "videos",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("work_key", sa.String(length=64), nullable=False),
        sa.Column("sample_hz", sa.Float(), nullable=True),
        sa.Column("model", sa.String(length=100), nullable=False),
        sa.Column("model_version", sa.String(length=100), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "queued", "running", "done", "failed", "cancelled", name="videostatus", native_enum=False, length=16
            ),
            nullable=False,
        ),
        sa.Column(
            "step",
            sa.Enum("plan", "analyze", "finish", "none", name="step", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("info", sa.JSON(), nullable=False),
        sa.Column("frames_total", sa.Integer(), nullable=True),
        sa.Column("summary", sa.JSON(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_videos")),
        sa.UniqueConstraint("work_key", name=op.f("uq_videos_work_key")),
    )
    with op.batch_alter_table("videos", schema=None) as batch_op:
        batch_op.create_index("ix_videos_created_at", ["created_at"], unique=False)
        batch_op.create_index("ix_videos_status_created_at", ["status", "created_at"], unique=False)

    op.create_table(
        "segments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("video_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("pending", "running", "done", name="segmentstatus", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("frames", sa.LargeBinary(), nullable=False),
        sa.Column("pts", sa.LargeBinary(), nullable=False),
        sa.Column("frames_total", sa.Integer(), nullable=False),
        sa.Column("frames_done", sa.Integer(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["video_id"], ["videos.id"], name=op.f("fk_segments_video_id_videos"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segments")),
        sa.UniqueConstraint("video_id", "number", name=op.f("uq_segments_video_id")),
    )
    with op.batch_alter_table("segments", schema=None) as batch_op:
        batch_op.create_index("ix_segments_status_lease_until", ["status", "lease_until"], unique=False)
        batch_op.create_index("ix_segments_video_id_status", ["video_id", "status"], unique=False)

    op.create_table(
        "observations",
        sa.Column("segment_id", sa.Integer(), nullable=False),
        sa.Column("frame", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("face", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("timestamp_s", sa.Float(precision=53), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("tracklet", sa.Integer(), nullable=True),
        sa.Column("confidence", sa.REAL(), nullable=True),
        sa.Column("box_x", sa.REAL(), nullable=True),
        sa.Column("box_y", sa.REAL(), nullable=True),
        sa.Column("box_w", sa.REAL(), nullable=True),
        sa.Column("box_h", sa.REAL(), nullable=True),
        sa.Column("angry", sa.REAL(), nullable=True),
        sa.Column("disgust", sa.REAL(), nullable=True),
        sa.Column("fear", sa.REAL(), nullable=True),
        sa.Column("happy", sa.REAL(), nullable=True),
        sa.Column("sad", sa.REAL(), nullable=True),
        sa.Column("surprise", sa.REAL(), nullable=True),
        sa.Column("neutral", sa.REAL(), nullable=True),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segments.id"], name=op.f("fk_observations_segment_id_segments"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("segment_id", "frame", "face", name=op.f("pk_observations")),
    )
    op.create_table(
        "tracklets",
        sa.Column("segment_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("face_id", sa.Integer(), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("first_timestamp_s", sa.Float(precision=53), nullable=False),
        sa.Column("last_timestamp_s", sa.Float(precision=53), nullable=False),
        sa.Column("first_box", sa.JSON(), nullable=False),
        sa.Column("last_box", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segments.id"], name=op.f("fk_tracklets_segment_id_segments"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("segment_id", "number", name=op.f("pk_tracklets")),
    )


def downgrade() -> None:
    """Undo."""

    op.drop_table("tracklets")
    op.drop_table("observations")
    with op.batch_alter_table("segments", schema=None) as batch_op:
        batch_op.drop_index("ix_segments_video_id_status")
        batch_op.drop_index("ix_segments_status_lease_until")

    op.drop_table("segments")
    with op.batch_alter_table("videos", schema=None) as batch_op:
        batch_op.drop_index("ix_videos_status_created_at")
        batch_op.drop_index("ix_videos_created_at")

    op.drop_table("videos")
