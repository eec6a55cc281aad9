"""What becomes of a movie or picture that ends before it is made, and of what killed workers left."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from emotion_timeline import derived
from emotion_timeline.config import Settings
from emotion_timeline.db import renders, videos
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import RenderKind
from emotion_timeline.errors import LeaseLost, Stopped, VideoError
from tests.finished import claim_render, finish_video, make_render
from tests.services import ASTRONAUT
from worker.rendering import Job, make


@pytest.mark.parametrize("kind", list(RenderKind))
def test_nothing_is_left_of_a_render_that_ends_early(
    kind: RenderKind, clip_path: Callable[[str], Path], database: Database, settings: Settings
) -> None:
    video_id = finish_video(database, settings, clip_path("b_frames.mp4"))

    def start(stop: bool = False, delete: bool = False) -> None:
        with database.write() as session:
            renders.order(session, video_id, kind)
        claim = claim_render(database, video_id, kind)
        assert claim is not None

        def progress(frames_done: int) -> None:
            if delete and frames_done == 1:
                with database.write() as session:
                    videos.remove(session, video_id)
                derived.remove(settings.derived_dir, video_id)

        make(Job(database, settings, claim, progress, lambda: stop))

    with pytest.raises(Stopped):
        start(stop=True)
    with pytest.raises(LeaseLost):
        start(delete=True)
    assert list(settings.derived_dir.iterdir()) == []


def test_a_full_disk_ends_a_movie_with_a_sentence(database: Database, settings: Settings) -> None:
    video_id = finish_video(database, settings, ASTRONAUT, sample_hz=1.0)
    with pytest.raises(VideoError, match="no room on the server's disk"):
        make_render(database, settings.model_copy(update={"min_free_bytes": 2**60}), video_id, RenderKind.PREVIEW)
    assert list(settings.derived_dir.iterdir()) == []


def test_what_killed_workers_left_is_removed(tmp_path: Path) -> None:
    left, alive, kept = tmp_path / "v.preview-1.part", tmp_path / "w.overlay-2.part", tmp_path / "v"
    for folder in (left, alive, kept):
        (folder / "faces").mkdir(parents=True)
        (folder / "faces" / "1.jpg").write_bytes(b"picture")
        long_ago = 1000.0 if folder is not alive else 5000.0
        for path in (folder / "faces" / "1.jpg", folder / "faces", folder):
            os.utime(path, (long_ago, long_ago))
    derived.remove_abandoned(tmp_path, before=2000.0)
    assert {path.name for path in tmp_path.iterdir()} == {"w.overlay-2.part", "v"}
    with derived.workshop(tmp_path, "w", "overlay") as folder:
        assert {path.name for path in tmp_path.iterdir()} == {folder.name, "v"}
    derived.remove(tmp_path, "v")
    derived.remove(tmp_path, "v")
    assert list(tmp_path.iterdir()) == []
