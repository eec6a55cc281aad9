"""What faces add up to is kept by tracklet, and charts count emotions by frame.

Revision 0013; follows 0010. What was analysed before has none of this, so it is analysed anew from its recording; the
names, merges and notes of people stay.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0010"
branch_labels = None
depends_on = None

_MEASURES = ("frames", "first_timestamp_s", "last_timestamp_s", "on_screen_s", "emotion_frames", "emotion_sums")


def upgrade() -> None:
    """Apply."""
    _analyse_anew()
    op.drop_column("tracklets", "rows")
    op.add_column("tracklets", sa.Column("until_s", sa.Float(precision=53), nullable=False, server_default="0"))
    for name in ("sums", "best", "plateaus"):
        op.add_column("tracklets", sa.Column(name, sa.JSON(), nullable=False, server_default="{}"))
    for name in _MEASURES:
        op.drop_column("faces", name)
    op.add_column("faces", sa.Column("sums", sa.JSON(), nullable=False, server_default="{}"))


def _analyse_anew() -> None:
    for table in ("observations", "tracklets", "segment_curves", "segments"):
        op.execute(f"DELETE FROM {table}")
    op.execute(
        "UPDATE videos SET status = 'queued', step = 'plan', attempts = 0, lease_token = NULL, lease_until = NULL, "
        "queued_at = NULL, frames_total = NULL, summary = NULL, finished_at = NULL WHERE status IN ('running', 'done')"
    )


def downgrade() -> None:
    """Undo."""
    op.execute("DELETE FROM faces")
    _analyse_anew()
    op.drop_column("faces", "sums")
    for name, kind in (
        ("frames", sa.Integer()), ("first_timestamp_s", sa.Float(precision=53)),
        ("last_timestamp_s", sa.Float(precision=53)), ("on_screen_s", sa.Float(precision=53)),
        ("emotion_frames", sa.JSON()), ("emotion_sums", sa.JSON()),
    ):  # fmt: skip
        op.add_column("faces", sa.Column(name, kind, nullable=False, server_default="0"))
    for name in ("plateaus", "best", "sums", "until_s"):
        op.drop_column("tracklets", name)
    op.add_column("tracklets", sa.Column("rows", sa.Integer(), nullable=False, server_default="0"))
