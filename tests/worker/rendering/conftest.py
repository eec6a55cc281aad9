"""A database and folders for what is made of recordings."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emotion_timeline.config import Settings
from emotion_timeline.db.migrations import migrate
from emotion_timeline.db.session import Database


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", segment_s=1.0, threads=1, min_free_bytes=0)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    opened = Database(settings.resolved_database_url)
    migrate(opened)
    yield opened
    opened.close()
