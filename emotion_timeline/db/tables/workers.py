"""Who works here."""

from datetime import datetime

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from emotion_timeline.db.tables.columns import Base, UtcDateTime


class Worker(Base):
    """A worker as it last told of itself."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(String(255), primary_key=True)  # as Celery calls it, and its process
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    networks: Mapped[dict[str, list[str]]] = mapped_column(JSON)  # db.work.Networks
