"""Alembic's entry: runs the migrations on the engine that migrate() passes.

Processes may start together, so one migrates while the others wait: SQLite by its write lock, PostgreSQL by an advisory
lock that ends with the transaction.
"""

from typing import Any, Literal

from alembic import context
from sqlalchemy import text

from emotion_timeline.db.tables import Base, UtcDateTime
from emotion_timeline.db.tables.columns import Single

_LOCK = 0x454D4F54  # any fixed number


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our own types as what they are in the database, so that a migration never changes with our code."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return "sa.REAL()" if kind == "type" and isinstance(item, Single) else False


def run() -> None:
    """Run the migrations in one transaction."""
    engine = context.config.attributes["engine"].execution_options(writes=True)
    with engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=sqlite,
            transactional_ddl=True,
            render_item=render_item,
        )
        with context.begin_transaction():
            if not sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            context.run_migrations()


run()
