"""Damaged, cut off and impossible files: what can be read is read right, the rest is told."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from emotion_timeline.errors import VideoError
from emotion_timeline.media.decoding import can_start
from emotion_timeline.media.plan import inspect, plan
from emotion_timeline.media.sound import read_sound
from tests.clips import CLIP_BY_NAME, UNTRUSTED, assert_same_frames, packets_of, read_all
from tests.media.make import Clip, draw_barcode, encode, make_clip, make_sound, read_barcode


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
    monkeypatch.setattr(
        "emotion_timeline.media.plan.can_start", lambda path, span: trying_out is False or can_start(path, span)
    )
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


def _movie_cut_in_its_index(path: Path) -> None:
    make_clip(replace(CLIP_BY_NAME["mpeg4.avi"], name=path.name), path)
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"trak") + 20])


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
        (
            "cut_off.mpg",
            lambda path: path.write_bytes(bytes.fromhex("000001ba2100010001800001000001bb")),
            "not_a_video",
        ),
        ("cut_off.3gp", _movie_cut_in_its_index, "not_a_video"),
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


def test_stream_that_appears_half_way_hides_nothing() -> None:
    """Damage made another stream of one packet; PyAV reads such a file to its end and then raises an IndexError."""
    path = Path(__file__).parents[2] / "media" / "late_stream.ts"
    frames = read_all(path, plan(path, segment_s=0.4))
    assert len(frames) == inspect(path).frame_count > 30
    assert all(frame.luma is None for frame in frames)  # its only keyframe is damaged
    assert list(read_sound(path, Fraction(0), 1.0)) == []
