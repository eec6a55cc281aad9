"""Sort names as a person would, numbers by their size.

Revision 0010; follows 0009. Names are searched for by parts of them, for which the index of their keys was of no use.
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_videos = sa.table(
    "videos",
    sa.column("id", sa.String),
    sa.column("name_key", sa.Text),
    sa.column("sort_key", sa.Text),
)


def upgrade() -> None:
    """Apply."""
    op.add_column("videos", sa.Column("sort_key", sa.Text(), nullable=False, server_default=""))
    _fill(op.get_bind())
    op.drop_index("ix_videos_name_key", "videos")
    op.create_index("ix_videos_sort_key", "videos", ["sort_key"])


def _fill(connection: sa.Connection) -> None:
    rows = connection.execute(sa.select(_videos.c.id, _videos.c.name_key)).all()
    values = [{"video": row.id, "key": _sort_key(row.name_key)} for row in rows]
    if values:
        change = sa.update(_videos).where(_videos.c.id == sa.bindparam("video"))
        connection.execute(change.values(sort_key=sa.bindparam("key")), values)


def _sort_key(key: str) -> str:
    """As emotion_timeline.db.names did when this was written."""
    return re.sub("[0-9]+", _with_length, key)[:400]


def _with_length(number: re.Match[str]) -> str:
    digits = number[0].lstrip("0") or "0"
    return f"{len(digits):03}{digits}"


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_videos_sort_key", "videos")
    op.create_index("ix_videos_name_key", "videos", ["name_key"])
    op.drop_column("videos", "sort_key")
