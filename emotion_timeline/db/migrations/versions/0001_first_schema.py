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
        "idempotency_keys",
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("resource", sa.String(length=64), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"])

    op.create_table(
        "videos",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("work_key", sa.String(length=64), nullable=False),
        sa.Column("sample_hz", sa.Float(), nullable=True),
        sa.Column("rotate", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("model", sa.String(length=100), nullable=False),
        sa.Column("model_version", sa.String(length=100), nullable=False),
        sa.Column(
            "detector", sa.String(length=100), server_default="face_detection_yunet_2023mar-8f2383e4", nullable=False
        ),
        sa.Column("embedder", sa.String(length=100), server_default="", nullable=False),
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
        sa.Column("restarts", sa.SmallInteger(), nullable=False),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("info", sa.JSON(), nullable=False),
        sa.Column("frames_total", sa.Integer(), nullable=True),
        sa.Column("summary", sa.JSON(), nullable=True),
        sa.Column("clip_start_s", sa.Float(precision=53), nullable=True),
        sa.Column("clip_end_s", sa.Float(precision=53), nullable=True),
        sa.Column("name_key", sa.Text(), server_default="", nullable=False),
        sa.Column("sort_key", sa.Text(), server_default="", nullable=False),
        sa.Column("duration_s", sa.Float(precision=53), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("lease_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_videos")),
        sa.UniqueConstraint("work_key", name=op.f("uq_videos_work_key")),
    )
    op.create_index("ix_videos_created_at", "videos", ["created_at"])
    op.create_index("ix_videos_duration_s", "videos", ["duration_s"])
    op.create_index("ix_videos_sha256", "videos", ["sha256"])
    op.create_index("ix_videos_sort_key", "videos", ["sort_key"])
    op.create_index("ix_videos_status_created_at", "videos", ["status", "created_at"])

    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
    )
    op.create_table(
        "workers",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("networks", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_workers")),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("webhook_id", sa.String(length=32), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("video_id", sa.String(length=32), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("pending", "delivered", "failed", name="deliverystatus", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("response_status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("lease_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], name=op.f("fk_deliveries_webhook_id_webhooks"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index("ix_deliveries_due_at", "deliveries", ["due_at"])
    op.create_index("ix_deliveries_webhook_id_created_at", "deliveries", ["webhook_id", "created_at"])

    op.create_table(
        "faces",
        sa.Column("video_id", sa.String(length=32), nullable=False),
        sa.Column("face_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sums", sa.JSON(), nullable=False),
        sa.Column("best_frame", sa.Integer(), nullable=False),
        sa.Column("best_timestamp_s", sa.Float(precision=53), nullable=False),
        sa.Column("best_box", sa.JSON(), nullable=False),
        sa.Column("peaks", sa.JSON(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=True),
        sa.Column("merged_into", sa.Integer(), nullable=True),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["video_id"], ["videos.id"], name=op.f("fk_faces_video_id_videos"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("video_id", "face_id", name=op.f("pk_faces")),
    )
    op.create_table(
        "notes",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("video_id", sa.String(length=32), nullable=False),
        sa.Column("start_s", sa.Float(precision=53), nullable=False),
        sa.Column("end_s", sa.Float(precision=53), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["video_id"], ["videos.id"], name=op.f("fk_notes_video_id_videos"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
    )
    op.create_index("ix_notes_video_id_start_s", "notes", ["video_id", "start_s"])

    op.create_table(
        "renders",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("video_id", sa.String(length=32), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("pictures", "preview", "overlay", name="renderkind", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum("queued", "running", "done", "failed", name="renderstatus", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("frames_done", sa.Integer(), nullable=False),
        sa.Column("frames_total", sa.Integer(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("lease_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["video_id"], ["videos.id"], name=op.f("fk_renders_video_id_videos"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_renders")),
        sa.UniqueConstraint("video_id", "kind", name=op.f("uq_renders_video_id")),
    )
    op.create_index("ix_renders_due_at", "renders", ["due_at"])

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
        sa.Column("picture_sizes", sa.JSON(), nullable=True),
        sa.Column("turns", sa.JSON(), nullable=True),
        sa.Column("shots", sa.JSON(), nullable=True),
        sa.Column("opening", sa.LargeBinary(), nullable=True),
        sa.Column("closing", sa.LargeBinary(), nullable=True),
        sa.Column("frames_total", sa.Integer(), nullable=False),
        sa.Column("frames_done", sa.Integer(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("lease_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["video_id"], ["videos.id"], name=op.f("fk_segments_video_id_videos"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segments")),
        sa.UniqueConstraint("video_id", "number", name=op.f("uq_segments_video_id")),
    )
    op.create_index("ix_segments_due_at", "segments", ["due_at"])
    op.create_index("ix_segments_video_id_status", "segments", ["video_id", "status"])

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
        sa.Column("refusal", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["video_id"], ["videos.id"], name=op.f("fk_uploads_video_id_videos"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    op.create_index("ix_uploads_updated_at", "uploads", ["updated_at"])
    op.create_index("ix_uploads_video_id", "uploads", ["video_id"])

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
    op.create_table(
        "tracklets",
        sa.Column("segment_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("track_id", sa.Integer(), nullable=True),
        sa.Column("face_id", sa.Integer(), nullable=True),
        sa.Column("first_timestamp_s", sa.Float(precision=53), nullable=False),
        sa.Column("last_timestamp_s", sa.Float(precision=53), nullable=False),
        sa.Column("until_s", sa.Float(precision=53), nullable=False),
        sa.Column("first_box", sa.JSON(), nullable=False),
        sa.Column("last_box", sa.JSON(), nullable=False),
        sa.Column("sums", sa.JSON(), nullable=False),
        sa.Column("best", sa.JSON(), nullable=False),
        sa.Column("plateaus", sa.JSON(), nullable=False),
        sa.Column("seen_with", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("embedding", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segments.id"], name=op.f("fk_tracklets_segment_id_segments"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("segment_id", "number", name=op.f("pk_tracklets")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("tracklets")
    op.drop_table("segment_curves")
    op.drop_table("observations")
    op.drop_index("ix_uploads_video_id", "uploads")
    op.drop_index("ix_uploads_updated_at", "uploads")

    op.drop_table("uploads")
    op.drop_index("ix_segments_video_id_status", "segments")
    op.drop_index("ix_segments_due_at", "segments")

    op.drop_table("segments")
    op.drop_index("ix_renders_due_at", "renders")

    op.drop_table("renders")
    op.drop_index("ix_notes_video_id_start_s", "notes")

    op.drop_table("notes")
    op.drop_table("faces")
    op.drop_index("ix_deliveries_webhook_id_created_at", "deliveries")
    op.drop_index("ix_deliveries_due_at", "deliveries")

    op.drop_table("deliveries")
    op.drop_table("workers")
    op.drop_table("webhooks")
    op.drop_index("ix_videos_status_created_at", "videos")
    op.drop_index("ix_videos_sort_key", "videos")
    op.drop_index("ix_videos_sha256", "videos")
    op.drop_index("ix_videos_duration_s", "videos")
    op.drop_index("ix_videos_created_at", "videos")

    op.drop_table("videos")
    op.drop_index("ix_idempotency_keys_created_at", "idempotency_keys")

    op.drop_table("idempotency_keys")
