"""What the service keeps, only its own user may read: recordings, the database, the queue, halves of uploads."""

import os
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from emotion_timeline.db.migrations import migrate
from emotion_timeline.db.session import Database
from emotion_timeline.derived import place, workshop
from emotion_timeline.service.privacy import keep_private, make_private
from tests.website import Website


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    """The most open umask, until something in the test sets another."""
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    """What others may read or change, of a folder and all in it."""
    paths = [folder, *folder.rglob("*")]
    return [str(path) for path in paths if stat.S_IMODE(path.lstat().st_mode) & 0o077]


def test_what_web_keeps_is_private(tmp_path: Path) -> None:
    with closing((site := Website(tmp_path)).database):
        assert site.upload().status_code == 202
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "9", "Content-Type": "application/offset+octet-stream"}
        assert site.client.post("/api/v1/uploads", data=b"part", headers=headers).status_code == 201
        made = {path.name for path in site.settings.data_dir.rglob("*")}
        assert {"timeline.db", "timeline.db-wal"} <= made
        assert any(name.endswith(".upload.part") for name in made)
        assert open_to_others(site.settings.data_dir) == []


def test_what_workers_make_is_private(tmp_path: Path) -> None:
    keep_private()
    data = tmp_path / "data"
    with closing(Database(f"sqlite:///{data}/timeline.db")) as database:
        migrate(database)
        with workshop(data / "derived", "v", "pictures") as folder:
            (folder / "faces").mkdir()
            (folder / "faces" / "1.jpg").write_bytes(b"picture")
            place(folder, data / "derived" / "v")
    assert (data / "derived" / "v" / "faces" / "1.jpg").exists()
    assert open_to_others(data) == []


def test_what_an_earlier_version_left_open_is_closed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "derived" / "v").mkdir(parents=True)
    (data / "derived" / "v" / "thumbnail.jpg").write_bytes(b"picture")
    (data / "timeline.db").write_bytes(b"rows")
    make_private(data)
    assert open_to_others(data) == []
    assert stat.S_IMODE((data / "derived").stat().st_mode) == 0o700
    assert stat.S_IMODE((data / "timeline.db").stat().st_mode) == 0o600


def test_folder_that_holds_other_things_too_stays_open(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "recordings").mkdir(parents=True)
    (home / "thesis.txt").write_text("mine")
    make_private(home)
    assert open_to_others(home) == [str(home), str(home / "thesis.txt")]


def test_folder_that_is_not_there_is_left_so(tmp_path: Path) -> None:
    make_private(tmp_path / "none")
    assert list(tmp_path.iterdir()) == []
