"""One kind of lease for every kind of work, and a list of the workers.

Revision 0011; follows 0010.
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_LEASED = ("videos", "segments", "renders", "deliveries")
# What is unfinished is due at once; a lease that is held meanwhile runs out by itself.
_DUE = {
    "videos": "status IN ('queued', 'running') AND step IN ('plan', 'finish')",
    "segments": "status != 'done' AND video_id IN (SELECT id FROM videos WHERE status IN ('queued', 'running'))",
    "renders": "status IN ('queued', 'running')",
}
_INDEXES = {
    "segments": ("ix_segments_status_lease_until", ["status", "lease_until"]),
    "renders": ("ix_renders_status_lease_until", ["status", "lease_until"]),
    "deliveries": ("ix_deliveries_status_due_at", ["status", "due_at"]),
}


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "workers",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("networks", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_workers")),
    )
    op.add_column("videos", sa.Column("restarts", sa.SmallInteger(), nullable=False, server_default="0"))
    for column in (sa.Column("lease_token", sa.String(length=32)), _moment("lease_until")):
        op.add_column("deliveries", column)
    for table in _LEASED:
        op.add_column(table, _moment("lease_from"))
        op.execute(f"UPDATE {table} SET lease_from = lease_until")
        if table in _INDEXES:
            op.drop_index(_INDEXES[table][0], table)
        if table in _DUE:
            op.drop_column(table, "queued_at")
            op.add_column(table, _moment("due_at"))
            op.execute(f"UPDATE {table} SET due_at = CURRENT_TIMESTAMP WHERE {_DUE[table]}")
        if table in _INDEXES:
            op.create_index(f"ix_{table}_due_at", table, ["due_at"])


def _moment(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True))


def downgrade() -> None:
    """Undo."""
    for table in _LEASED:
        if table in _INDEXES:
            op.drop_index(f"ix_{table}_due_at", table)
        if table in _DUE:
            op.drop_column(table, "due_at")
            op.add_column(table, _moment("queued_at"))
        if table in _INDEXES:
            op.create_index(_INDEXES[table][0], table, _INDEXES[table][1])
        op.drop_column(table, "lease_from")
    for column in ("lease_token", "lease_until"):
        op.drop_column("deliveries", column)
    op.drop_column("videos", "restarts")
    op.drop_table("workers")
