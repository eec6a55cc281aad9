"""Connections: one Database per process, opened by an entry point.

SQLite is set up for several processes: write-ahead log, and BEGIN IMMEDIATE for writers, because a reader that turns
into a writer fails at once instead of waiting (https://www.sqlite.org/isolation.html).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event, make_url
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

_BUSY_TIMEOUT_S = 60.0


class Database:
    """An engine, and sessions on it.

    Args:
        url: SQLAlchemy URL of SQLite or PostgreSQL.
    """

    def __init__(self, url: str | URL) -> None:
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite:
            if parsed.database:
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            self.engine = create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_S})
            event.listen(self.engine, "connect", _configure_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            self.engine = create_engine(url, pool_pre_ping=True)
        # SQLite's readers see one moment anyway; PostgreSQL's by default see another with every question.
        snapshot = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        self._reading: Engine = self.engine.execution_options(**snapshot)
        self._writing: Engine = self.engine.execution_options(writes=True)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading, which sees the database as it is at its first question until its end: a download is
        whole even if the video is deleted meanwhile. Anything written in it is rolled back."""
        with Session(self._reading, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session in one transaction: committed at the end of the block, rolled back on an exception."""
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()


def _configure_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy begins transactions, below; not the driver
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
