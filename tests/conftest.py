"""Fixtures that several test modules share."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import psycopg
import pytest

from emotion_timeline.config import Settings
from emotion_timeline.db import videos
from emotion_timeline.db.migrations import migrate
from emotion_timeline.db.session import Database
from emotion_timeline.emotions import EMOTIONS
from tests.clips import CLIP_BY_NAME
from tests.databases import address_of, empty, postgres_database, postgres_server
from tests.media.make import make_clip
from tests.services import QUICK, SHARED_CLIPS, Service, redis_server
from tests.website import TWO_FACES, Website

if TYPE_CHECKING:
    from training.data.datasets import Dataset


if "PYTEST_XDIST_WORKER" in os.environ:  # processes side by side must not fight for the cores
    os.environ |= {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}

_COSTLY = {
    "browser": {"browser"},
    "media": {"clip_path", "clip", "shared_clips"},
    "postgres": {"postgres_maintenance_url"},
    "services": {"make_service", "running", "service", "start_worker", "gunicorn"},
    "slow": {"long_site"},
    "tensorflow": {"training_data", "training_images"},
}
_LONG = ("browser", "services", "tensorflow")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by what they need, for `make check` to leave out what takes seconds; put the files first that have
    such tests, so that no process is left alone with a long one at the end."""
    for item in items:
        needed = set(getattr(item, "fixturenames", ()))
        for marker, fixtures in _COSTLY.items():
            if needed & fixtures:
                item.add_marker(marker)
    long = {item.path for item in items if any(map(item.get_closest_marker, _LONG))}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session")
def postgres_maintenance_url() -> Iterator[str]:
    """URL of a running PostgreSQL's maintenance database."""
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def migrated_postgres(postgres_maintenance_url: str) -> str:
    """Name of a database with our schema, which others are copied from: that is quicker than to migrate each."""
    name = "migrated"
    with psycopg.connect(postgres_maintenance_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    database = Database(address_of(postgres_maintenance_url, name))
    migrate(database)
    database.close()
    return name


@pytest.fixture
def postgres_url(postgres_maintenance_url: str) -> Iterator[str]:
    """URL of an empty PostgreSQL database of this test's own, without a table."""
    with postgres_database(postgres_maintenance_url, "template1") as url:
        yield url


@pytest.fixture
def migrated_postgres_url(postgres_maintenance_url: str, migrated_postgres: str) -> Iterator[str]:
    """URL of a PostgreSQL database of this test's own, with our schema and no row."""
    with postgres_database(postgres_maintenance_url, migrated_postgres) as url:
        yield url


@pytest.fixture(scope="session")
def one_postgres(postgres_maintenance_url: str, migrated_postgres: str) -> Iterator[Database]:
    """A PostgreSQL database for all tests that use one after the other."""
    with postgres_database(postgres_maintenance_url, migrated_postgres) as url:
        opened = Database(url)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def one_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """An SQLite database for all tests that use one after the other."""
    opened = Database(f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'timeline.db'}")
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A migrated, empty database, of both kinds in turn."""
    opened: Database = request.getfixturevalue("one_sqlite" if request.param == "sqlite" else "one_postgres")
    empty(opened)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def sqlite_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Website]:
    """A web application for all tests that use one after the other: it takes longer to build than most tests."""
    website = Website(tmp_path_factory.mktemp("site"))
    yield website
    website.database.close()


@pytest.fixture(scope="session")
def postgres_site(tmp_path_factory: pytest.TempPathFactory, one_postgres: Database) -> Iterator[Website]:
    """The same on PostgreSQL."""
    url = one_postgres.engine.url.render_as_string(hide_password=False)
    website = Website(tmp_path_factory.mktemp("site"), database_url=url)
    yield website
    website.database.close()


@pytest.fixture
def site(sqlite_site: Website) -> Iterator[Website]:
    """A web application on an empty database."""
    sqlite_site.renew()
    yield sqlite_site
    sqlite_site.database.close()


@pytest.fixture
def own_site(tmp_path: Path) -> Iterator[Website]:
    """A web application for a test that changes it."""
    website = Website(tmp_path)
    yield website
    website.database.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def either_site(request: pytest.FixtureRequest) -> Iterator[Website]:
    """A web application on an empty database, of both kinds in turn."""
    website: Website = request.getfixturevalue("sqlite_site" if request.param == "sqlite" else "postgres_site")
    website.renew()
    yield website
    website.database.close()


@pytest.fixture
def states(site: Website) -> Website:
    """A site with one video in every state but running, named after it."""
    site.done(TWO_FACES, "d", filename="done.mp4")
    site.failed("f", filename="failed.mp4")
    site.queued("q", filename="waiting.mp4")
    with site.database.write() as session:
        videos.cancel(session, site.queued("c", filename="cancelled.mp4"))
    return site


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a running Redis."""
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(params=["embedded", "servers"])
def make_service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Makes services that die with the test: on SQLite and files, and on PostgreSQL and Redis, in turn."""
    made: list[Service] = []

    def make(extra_environment: dict[str, str] | None = None, **settings: Any) -> Service:
        servers: dict[str, Any] = {}
        if request.param == "servers":
            import redis

            servers = {
                "database_url": request.getfixturevalue("migrated_postgres_url"),
                "broker_url": request.getfixturevalue("redis_url"),
            }
            redis.Redis.from_url(servers["broker_url"]).flushdb()
        folder = tmp_path / f"service-{len(made)}"
        made.append(Service(Settings(data_dir=folder, **{**QUICK, **servers, **settings}), extra_environment or {}))
        return made[-1]

    yield make
    for service in made:
        service.close()


@pytest.fixture
def shared_clips() -> Path:
    """Folder of real recordings that are not part of the repository."""
    if not SHARED_CLIPS.is_dir():
        pytest.skip(f"the optional recordings are not at {SHARED_CLIPS}")
    return SHARED_CLIPS


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the clips are made that tests ask for."""
    return tmp_path_factory.mktemp("clips")


@pytest.fixture
def clip_path(folder: Path) -> Callable[[str], Path]:
    """Makes a clip of tests/media/make.py, once."""

    def make(name: str) -> Path:
        path = folder / name
        if not path.exists():
            make_clip(CLIP_BY_NAME[name], path)
        return path

    return make


@pytest.fixture(scope="session")
def training_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like msambare/fer2013: a bright bar at a height that tells the emotion, in noise."""
    root: Path = tmp_path_factory.mktemp("fer2013")
    rng = np.random.default_rng(0)
    for label, emotion in enumerate(EMOTIONS):
        for split, place, count in (("Training", "train", 40), ("PublicTest", "test", 3)):
            (root / place / emotion).mkdir(parents=True)
            for number in range(count):
                grey = rng.integers(0, 100, (48, 48), dtype=np.uint8)
                grey[4 + 6 * label : 8 + 6 * label] += 150
                cv2.imwrite(str(root / place / emotion / f"{split}_{label}{number}.jpg"), grey)
    return root


@pytest.fixture(scope="session")
def training_data(training_images: Path) -> "tuple[Dataset, Dataset]":
    """The same as images to train on and to validate with."""
    from emotion_timeline.faces.preprocessing import Preprocessing
    from training.train import load_data  # only here: it imports TensorFlow, which takes seconds

    faces = load_data(training_images, Preprocessing())
    return faces.training, faces.validation
