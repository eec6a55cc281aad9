"""A worker's parent and the process that works for it, which may die at any moment."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from emotion_timeline.config import Settings
from emotion_timeline.db import videos
from emotion_timeline.db.migrations import migrate
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import VideoStatus
from tests.records import add
from tests.services import wait_until
from worker.supervision import Died, Supervisor, Workbench


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a service with an empty database; processes that are started find them in the environment."""
    monkeypatch.setenv("TIMELINE_DATA_DIR", str(tmp_path))
    found = Settings(data_dir=tmp_path)
    found.recordings_dir.mkdir()
    database = Database(found.resolved_database_url)
    migrate(database)
    database.close()
    return found


@pytest.fixture
def bench(settings: Settings) -> Iterator[Workbench]:
    opened = Workbench(silence_s=30)
    yield opened
    opened.close()


def broken_video(settings: Settings, video_id: str) -> Callable[[], VideoStatus]:
    """Work that is soon done: a recording that is none, to be planned. Returns how to look at its state."""
    database = Database(settings.resolved_database_url)
    add(database, video_id)
    settings.recording(video_id).write_bytes(b"not a recording")

    def state() -> VideoStatus:
        with database.read() as session:
            return videos.get(session, video_id).status

    return state


@pytest.mark.services
def test_work_goes_on_after_the_idle_process_was_killed(settings: Settings) -> None:
    supervisor = Supervisor(settings)
    state = broken_video(settings, "first")
    supervisor.work()
    assert state() is VideoStatus.FAILED
    (pid,) = supervisor.pids
    process = psutil.Process(pid)
    process.kill()
    process.wait(20)
    state = broken_video(settings, "second")
    supervisor.work()
    assert state() is VideoStatus.FAILED
    supervisor.close()
    assert supervisor.pids == []


@pytest.mark.services
def test_a_process_that_dies_at_work_is_told_from_one_that_has_nothing_to_do(bench: Workbench) -> None:
    assert bench.work({}) == {"worked": False}
    assert bench.pid is not None
    os.kill(bench.pid, signal.SIGSTOP)
    process = psutil.Process(bench.pid)
    wait_until(lambda: process.status() == psutil.STATUS_STOPPED, 10, "stopping it")
    bench.silence_s = 0.5
    with pytest.raises(Died, match="before its work was done"):
        bench.work({})
    bench.silence_s = 30
    assert bench.work({}) == {"worked": False}, "another one takes its place"


@pytest.mark.services
def test_a_process_ends_when_its_parent_is_gone(bench: Workbench) -> None:
    assert bench.work({}) == {"worked": False}
    assert bench.pid is not None
    process = psutil.Process(bench.pid)
    bench.stop()  # what a parent's death does: its end of the pipe is closed
    process.wait(30)
