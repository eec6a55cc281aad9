"""What is made of recordings: pictures, previews and overlays of clips whose frames carry their numbers."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from sqlalchemy import select

from emotion_timeline import derived
from emotion_timeline.config import Settings
from emotion_timeline.db import renders, videos
from emotion_timeline.db.migrations import migrate
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Render, RenderKind, RenderStatus
from emotion_timeline.errors import LeaseLost, Stopped, VideoError
from emotion_timeline.media import stills
from emotion_timeline.media.frames import read_frames
from emotion_timeline.media.plan import plan
from emotion_timeline.media.survey import survey_video
from emotion_timeline.observations import Status
from emotion_timeline.views import subjects
from emotion_timeline.views.boxes import BoxedFace, BoxedFrame
from tests.clips import CLIP_BY_NAME
from tests.finished import BOX, claim_render, finish_video, make_render
from tests.media.make import Clip, draw_barcode, encode, encode_stretches, make_clip, read_barcode
from tests.services import ASTRONAUT
from worker.rendering import Job, Seen, early_thumbnail, keep_survey, make


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", segment_s=1.0, threads=1, min_free_bytes=0)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    opened = Database(settings.resolved_database_url)
    migrate(opened)
    yield opened
    opened.close()


def decode(path: Path) -> list[VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def shown_at(frames: list[VideoFrame]) -> list[float]:
    """Presentation times, exactly."""
    return [float(frame.pts * frame.time_base) for frame in frames if frame.pts is not None and frame.time_base]


def grey(frame: VideoFrame) -> NDArray[np.uint8]:
    return np.asarray(frame.to_ndarray(format="gray"), np.uint8)


def times(path: Path) -> list[float]:
    """Timestamps of all frames by the timeline's rules."""
    planned = plan(path)
    return [float((pts - planned.origin_pts) * planned.time_base) for s in planned.segments for pts in s.pts.tolist()]


@pytest.mark.parametrize(
    "name",
    ["mpeg4.avi", "mpeg4_b_frames.avi", "variable_rate.mp4", "start_offset.mkv", "ten_bit_hevc.mp4", "one_frame.mp4"],
)
def test_frames_of_a_preview_are_the_recordings_at_the_same_times(
    name: str, clip_path: Callable[[str], Path], database: Database, settings: Settings
) -> None:
    path = clip_path(name)
    video_id = finish_video(database, settings, path)
    frames = decode(make_render(database, settings, video_id, RenderKind.PREVIEW) / "preview.mp4")
    assert shown_at(frames) == pytest.approx(times(path), abs=1e-3)
    assert [read_barcode(grey(f)) for f in frames] == list(range(len(frames)))
    assert {(f.format.name, f.width, f.height) for f in frames} == {("yuv420p", 160, 96)}
    keyframes = [f.time for f in frames if f.key_frame]
    assert keyframes[0] == 0
    assert np.diff([*keyframes, frames[-1].time]).max(initial=0) <= 2.1


def test_a_movie_reads_the_packets_of_its_frames_only(
    clip_path: Callable[[str], Path], database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which those are, the analysis has found out and kept, also where it took only some frames."""
    path = clip_path("b_frames.mp4")
    video_id = finish_video(database, settings, path, sample_hz=2.0)
    keep_survey(database, settings, video_id, survey_video(path))
    monkeypatch.setattr("emotion_timeline.media.plan.survey_video", lambda path: pytest.fail("read to its end again"))
    for kind, name in ((RenderKind.PREVIEW, "preview.mp4"), (RenderKind.OVERLAY, "overlay.mp4")):
        assert len(decode(make_render(database, settings, video_id, kind) / name)) == 60
    with database.write() as session:
        videos.remove(session, video_id)
    derived.remove(settings.derived_dir, video_id)
    keep_survey(database, settings, video_id, survey_video(path))
    assert list(settings.derived_dir.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["rotated_90.mp4", "mirrored_90.mp4", "wide_pixels.mp4", "tall_pixels_90.mkv", "odd_size.mp4"]
)
def test_a_preview_looks_as_the_recording_is_displayed(
    name: str, clip_path: Callable[[str], Path], database: Database, settings: Settings
) -> None:
    path = clip_path(name)
    video_id = finish_video(database, settings, path)
    preview = make_render(database, settings, video_id, RenderKind.PREVIEW) / "preview.mp4"
    with av.open(str(preview)) as container:
        assert container.streams.video[0].sample_aspect_ratio in (None, 0, 1)
        frame = next(container.decode(video=0))
    (segment, *_) = plan(path).segments
    displayed = next(read_frames(path, segment)).luma
    assert displayed is not None
    assert frame.rotation == 0
    height, width = displayed.shape
    assert (frame.width, frame.height) == (width + width % 2, height + height % 2)
    shown = np.asarray(cv2.resize(grey(frame), (width, height)), np.float32)
    assert np.abs(shown - displayed).mean() < 8


def test_movies_and_pictures_of_a_call_stand_in_one_coordinate_system(
    tmp_path: Path, database: Database, settings: Settings
) -> None:
    """The box of every frame is the same; its pictures are small, large, and at last turned."""
    sizes = [(160, 96), (80, 48), (240, 144), (96, 160)]
    stretches = [[draw_barcode(5 * i + j, *size) for j in range(5)] for i, size in enumerate(sizes)]
    encode_stretches("libvpx", stretches, tmp_path / "call.webm")
    video_id = finish_video(database, settings, tmp_path / "call.webm")
    with database.write() as session:
        video = videos.get(session, video_id)
        video.info = video.info | {"picture_sizes": [[*size] for size in sizes]}
    preview, overlay = (
        decode(make_render(database, settings, video_id, kind) / f"{kind.value}.mp4")
        for kind in (RenderKind.PREVIEW, RenderKind.OVERLAY)
    )
    assert {(frame.width, frame.height) for frame in (*preview, *overlay)} == {(240, 144)}, "as large as the largest"
    x, y, w, h = (round(1.5 * side) for side in BOX)
    for number, (plain, drawn) in enumerate(zip(preview, overlay, strict=True)):
        image = grey(plain)
        inside = image[:, 76 : 76 + 88] if number >= 15 else image
        assert read_barcode(inside) == number
        assert (image[:, :70].max() < 30 and image[:, 170:].max() < 30) == (number >= 15), "bars beside the turned ones"
        edge = drawn.to_ndarray(format="bgr24").astype(int)[y + h, x + 5 : x + w - 5]
        assert (edge[:, 2] - edge[:, 0]).mean() > 60, "happy is yellow; the clip is grey"
    folder = make_render(database, settings, video_id, RenderKind.PICTURES)
    assert read_picture(folder / "thumbnail.jpg").shape == (144, 240, 3)


@pytest.mark.parametrize("name", ["hdr_pq.mp4", "hdr_hlg.mov"])
def test_a_preview_of_hdr_is_for_usual_screens(
    name: str, clip_path: Callable[[str], Path], database: Database, settings: Settings
) -> None:
    """The barcode's grey is shown as light of the brightness that it stands for, and so is the thumbnail."""
    path = clip_path(name)
    video_id = finish_video(database, settings, path)
    frames = decode(make_render(database, settings, video_id, RenderKind.PREVIEW) / "preview.mp4")
    thumbnail = make_render(database, settings, video_id, RenderKind.PICTURES) / "thumbnail.jpg"
    assert [read_barcode(grey(f)) for f in frames] == list(range(20))
    expected = (29, 255) if name == "hdr_pq.mp4" else (45, 248)  # by BT.2100, of stored 40 and 215
    for picture in (frames[3].to_ndarray(format="bgr24"), read_picture(thumbnail)):
        assert np.percentile(picture, (10, 98)) == pytest.approx(expected, abs=6)
    assert {(f.color_trc, f.color_primaries, f.colorspace) for f in frames} == {(1, 1, 1)}
    assert {(f.color_trc, f.color_primaries) for f in decode(path)} == {(CLIP_BY_NAME[name].transfer, 9)}


@pytest.mark.parametrize(("name", "rotate"), [("b_frames.mp4", 90), ("rotated_90.mp4", 180), ("mirrored_90.mp4", 270)])
def test_movies_and_pictures_are_turned_by_request(
    name: str, rotate: int, clip_path: Callable[[str], Path], database: Database, settings: Settings
) -> None:
    path = clip_path(name)
    video_id = finish_video(database, settings, path, rotate=rotate)
    turned = plan(path, rotate=rotate)
    as_filed, as_asked = (next(read_frames(path, p.segments[0])).luma for p in (plan(path), turned))
    assert as_filed is not None and as_asked is not None
    assert np.array_equal(as_asked, np.rot90(as_filed, -rotate // 90)), "clockwise"
    height, width = as_asked.shape
    assert (turned.info.width, turned.info.height) == (width, height)
    for kind in (RenderKind.PREVIEW, RenderKind.OVERLAY):
        frame = decode(make_render(database, settings, video_id, kind) / f"{kind.value}.mp4")[0]
        assert (frame.width, frame.height) == (width, height)
        outside = np.ones((height, width), bool)
        outside[:80, 20:110] = kind is RenderKind.PREVIEW  # where the box is drawn
        assert np.abs(grey(frame).astype(float) - as_asked)[outside].mean() < 8
    folder = make_render(database, settings, video_id, RenderKind.PICTURES)
    assert read_picture(folder / "thumbnail.jpg").shape == (height, width, 3)
    with database.read() as session:
        kinds = {render.kind for render in renders.of_videos(session, [video_id])[video_id]}
    assert RenderKind.PREVIEW in kinds, "browsers don't turn it"


def test_a_preview_shows_a_picture_for_as_long_as_it_stands(
    tmp_path: Path, database: Database, settings: Settings
) -> None:
    """A night without movement, which is more than MP4 can say of one picture."""
    clip = Clip("night.mkv", frames=4, pts=[0, 1, 50_000, 50_001], time_base=1)
    make_clip(clip, tmp_path / clip.name)
    video_id = finish_video(database, settings, tmp_path / clip.name)
    frames = decode(make_render(database, settings, video_id, RenderKind.PREVIEW) / "preview.mp4")
    shown = dict(zip(shown_at(frames), (read_barcode(grey(frame)) for frame in frames), strict=True))
    assert shown == {0: 0, 1: 1, 21_601: 1, 43_201: 1, 50_000: 2, 50_001: 3}


def test_large_recordings_get_a_small_preview_and_keep_their_colours(
    tmp_path: Path, database: Database, settings: Settings
) -> None:
    colours = [(30, 40, 200), (40, 180, 60), (190, 70, 20)]
    size = (1600, 700)
    clip = Clip("large.avi", "mpeg4", options={"qscale": "2", "flags": "+qscale"}, size=size)
    encode(clip, (np.full((*size[::-1], 3), colour, np.uint8) for colour in colours), tmp_path / clip.name)
    video_id = finish_video(database, settings, tmp_path / clip.name)
    frames = decode(make_render(database, settings, video_id, RenderKind.PREVIEW) / "preview.mp4")
    for frame, colour in zip(frames, colours, strict=True):
        assert (frame.width, frame.height) == (1280, 560)
        assert frame.to_ndarray(format="bgr24").mean((0, 1)) == pytest.approx(colour, abs=6)


def test_a_movie_carries_the_sound_from_its_start(
    clip_path: Callable[[str], Path], database: Database, settings: Settings
) -> None:
    video_id = finish_video(database, settings, clip_path("sound_goes_on.mp4"))
    preview = make_render(database, settings, video_id, RenderKind.PREVIEW) / "preview.mp4"
    with av.open(str(preview)) as container:
        assert [stream.codec_context.name for stream in container.streams.audio] == ["aac"]
        frames = list(container.decode(audio=0))
    assert frames[0].time == pytest.approx(0, abs=0.03)
    assert sum(frame.samples for frame in frames) / frames[0].sample_rate == pytest.approx(2.5, abs=0.05)
    head = preview.read_bytes()
    assert head.index(b"moov") < head.index(b"mdat"), "browsers can play it before it is whole"


def test_an_overlay_shows_the_face_in_every_frame(
    clip_path: Callable[[str], Path], database: Database, settings: Settings
) -> None:
    path = clip_path("variable_rate.mp4")
    for video_id, sample_hz in (("all", None), ("some", 4.0)):
        finish_video(database, settings, path, video_id, sample_hz)
        frames = decode(make_render(database, settings, video_id, RenderKind.OVERLAY) / "overlay.mp4")
        assert shown_at(frames) == pytest.approx(times(path), abs=1e-3)
        x, y, w, h = BOX
        for frame in frames:
            image = frame.to_ndarray(format="bgr24").astype(int)
            edge = image[y + h, x + 5 : x + w - 5]
            assert (edge[:, 2] - edge[:, 0]).mean() > 60, "happy is yellow; the clip is grey"
            middle = image[y + 10 : y + h - 10, x + 10 : x + w - 10]
            assert abs(middle[..., 2] - middle[..., 0]).mean() < 40


def test_a_box_stays_between_samples_but_not_for_long() -> None:
    face = BoxedFace(1, (0, 0, 9, 9), Status.OK, "sad", 0.5)
    sampled = [BoxedFrame(0, 0.0, Status.OK, (face,)), BoxedFrame(30, 3.0, Status.NO_FACE, ())]
    seen = Seen(iter([*sampled, BoxedFrame(60, 6.0, Status.OK, (face,))]), 2.5)
    assert [bool(seen.at(frame, frame / 10)) for frame in (0, 25, 26, 30, 31, 60, 70)] == [
        True, True, False, False, False, True, True,
    ]  # fmt: skip


def test_without_sampling_a_face_is_shown_at_its_own_frame_only() -> None:
    face = BoxedFace(1, (0, 0, 9, 9), Status.TOO_SMALL, None, None)
    seen = Seen(iter([BoxedFrame(1, 0.1, Status.TOO_SMALL, (face,))]), 0.0)
    assert [bool(seen.at(frame, frame / 10)) for frame in (0, 1, 2)] == [False, True, False]


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


def read_picture(path: Path) -> NDArray[np.uint8]:
    return np.asarray(cv2.imread(str(path)), np.uint8)


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
