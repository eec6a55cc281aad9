"""Keep which face detector a video is analysed with.

Revision 0012; follows 0010. Earlier videos were analysed with the packaged one, unless the operator had set another.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None

_PACKAGED = "face_detection_yunet_2023mar-8f2383e4"


def upgrade() -> None:
    """Apply."""
    op.add_column("videos", sa.Column("detector", sa.String(length=100), nullable=False, server_default=_PACKAGED))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("videos") as videos:
        videos.drop_column("detector")
