"""Clips from tests/media/make.py carry their frame numbers as barcodes: each test can tell which frame it was given."""

import gc
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from tests.media.make import CLIPS, Clip, draw_barcode, encode, make_clip, make_sound, read_barcode
from worker.decoding import can_start
from worker.errors import VideoError
from worker.pictures import PictureConverter
from worker.video import Frame, VideoPlan, inspect, plan, read_frames

CLIP_BY_NAME = {clip.name: clip for clip in CLIPS}
UPRIGHT = [clip.name for clip in CLIPS if clip.rotation == (0, False)]
# Containers without presentation times: their frames are recognised by their order.
UNTRUSTED = ("h264_b_frames.avi", "mpeg4_b_frames.avi", "elementary.h264")
SHARED_VIDEOS = Path(__file__).parents[2] / "shared" / "data" / "videos"
SIDE = 64  # detection side, small for speed


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture
def clip_path(folder: Path) -> Callable[[str], Path]:
    def make(name: str) -> Path:
        path = folder / name
        if not path.exists():
            make_clip(CLIP_BY_NAME[name], path)
        return path

    return make


def read_all(path: Path, video_plan: VideoPlan) -> list[Frame]:
    return [frame for segment in video_plan.segments for frame in read_frames(path, segment, SIDE)]


def decode_straight(path: Path) -> list[VideoFrame]:
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "NONE"
        return list(container.decode(video=0))


def packets_of(path: Path) -> list[tuple[int, int, int, bool]]:
    """Position in the file, size, pts and keyframe flag of every packet, in decoding order."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        return [(packet.pos or 0, packet.size, packet.pts or 0, packet.is_keyframe) for packet in packets]


def assert_same_frames(frames: Sequence[Frame], others: Sequence[Frame]) -> None:
    assert [(frame.index, frame.timestamp_s) for frame in frames] == [(o.index, o.timestamp_s) for o in others]
    for frame, other in zip(frames, others, strict=True):
        assert_same_pixels(frame.luma, other.luma)
        assert_same_pixels(frame.small_bgr, other.small_bgr)


def assert_same_pixels(image: NDArray[np.uint8] | None, other: NDArray[np.uint8] | None) -> None:
    assert (image is None) == (other is None)
    assert image is None or other is None or np.array_equal(image, other)


# Every clip, every frame


@pytest.mark.parametrize("name", CLIP_BY_NAME)
def test_segments_give_the_frames_of_one_straight_decode(name: str, clip_path: Callable[[str], Path]) -> None:
    path = clip_path(name)
    video_plan = plan(path, segment_s=0.4)
    frames = read_all(path, video_plan)
    expected = decode_straight(path)
    converter = PictureConverter(SIDE)

    assert [frame.index for frame in frames] == list(range(len(expected)))
    for frame, picture in zip(frames, expected, strict=True):
        luma, small_bgr, _ = converter.convert(picture)
        assert frame.luma is not None and np.array_equal(frame.luma, luma)
        assert frame.small_bgr is not None and np.array_equal(frame.small_bgr, small_bgr)
    if name not in UNTRUSTED:
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

    monkeypatch.setattr("worker.decoding._find_damage", refuse)
    path = clip_path(name)
    assert len(read_all(path, plan(path, segment_s=0.4))) == inspect(path).frame_count


@pytest.mark.parametrize("name", ["open_gop.mp4", "open_gop.mkv", "open_gop.ts", "open_gop_hevc.mov", "mpeg2.mpg"])
def test_open_gop_clips_have_leading_pictures(name: str, clip_path: Callable[[str], Path]) -> None:
    """Otherwise the tests above would prove nothing about them."""
    packets = packets_of(clip_path(name))
    keyframes = [(number, pts) for number, (_, _, pts, is_keyframe) in enumerate(packets) if is_keyframe and number]
    assert keyframes
    assert all(packets[number + 1][2] < pts for number, pts in keyframes if number + 1 < len(packets))


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
        assert len(video_plan.segments) == 1 and video_plan.segments[0].whole


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


@pytest.mark.parametrize("sample_hz", [0, -1, float("nan"), float("inf")])
def test_sampling_rate_without_meaning_is_refused(sample_hz: float, clip_path: Callable[[str], Path]) -> None:
    with pytest.raises(VideoError, match="above 0") as caught:
        plan(clip_path("b_frames.mp4"), sample_hz=sample_hz)
    assert caught.value.code == "bad_sample_rate"


# Descriptions


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


# Pictures


@pytest.mark.parametrize("name", ["rotated_90.mp4", "rotated_180.mp4", "rotated_270.mp4", "b_frames.mp4"])
def test_frames_are_turned_as_opencv_turns_them(name: str, clip_path: Callable[[str], Path]) -> None:
    path = clip_path(name)
    frame = read_all(path, plan(path))[5]
    capture = cv2.VideoCapture(str(path))
    for _ in range(6):
        shown = capture.read()[1]
    capture.release()
    assert frame.luma is not None
    assert frame.luma.shape == shown.shape[:2]
    assert np.abs(frame.luma.astype(int) - cv2.cvtColor(shown, cv2.COLOR_BGR2GRAY)).mean() < 2


def test_mirrored_video_is_mirrored_as_its_matrix_says(clip_path: Callable[[str], Path]) -> None:
    path = clip_path("mirrored_90.mp4")  # turned by a quarter counterclockwise, then mirrored left to right
    for frame, stored in zip(read_all(path, plan(path)), decode_straight(path), strict=True):
        luma = PictureConverter(SIDE)._luma(stored)
        assert frame.luma is not None and np.array_equal(frame.luma, np.fliplr(np.rot90(luma)))


@pytest.mark.parametrize(
    "pixel_format", ["yuv420p", "nv12", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p12le", "p010le"]
)
@pytest.mark.parametrize("full_range", [False, True])
def test_luma_is_expanded_to_full_range_like_swscale(pixel_format: str, full_range: bool) -> None:
    grey = np.tile(np.arange(256, dtype=np.uint8), (48, 1))[:, :240]  # rows are padded
    colour_range = 2 if full_range else 1
    frame = VideoFrame.from_ndarray(np.dstack([grey] * 3), format="bgr24")
    frame = frame.reformat(format=pixel_format, dst_color_range=colour_range)
    frame.color_range = colour_range
    luma, small_bgr, scale = PictureConverter(640).convert(frame)
    assert luma.shape == grey.shape and luma.flags.c_contiguous
    assert np.abs(luma.astype(int) - frame.reformat(format="gray").to_ndarray()).max() <= 1
    assert np.abs(luma.astype(int) - grey).max() <= 2
    assert np.abs(small_bgr.astype(int) - grey[..., None]).max() <= 6
    assert scale == 1


@pytest.mark.parametrize("pixel_format", ["rgb24", "bgra", "gray", "gray10le", "pal8", "gbrp"])
def test_pictures_without_luma_become_grey(pixel_format: str) -> None:
    image = np.full((33, 50, 3), 117, np.uint8)
    source = "rgb8" if pixel_format == "pal8" else pixel_format
    frame = VideoFrame.from_ndarray(image, format="bgr24").reformat(format=source)
    luma, small_bgr, _ = PictureConverter(640).convert(frame)
    assert luma.shape == (33, 50) and small_bgr.shape == (33, 50, 3)
    assert abs(luma.mean() - 117) <= 4  # 8 bits for three colours are dithered


def test_full_range_video_keeps_its_blacks_and_whites(clip_path: Callable[[str], Path]) -> None:
    frames = {}
    for name in ("full_range.mp4", "b_frames.mp4"):
        frames[name] = read_all(clip_path(name), plan(clip_path(name)))[3].luma
    full, limited = frames["full_range.mp4"], frames["b_frames.mp4"]
    assert full is not None and limited is not None
    assert np.median(np.abs(full.astype(int) - limited)) <= 2
    assert np.median(np.abs(limited.astype(int) - cv2.cvtColor(draw_barcode(3), cv2.COLOR_BGR2GRAY))) <= 2


@pytest.mark.parametrize(("side", "size", "scale"), [(80, (80, 48), 2.0), (640, (160, 96), 1.0), (100, (100, 60), 1.6)])
def test_small_picture_has_the_asked_side(
    side: int, size: tuple[int, int], scale: float, clip_path: Callable[[str], Path]
) -> None:
    path = clip_path("b_frames.mp4")
    frame = next(read_frames(path, plan(path).segments[0], side))
    assert frame.small_bgr is not None and frame.luma is not None
    assert frame.small_bgr.shape == (size[1], size[0], 3) and frame.small_bgr.flags.c_contiguous
    assert frame.scale == scale


# Damage


def damage(path: Path, copy: Path, numbers: Sequence[int], how: str) -> Path:
    """Overwrite packets (counted in decoding order): all of each by zeros, or its middle third by noise."""
    content = bytearray(path.read_bytes())
    packets = packets_of(path)
    for number in numbers:
        position, size, _, _ = packets[number]
        begin, end = (0, size) if how == "zeros" else (size // 3, size * 2 // 3)
        noise = np.random.default_rng(number).integers(0, 256, end - begin, np.uint8).tobytes()
        content[position + begin : position + end] = bytes(size) if how == "zeros" else noise
    copy.write_bytes(content)
    return copy


@pytest.mark.parametrize("numbers", [[12], [17], [22], [14, 58]])
@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("b_frames.mp4", "zeros"),
        ("b_frames.mp4", "noise"),
        ("open_gop.mp4", "zeros"),
        ("open_gop.mp4", "noise"),
        ("open_gop.mkv", "noise"),
        ("mpeg4.avi", "zeros"),
        ("mpeg4.avi", "noise"),
        ("h264_b_frames.avi", "zeros"),
        ("h264_b_frames.avi", "noise"),
        ("mpeg4_b_frames.avi", "zeros"),
        ("open_gop_hevc.mov", "zeros"),  # HEVC and VP9 don't notice noise
    ],
)
def test_damaged_frames_have_no_picture_and_the_others_are_right(
    name: str, how: str, numbers: list[int], clip_path: Callable[[str], Path], tmp_path: Path
) -> None:
    path = damage(clip_path(name), tmp_path / name, numbers, how)
    frames = read_all(path, plan(path, segment_s=0.4))
    assert [frame.index for frame in frames] == list(range(60))
    assert [frame.timestamp_s for frame in frames] == pytest.approx([index / 24 for index in range(60)], abs=1e-3)
    shown = {frame.index: read_barcode(frame.luma) for frame in frames if frame.luma is not None}
    assert shown == {index: index for index in shown}
    # A keyframe every 12 frames ends the damage; leading pictures spread it to the neighbours of a group.
    assert 0 < 60 - len(shown) <= 16 * len(numbers) + (6 if name in UNTRUSTED else 0)
    assert_same_frames(frames, read_all(path, plan(path, segment_s=0.4)))
    assert_same_frames(frames, read_all(path, plan(path, segment_s=1e6)))


@pytest.mark.parametrize("name", ["b_frames.mp4", "open_gop_hevc.mov", "mpeg4.avi"])
def test_video_without_its_first_keyframe_starts_with_damaged_frames(
    name: str, clip_path: Callable[[str], Path], tmp_path: Path
) -> None:
    path = damage(clip_path(name), tmp_path / name, [0], "zeros")
    frames = read_all(path, plan(path, segment_s=0.4))
    assert [frame.timestamp_s for frame in frames] == pytest.approx([index / 24 for index in range(60)], abs=1e-3)
    numbers = [None if frame.luma is None else read_barcode(frame.luma) for frame in frames]
    assert numbers[:9] == [None] * 9
    assert numbers[12:] == list(range(12, 60))


@pytest.mark.parametrize("name", ["open_gop.ts", "open_gop.mkv", "index_first.mp4", "mpeg2.mpg", "mpeg4.avi"])
def test_truncated_file_gives_its_beginning(name: str, clip_path: Callable[[str], Path], folder: Path) -> None:
    clip, whole, path = CLIP_BY_NAME[name], clip_path(name), folder / f"truncated_{name}"
    path.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * 0.7)])
    frames = read_all(path, plan(path, segment_s=0.4))
    assert 25 <= len(frames) < 60
    shown = [(frame.timestamp_s, read_barcode(frame.luma)) for frame in frames if frame.luma is not None]
    assert len(shown) >= len(frames) - 4
    assert [time for time, _ in shown] == pytest.approx([number / clip.rate for _, number in shown], abs=1e-3)


@pytest.mark.parametrize("trying_out", [True, False])
def test_keyframe_flags_that_lie_cost_nothing_but_time(
    trying_out: bool, clip_path: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the plan finds out, and makes one segment, or only the reading does.

    WMV, because for most codecs ffmpeg looks into the packets and corrects the flags.
    """
    path = tmp_path / "false_keyframes.asf"
    with av.open(str(clip_path("wmv.asf"))) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.is_keyframe = True
                packet.stream = stream
                target.mux(packet)
    monkeypatch.setattr("worker.video.can_start", lambda path, span: trying_out is False or can_start(path, span))
    video_plan = plan(path, segment_s=0.4)
    assert len(video_plan.segments) == (1 if trying_out else 6)
    frames = read_all(path, video_plan)
    assert [read_barcode(frame.luma) for frame in frames if frame.luma is not None] == list(range(60))


def test_time_that_starts_again_goes_on(clip_path: Callable[[str], Path], tmp_path: Path) -> None:
    path = tmp_path / "joined.ts"
    path.write_bytes(clip_path("open_gop.ts").read_bytes() * 2)
    video_plan = plan(path, segment_s=0.4)
    frames = read_all(path, video_plan)
    assert not video_plan.info.trusted_timestamps
    assert [read_barcode(frame.luma) for frame in frames if frame.luma is not None] == [*range(60), *range(60)]
    assert (np.diff([frame.timestamp_s for frame in frames]) > 0).all()


def test_picture_size_may_change_in_mid_stream(clip_path: Callable[[str], Path], tmp_path: Path) -> None:
    larger = Clip("larger.ts", options=CLIP_BY_NAME["open_gop.ts"].options, size=(320, 240), shift=60)
    encode(larger, (draw_barcode(60 + number, 320, 240) for number in range(60)), tmp_path / "larger.ts")
    path = tmp_path / "changes.ts"
    path.write_bytes(clip_path("open_gop.ts").read_bytes() + (tmp_path / "larger.ts").read_bytes())
    frames = [frame for frame in read_all(path, plan(path, segment_s=0.4)) if frame.luma is not None]
    assert [read_barcode(frame.luma) for frame in frames if frame.luma is not None] == list(range(120))
    assert {frame.luma.shape for frame in frames if frame.luma is not None} == {(96, 160), (240, 320)}


# Refusals


def test_picture_of_no_size_is_refused(clip_path: Callable[[str], Path], tmp_path: Path) -> None:
    content = bytearray(clip_path("mjpeg.avi").read_bytes())
    size = (160).to_bytes(4, "little") + (96).to_bytes(4, "little")
    content[:] = bytes(content).replace(size, bytes(8))
    movie = content.index(b"movi")
    content[movie + 12 :] = bytes(len(content) - movie - 12)
    path = tmp_path / "nothing.avi"
    path.write_bytes(content)
    with pytest.raises(VideoError) as caught:
        inspect(path)
    assert caught.value.code == "no_picture"


def test_absurd_picture_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wide.avi"
    clip = Clip("wide.avi", "rawvideo", frames=1, size=(16400, 2))
    encode(clip, [draw_barcode(0, 16400, 2)], path)
    with pytest.raises(VideoError, match="16384") as caught:
        inspect(path)
    assert caught.value.code == "too_large_dimensions"


def test_video_of_which_nothing_decodes_is_refused(clip_path: Callable[[str], Path], tmp_path: Path) -> None:
    path = damage(clip_path("b_frames.mp4"), tmp_path / "zeros.mp4", range(60), "zeros")
    with pytest.raises(VideoError, match="No frame") as caught:
        plan(path)
    assert caught.value.code == "undecodable"


def _image(path: Path) -> None:
    assert cv2.imwrite(str(path), draw_barcode(7))


def _image_that_calls_itself_a_video(path: Path) -> None:
    _image(path.with_suffix(".png"))
    path.with_suffix(".png").rename(path)


def _playlist(path: Path) -> None:
    make_clip(CLIP_BY_NAME["open_gop.ts"], path.with_suffix(".ts"))
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:2.5,\n{path.stem}.ts\n#EXT-X-ENDLIST\n")


def _concat_list(path: Path) -> None:
    make_clip(CLIP_BY_NAME["open_gop.ts"], path.with_suffix(".ts"))
    path.write_text(f"ffconcat version 1.0\nfile {path.stem}.ts\n")


@pytest.mark.parametrize(
    ("name", "write", "code"),
    [
        ("missing.mp4", lambda path: None, "not_found"),
        ("folder.mp4", Path.mkdir, "not_a_file"),
        ("empty.mp4", Path.touch, "empty"),
        ("noise.mp4", lambda path: path.write_bytes(np.random.default_rng(1).bytes(50_000)), "not_a_video"),
        ("text.mp4", lambda path: path.write_text("Dear diary, today I renamed a letter.\n" * 500), "not_a_video"),
        ("program.mp4", lambda path: path.write_bytes(Path(sys.executable).read_bytes()[:500_000]), "not_a_video"),
        ("zeros.mp4", lambda path: path.write_bytes(bytes(100_000)), "not_a_video"),
        ("image.png", _image, "image"),
        ("image.jpg", _image, "image"),
        ("image.mp4", _image_that_calls_itself_a_video, "image"),
        ("sound.m4a", make_sound, "no_video_stream"),
        ("playlist.m3u8", _playlist, "not_a_video"),
        ("list.ffconcat", _concat_list, "not_a_video"),
    ],
)
def test_what_is_no_video_is_refused_in_a_sentence(
    name: str, write: Callable[[Path], object], code: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    write(path)
    for refuse in (inspect, plan):
        with pytest.raises(VideoError) as caught:
            refuse(path)
        assert caught.value.code == code
        assert caught.value.message.endswith(".")
        assert "Errno" not in caught.value.message


def test_still_gif_is_an_image(tmp_path: Path) -> None:
    path = tmp_path / "still.gif"
    make_clip(Clip("still.gif", "gif", pix_fmt="rgb8", frames=1, rate=25), path)
    with pytest.raises(VideoError) as caught:
        inspect(path)
    assert caught.value.code == "image"


def test_file_cut_off_before_its_index_is_refused(clip_path: Callable[[str], Path], tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    path.write_bytes(clip_path("b_frames.mp4").read_bytes()[:4000])
    with pytest.raises(VideoError, match="cut off") as caught:
        inspect(path)
    assert caught.value.code == "not_a_video"
