"""Pictures and videos made from recordings; those that are done already get theirs too.

Revision 0004; follows 0003.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from emotion_timeline.playability import plays_in_browsers

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    renders = op.create_table(
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
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["video_id"], ["videos.id"], name=op.f("fk_renders_video_id_videos"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_renders")),
        sa.UniqueConstraint("video_id", "kind", name=op.f("uq_renders_video_id")),
    )
    op.create_index("ix_renders_status_lease_until", "renders", ["status", "lease_until"])
    videos = sa.table("videos", sa.column("id"), sa.column("status"), sa.column("info", sa.JSON()))
    done = op.get_bind().execute(sa.select(videos.c.id, videos.c.info).where(videos.c.status == "done")).all()
    common = {"status": "queued", "frames_done": 0, "attempts": 0, "created_at": datetime.now(UTC)}
    for video_id, info in done:
        for kind in ["pictures"] if plays_in_browsers(info) else ["pictures", "preview"]:
            op.get_bind().execute(renders.insert().values(video_id=video_id, kind=kind, **common))


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_renders_status_lease_until", "renders")
    op.drop_table("renders")
