"""Previews and overlays of clips whose frames carry their numbers."""

from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from emotion_timeline import derived
from emotion_timeline.config import Settings
from emotion_timeline.db import renders, videos
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import RenderKind
from emotion_timeline.media.frames import read_frames
from emotion_timeline.media.plan import plan
from emotion_timeline.media.survey import survey_video
from emotion_timeline.observations import Status
from emotion_timeline.views.boxes import BoxedFace, BoxedFrame
from tests.clips import CLIP_BY_NAME, decode_straight, shown_at, times
from tests.finished import BOX, finish_video, make_render, read_picture
from tests.media.make import Clip, draw_barcode, encode, encode_stretches, make_clip, read_barcode
from worker.rendering import Seen, keep_survey


def grey(frame: VideoFrame) -> NDArray[np.uint8]:
    return np.asarray(frame.to_ndarray(format="gray"), np.uint8)


@pytest.mark.parametrize(
    "name",
    ["mpeg4.avi", "mpeg4_b_frames.avi", "variable_rate.mp4", "start_offset.mkv", "ten_bit_hevc.mp4", "one_frame.mp4"],
)
def test_frames_of_a_preview_are_the_recordings_at_the_same_times(
    name: str, clip_path: Callable[[str], Path], database: Database, settings: Settings
) -> None:
    path = clip_path(name)
    video_id = finish_video(database, settings, path)
    frames = decode_straight(make_render(database, settings, video_id, RenderKind.PREVIEW) / "preview.mp4")
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
        assert len(decode_straight(make_render(database, settings, video_id, kind) / name)) == 60
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
        decode_straight(make_render(database, settings, video_id, kind) / f"{kind.value}.mp4")
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
    frames = decode_straight(make_render(database, settings, video_id, RenderKind.PREVIEW) / "preview.mp4")
    thumbnail = make_render(database, settings, video_id, RenderKind.PICTURES) / "thumbnail.jpg"
    assert [read_barcode(grey(f)) for f in frames] == list(range(20))
    expected = (29, 255) if name == "hdr_pq.mp4" else (45, 248)  # by BT.2100, of stored 40 and 215
    for picture in (frames[3].to_ndarray(format="bgr24"), read_picture(thumbnail)):
        assert np.percentile(picture, (10, 98)) == pytest.approx(expected, abs=6)
    assert {(f.color_trc, f.color_primaries, f.colorspace) for f in frames} == {(1, 1, 1)}
    assert {(f.color_trc, f.color_primaries) for f in decode_straight(path)} == {(CLIP_BY_NAME[name].transfer, 9)}


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
        frame = decode_straight(make_render(database, settings, video_id, kind) / f"{kind.value}.mp4")[0]
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
    frames = decode_straight(make_render(database, settings, video_id, RenderKind.PREVIEW) / "preview.mp4")
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
    frames = decode_straight(make_render(database, settings, video_id, RenderKind.PREVIEW) / "preview.mp4")
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
        frames = decode_straight(make_render(database, settings, video_id, RenderKind.OVERLAY) / "overlay.mp4")
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
