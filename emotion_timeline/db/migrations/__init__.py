"""Schema changes: the database is brought to the present schema by `emotion-timeline migrate`."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from emotion_timeline.db.session import Database
from emotion_timeline.errors import SettingsError


def configuration(database: Database) -> Config:
    """Alembic's configuration for a database; there is no alembic.ini."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["engine"] = database.engine
    return config


def migrate(database: Database) -> None:
    """Bring the schema up to date. Safe to run by several processes at once, and when there is nothing to do.

    Raises:
        SettingsError: the schema is one that this version doesn't know.
    """
    try:
        command.upgrade(configuration(database), "head")
    except CommandError as exc:
        raise SettingsError(
            f"The database's schema is of another version that this one doesn't know ({exc}). Use the version that "
            "made it, or an empty database or data folder."
        ) from exc


def require_current(database: Database) -> None:
    """Make sure that the schema fits this version; the embedded SQLite database is migrated on the spot.

    Raises:
        SettingsError: a server's schema is of another version.
    """
    head = ScriptDirectory.from_config(configuration(database)).get_current_head()
    with database.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current == head:
        return
    if not database.is_sqlite:
        raise SettingsError(
            f"The database's schema was expected to be at revision {head} but is at {current or 'none'}. "
            "Run `emotion-timeline migrate` once, then start again."
        )
    migrate(database)
