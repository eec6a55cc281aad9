"""The thumbnail, the faces and the scenes of a recording."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from sqlalchemy import select

from emotion_timeline.config import Settings
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Render, RenderKind, RenderStatus
from emotion_timeline.media import stills
from emotion_timeline.media.plan import plan
from emotion_timeline.views import subjects
from tests.finished import finish_video, make_render, read_picture
from tests.services import ASTRONAUT
from worker.rendering import early_thumbnail


def test_pictures_show_the_faces(database: Database, settings: Settings) -> None:
    video_id = finish_video(database, settings, ASTRONAUT, sample_hz=2.0)
    folder = make_render(database, settings, video_id, RenderKind.PICTURES)
    sizes = {str(path.relative_to(folder)): read_picture(path).shape[1::-1] for path in folder.rglob("*.jpg")}
    assert sizes.pop("thumbnail.jpg") == (320, 180)
    assert sizes.pop("faces/1.jpg") == (160, 160)
    assert set(sizes.values()) == {(320, 180)}
    assert {name.split("/")[0] for name in sizes} == {"pictures"}
    with database.read() as session:
        render = session.scalars(select(Render).where(Render.kind == RenderKind.PICTURES)).one()
    assert (render.status, render.frames_done, render.frames_total) == (RenderStatus.DONE, 2, 2)


def test_crops_hold_the_face_wherever_it_is() -> None:
    image = np.zeros((200, 400, 3), np.uint8)
    for x, y in ((0, 0), (360, 160), (180, 90)):
        marked = image.copy()
        marked[y : y + 40, x : x + 40] = 255
        for crop, shape in ((stills.face, (160, 160)), (stills.scene, (180, 320))):
            picture = crop(marked, (x, y, 40, 40))
            assert picture.shape[:2] == shape
            assert 0.03 < (picture > 128).mean() < 0.5
    assert stills.face(image, (0, 0, 400, 200)).shape == (160, 160, 3), "a face larger than the picture is high"


def test_only_the_segments_of_wanted_frames_are_read(
    clip_path: Callable[[str], Path], database: Database, settings: Settings
) -> None:
    video_id = finish_video(database, settings, clip_path("b_frames.mp4"))
    with database.read() as session:
        (row,) = subjects.segments_with(session, video_id, {30, 33})
    assert row.frames.tolist() == [30, 33]


def test_an_early_thumbnail_stands_for_a_video_that_waits(
    clip_path: Callable[[str], Path], database: Database, settings: Settings
) -> None:
    for name in ("b_frames.mp4", "mpeg4_b_frames.avi"):
        path = clip_path(name)
        video_id = finish_video(database, settings, path, name)
        early_thumbnail(database, settings, video_id, plan(path, 1.0))
        assert read_picture(settings.derived(video_id) / "thumbnail.jpg").shape == (96, 160, 3)
        early_thumbnail(database, settings, "deleted", plan(path, 1.0))
    assert {path.name for path in settings.derived_dir.iterdir()} == {"b_frames.mp4", "mpeg4_b_frames.avi"}
