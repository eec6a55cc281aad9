"""Search videos by name, and sort them by name and length.

Revision 0008; follows 0007. The columns have defaults so that SQLite can add them without making the table anew, which
would delete what refers to it.
"""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_videos = sa.table(
    "videos",
    sa.column("id", sa.String),
    sa.column("filename", sa.Text),
    sa.column("info", sa.JSON),
    sa.column("name_key", sa.Text),
    sa.column("duration_s", sa.Float),
)


def upgrade() -> None:
    """Apply."""
    op.add_column("videos", sa.Column("name_key", sa.Text(), nullable=False, server_default=""))
    op.add_column("videos", sa.Column("duration_s", sa.Float(precision=53), nullable=False, server_default="0"))
    _fill(op.get_bind())
    op.create_index("ix_videos_name_key", "videos", ["name_key"])
    op.create_index("ix_videos_duration_s", "videos", ["duration_s"])


def _fill(connection: sa.Connection) -> None:
    rows = connection.execute(sa.select(_videos.c.id, _videos.c.filename, _videos.c.info)).all()
    values = [
        {"video": row.id, "name": _folded(row.filename), "length": (row.info or {}).get("duration_s") or 0.0}
        for row in rows
    ]
    if values:
        change = sa.update(_videos).where(_videos.c.id == sa.bindparam("video"))
        connection.execute(change.values(name_key=sa.bindparam("name"), duration_s=sa.bindparam("length")), values)


def _folded(name: str) -> str:
    """As emotion_timeline.db.names did when this was written."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_videos_duration_s", "videos")
    op.drop_index("ix_videos_name_key", "videos")
    op.drop_column("videos", "duration_s")
    op.drop_column("videos", "name_key")
