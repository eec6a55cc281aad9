"""Find the analyses of one recording by its content.

Revision 0002; follows 0001.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_videos_sha256", "videos", ["sha256"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_videos_sha256", "videos")
