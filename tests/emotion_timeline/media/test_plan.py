"""Every frame once, with its own time: planning, reading, sampling and describing."""

import gc
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from emotion_timeline.clip import Clip
from emotion_timeline.errors import VideoError
from emotion_timeline.media.frames import read_frames
from emotion_timeline.media.pictures import PictureConverter
from emotion_timeline.media.plan import inspect, plan
from tests.clips import CLIP_BY_NAME, SIDE, UNTRUSTED, assert_same_frames, decode_straight, packets_of, read_all
from tests.media.make import CLIPS, read_barcode

UPRIGHT = [clip.name for clip in CLIPS if clip.rotation == (0, False)]
SHARED_VIDEOS = Path(__file__).parents[4] / "shared" / "data" / "videos"


@pytest.mark.parametrize("name", CLIP_BY_NAME)
def test_segments_give_the_frames_of_one_straight_decode(name: str, clip_path: Callable[[str], Path]) -> None:
    path = clip_path(name)
    video_plan = plan(path, segment_s=0.4)
    frames = read_all(path, video_plan)
    expected = decode_straight(path)
    converter = PictureConverter(SIDE, CLIP_BY_NAME[name].pixel_aspect)

    assert [frame.index for frame in frames] == list(range(len(expected)))
    for frame, picture in zip(frames, expected, strict=True):
        luma, small_bgr, _ = converter.convert(picture)
        assert frame.luma is not None and np.array_equal(frame.luma, luma)
        assert frame.small_bgr is not None and np.array_equal(frame.small_bgr, small_bgr)
    if not name.endswith((".avi", ".h264")):  # where the decoder's times are made up
        first = min(picture.pts for picture in expected if picture.pts is not None)
        time_base = expected[0].time_base
        assert time_base is not None
        decoder_times = [float((picture.pts - first) * time_base) for picture in expected if picture.pts is not None]
        assert [frame.timestamp_s for frame in frames] == pytest.approx(decoder_times, abs=1e-6)


@pytest.mark.parametrize("name", UPRIGHT)
def test_every_frame_is_the_one_that_its_timestamp_names(name: str, clip_path: Callable[[str], Path]) -> None:
    clip, path = CLIP_BY_NAME[name], clip_path(name)
    frames = read_all(path, plan(path, segment_s=0.4))
    numbers = [read_barcode(frame.luma) for frame in frames if frame.luma is not None]
    first = numbers[0]
    assert numbers == list(range(first, clip.frames))
    ticks = clip.pts or range(clip.frames)
    rate = 25 if name == "elementary.h264" else clip.time_base or clip.rate  # that stream states no rate
    drawn_at = [(ticks[number] - ticks[first]) / rate for number in numbers]
    assert [frame.timestamp_s for frame in frames] == pytest.approx(drawn_at, abs=1e-3)


@pytest.mark.parametrize("name", ["open_gop.mp4", "open_gop_hevc.mov", "b_frames.mp4", "vp9_odd_size.webm"])
def test_segments_can_be_read_in_any_order_and_again(name: str, clip_path: Callable[[str], Path]) -> None:
    path = clip_path(name)
    segments = plan(path, segment_s=0.4).segments
    assert len(segments) > 3
    forward = [list(read_frames(path, segment, SIDE, threads=3)) for segment in segments]
    backward = [list(read_frames(path, segment, SIDE, threads=1)) for segment in reversed(segments)]
    for frames, again in zip(forward, reversed(backward), strict=True):
        assert_same_frames(frames, again)


# Not H.264 with open GOPs: without its leading pictures, which the segment before has, it looks damaged.
@pytest.mark.parametrize(
    "name", sorted(set(CLIP_BY_NAME) - {*UNTRUSTED, "open_gop.mp4", "open_gop.mkv", "open_gop.ts"})
)
def test_undamaged_segments_are_decoded_once(
    name: str, clip_path: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("decoded again, as if it were damaged")

    monkeypatch.setattr("emotion_timeline.media.decoding._find_damage", refuse)
    path = clip_path(name)
    assert len(read_all(path, plan(path, segment_s=0.4))) == inspect(path).frame_count


@pytest.mark.parametrize("name", ["open_gop.mp4", "open_gop.mkv", "open_gop.ts", "open_gop_hevc.mov", "mpeg2.mpg"])
def test_open_gop_clips_have_leading_pictures(name: str, clip_path: Callable[[str], Path]) -> None:
    """Otherwise the tests above would prove nothing about them."""
    packets = packets_of(clip_path(name))
    keyframes = [(number, pts) for number, (_, _, pts, is_keyframe) in enumerate(packets) if is_keyframe and number]
    assert keyframes
    assert all(packets[number + 1][2] < pts for number, pts in keyframes if number + 1 < len(packets))


@pytest.mark.slow
@pytest.mark.skipif(not SHARED_VIDEOS.is_dir(), reason="the shared clips are not here")
@pytest.mark.parametrize("name", ["single_face.mp4", "no_face.mp4", "noface_face.mov"])
def test_real_recordings_are_read_as_they_are_decoded(name: str) -> None:
    path = SHARED_VIDEOS / name
    frames = read_all(path, plan(path, segment_s=1.0))
    expected = decode_straight(path)
    converter = PictureConverter(SIDE)
    for frame, picture in zip(frames, expected, strict=True):
        assert frame.timestamp_s == pytest.approx(picture.time - expected[0].time, abs=1e-6)
        assert frame.luma is not None and np.array_equal(frame.luma, converter.convert(picture)[0])


# Plans


@pytest.mark.parametrize("name", CLIP_BY_NAME)
def test_plan_covers_every_frame_once(name: str, clip_path: Callable[[str], Path]) -> None:
    video_plan = plan(clip_path(name), segment_s=0.4)
    frames = np.concatenate([segment.frames for segment in video_plan.segments])
    pts = np.concatenate([segment.pts for segment in video_plan.segments])
    assert frames.tolist() == list(range(video_plan.info.frame_count))
    assert (np.diff(pts) > 0).all()
    assert frames.dtype == pts.dtype == np.int64
    assert [segment.index for segment in video_plan.segments] == list(range(len(video_plan.segments)))
    assert video_plan.info.trusted_timestamps == (name not in UNTRUSTED)
    if name in UNTRUSTED:
        assert len(video_plan.segments) == 1


def test_pictures_are_freed_at_once(clip_path: Callable[[str], Path]) -> None:
    """Not when Python's garbage collector, which doesn't know that they are large, comes by."""
    path = clip_path("rotated_90.mp4")
    segment = plan(path).segments[0]
    gc.collect()
    gc.disable()
    try:
        frames = read_frames(path, segment, SIDE)
        next(frames), next(frames)
        del frames
        read_all(path, plan(path))
        left = [o for o in gc.get_objects() if isinstance(o, VideoFrame | av.container.Container | av.CodecContext)]
    finally:
        gc.enable()
    assert left == []


@pytest.mark.parametrize("sample_hz", [0.3, 1, 2.5, 5, 7.3, 12, 24, 1000, 1e300])
@pytest.mark.parametrize("name", ["b_frames.mp4", "variable_rate.mp4", "start_offset.mkv", "h264_b_frames.avi"])
def test_sampling_takes_the_first_frame_at_or_after_each_period(
    name: str, sample_hz: float, clip_path: Callable[[str], Path]
) -> None:
    path = clip_path(name)
    everything = plan(path)
    base, origin = everything.time_base, everything.origin_pts
    times = [(int(pts) - origin) * base for segment in everything.segments for pts in segment.pts]
    period = 1 / Fraction(sample_hz).limit_denominator(10**6)
    expected, k = [], 0
    for index, time in enumerate(times):
        if time >= k * period:
            expected.append(index)
            k = int(time // period) + 1
    sampled = plan(path, segment_s=0.4, sample_hz=sample_hz)
    assert [int(index) for segment in sampled.segments for index in segment.frames] == expected


def test_sampled_frames_are_the_frames_of_a_full_read(clip_path: Callable[[str], Path]) -> None:
    path = clip_path("open_gop.mp4")
    everything = read_all(path, plan(path))
    sampled = read_all(path, plan(path, segment_s=0.4, sample_hz=3))
    assert_same_frames(sampled, [everything[frame.index] for frame in sampled])


@pytest.mark.parametrize("sample_hz", [None, 5, 7.3])
@pytest.mark.parametrize(
    "name", ["b_frames.mp4", "open_gop.mp4", "variable_rate.mp4", "start_offset.mkv", UNTRUSTED[0]]
)
def test_clip_holds_the_frames_that_the_whole_video_gives_there(
    name: str, sample_hz: float | None, clip_path: Callable[[str], Path]
) -> None:
    """Also where it begins or ends at a segment's first frame, or at times copied from the CSV."""
    path = clip_path(name)
    whole = plan(path, segment_s=0.4, sample_hz=sample_hz)
    everything = read_all(path, whole)
    times = [round(frame.timestamp_s, 6) for frame in everything]
    firsts = np.cumsum([0, *(len(segment.frames) for segment in whole.segments[:-1])])
    borders = {times[first] for first in firsts.tolist()} | {times[1], times[-1]}
    for start_s, end_s in [(None, t) for t in borders if t] + [(t, None) for t in borders] + [(times[1], times[-1])]:
        expected = [
            frame
            for frame, time_s in zip(everything, times, strict=True)
            if (start_s or 0) <= time_s and (end_s is None or time_s < end_s)
        ]
        clipped = plan(path, segment_s=0.4, sample_hz=sample_hz, clip=Clip(start_s, end_s))
        assert_same_frames(read_all(path, clipped), expected)
        assert [segment.index for segment in clipped.segments] == list(range(len(clipped.segments)))


@pytest.mark.parametrize(
    ("clip", "sample_hz", "why"),
    [
        (Clip(start_s=1e9), None, "s long"),
        (Clip(start_s=0.11, end_s=0.12), None, "none of the recording's sampled frames"),
        (Clip(start_s=0.1, end_s=0.9), 1, "none of the recording's sampled frames"),
    ],
)
def test_clip_without_a_frame_is_refused(
    clip: Clip, sample_hz: float | None, why: str, clip_path: Callable[[str], Path]
) -> None:
    with pytest.raises(VideoError, match=why) as caught:
        plan(clip_path("b_frames.mp4"), sample_hz=sample_hz, clip=clip)
    assert caught.value.code == "empty_clip"


@pytest.mark.parametrize(("start_s", "end_s"), [(-1, None), (2, 2), (3, 2), (None, 0), (float("nan"), None)])
def test_clip_without_meaning_is_refused(start_s: float | None, end_s: float | None) -> None:
    with pytest.raises(VideoError, match="clip range") as caught:
        Clip(start_s, end_s)
    assert caught.value.code == "bad_clip"


@pytest.mark.parametrize("sample_hz", [0, -1, float("nan"), float("inf")])
def test_sampling_rate_without_meaning_is_refused(sample_hz: float, clip_path: Callable[[str], Path]) -> None:
    with pytest.raises(VideoError, match="above 0") as caught:
        plan(clip_path("b_frames.mp4"), sample_hz=sample_hz)
    assert caught.value.code == "bad_sample_rate"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("b_frames.mp4", {"codec": "h264", "width": 160, "height": 96, "average_rate": 24.0, "variable_rate": False}),
        ("variable_rate.mp4", {"variable_rate": True, "frame_count": 60, "start_offset_s": 0.0}),
        ("edit_list.mp4", {"frame_count": 55, "duration_s": 55 / 24, "start_offset_s": 0.0}),  # the header says 60
        ("start_offset.mp4", {"start_offset_s": 20 / 24, "duration_s": 60 / 24}),
        ("start_offset.mkv", {"start_offset_s": 0.833, "variable_rate": False}),  # milliseconds: 41 or 42 a frame
        ("sound_goes_on.mp4", {"duration_s": 60 / 24, "frame_count": 60}),  # the header says 6 s
        ("rotated_90.mp4", {"rotation": 270, "width": 96, "height": 160}),
        ("rotated_180.mp4", {"rotation": 180, "width": 160, "height": 96}),
        ("rotated_270.mp4", {"rotation": 90, "width": 96, "height": 160}),
        ("odd_size.mp4", {"width": 163, "height": 97}),
        ("wide_pixels.mp4", {"width": 233, "height": 96, "pixel_aspect": "16/11"}),
        ("tall_pixels_90.mkv", {"width": 128, "height": 160, "pixel_aspect": "3/4", "rotation": 270}),
        ("vp9_odd_size.webm", {"width": 159, "height": 93, "codec": "vp9"}),
        ("vp8_hidden_frames.webm", {"frame_count": 60}),
        ("one_frame.mp4", {"frame_count": 1, "average_rate": None, "duration_s": 1 / 24, "keyframes": 1}),
        ("ten_bit_hevc.mp4", {"pixel_format": "yuv420p10le", "codec": "hevc"}),
        ("open_gop_hevc.mov", {"keyframes": 5, "frame_count": 60}),
        ("animation.gif", {"frame_count": 20, "average_rate": 25.0}),
    ],
)
def test_description_states_what_was_made(
    name: str, expected: dict[str, object], clip_path: Callable[[str], Path]
) -> None:
    info = inspect(clip_path(name))
    found = {field: getattr(info, field) for field in expected}
    assert found == pytest.approx(expected, abs=2e-3)
