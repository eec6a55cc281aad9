"""What every table is made of: names of constraints, types that read the same on every database, shared columns."""

import struct
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import DateTime, Dialect, Enum, Integer, MetaData, String, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import REAL


class Base(DeclarativeBase):
    """Names every constraint, so that migrations can address it on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC; SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store in UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Read as UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Single(TypeDecorator[float]):
    """A float of single precision.

    PostgreSQL sends the shortest decimal that stands for it, which as a double is another number; read back through
    single precision, every database gives the very value that was written.
    """

    impl = REAL
    cache_ok = True
    _format = struct.Struct("f")

    def process_result_value(self, value: float | None, dialect: Dialect) -> float | None:
        """Read as the nearest single."""
        return None if value is None else float(self._format.unpack(self._format.pack(value))[0])


def enumerated(kind: type[StrEnum]) -> Enum:
    """A column type that keeps an enum's values as text, which every database can extend."""
    return Enum(kind, native_enum=False, length=16, values_callable=lambda k: [member.value for member in k])


class Leased:
    """Columns of something that one worker at a time may work on; emotion_timeline.db.leases alone changes them.

    The token is the fence: whoever writes a result must still hold the token that its lease was given.
    """

    if TYPE_CHECKING:
        id: Mapped[Any]

    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # from when on it may be taken; None: nothing to do
    attempts: Mapped[int] = mapped_column(Integer, default=0)  # leases taken so far, of those that count
    lease_token: Mapped[str | None] = mapped_column(String(32))
    lease_from: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when it was taken or renewed
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
