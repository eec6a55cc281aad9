"""Which of a file's video tracks is analysed, and what is said of files that hold no video."""

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from zipfile import ZipFile

import av
import numpy as np
import pytest
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from emotion_timeline.errors import VideoError
from emotion_timeline.media.frames import read_frames
from emotion_timeline.media.plan import inspect, plan
from tests.media.make import draw_barcode, make_sound, read_barcode

Track = tuple[str, int, int, bool]
"""Encoder, pictures, width in pixels, whether it is the default one."""


def write_tracks(path: Path, tracks: Sequence[Track], sound_s: float = 0) -> Path:
    """A file with these video tracks, in this order; the pictures bear barcodes."""
    with av.open(str(path), "w", container_options={"fflags": "+bitexact"}) as container:
        streams: list[VideoStream] = []
        for codec, _, width, default in tracks:
            stream = container.add_stream(codec, rate=25)
            assert isinstance(stream, VideoStream)
            stream.width, stream.height = width, width * 9 // 16 // 2 * 2
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            stream.disposition = Disposition.default if default else Disposition(0)
            streams.append(stream)
        sound = container.add_stream("aac", rate=44_100, layout="mono") if sound_s else None
        for stream, (_, pictures, width, _) in zip(streams, tracks, strict=True):
            for number in range(pictures):
                frame = VideoFrame.from_ndarray(draw_barcode(number, width, stream.height), format="bgr24")
                frame = frame.reformat(format=stream.pix_fmt)
                frame.pts = number
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        if sound is not None:
            for start in range(0, int(sound_s * 44_100), 1024):
                silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
                silence.sample_rate, silence.pts, silence.time_base = 44_100, start, Fraction(1, 44_100)
                container.mux(sound.encode(silence))
            container.mux(sound.encode(None))
    return path


@pytest.mark.parametrize(
    ("tracks", "chosen"),
    [
        ([("mjpeg", 1, 160, True), ("libx264", 30, 160, False)], 1),
        ([("libx264", 30, 160, True), ("mjpeg", 1, 160, False)], 0),
        ([("libx264", 30, 160, False), ("libx264", 30, 320, True)], 1),
        ([("libx264", 30, 320, False), ("libx264", 30, 160, True)], 1),
        ([("libx264", 4, 320, True), ("libx264", 30, 160, False)], 1),
    ],
    ids=["thumbnail first", "thumbnail last", "default", "smaller default", "short one first"],
)
def test_the_track_with_the_moving_picture_is_analysed(tmp_path: Path, tracks: list[Track], chosen: int) -> None:
    path = write_tracks(tmp_path / "tracks.mp4", tracks)
    info = inspect(path)
    assert (info.track, info.width, info.frame_count) == (chosen, tracks[chosen][2], 30)
    assert len(info.other_tracks) == 1 and info.other_tracks[0].startswith(f"track {1 - chosen}: ")
    frames = [frame for segment in plan(path, segment_s=0.5).segments for frame in read_frames(path, segment)]
    assert [read_barcode(frame.luma) for frame in frames if frame.luma is not None] == list(range(30))


def test_a_track_that_nobody_can_decode_is_passed_over(tmp_path: Path) -> None:
    path = write_tracks(tmp_path / "tracks.mkv", [("libx264", 30, 160, True), ("mjpeg", 30, 320, False)])
    path.write_bytes(path.read_bytes().replace(b"V_MJPEG", b"V_OTHER"))
    info = inspect(path)
    assert (info.track, info.frame_count) == (0, 30)
    assert info.other_tracks == ["track 1: unknown codec, 0x0, 30 picture(s), 1.2 s"]


def test_a_song_with_its_cover_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="holds 3 s of sound, but only one picture") as refused:
        inspect(write_tracks(tmp_path / "song.mp4", [("libx264", 1, 160, True)], sound_s=3))
    assert refused.value.code == "no_moving_picture"


def test_what_is_no_video_is_refused_with_the_true_reason(tmp_path: Path) -> None:
    archive, animation, song = tmp_path / "talks.mp4", tmp_path / "animation.webp", tmp_path / "song.m4a"
    with ZipFile(archive, "w") as zipped:
        zipped.writestr("talk.mp4", b"0" * 100)
    animation.write_bytes(b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<IB", 10, 2) + bytes(9))
    make_sound(song)
    for path, code, words in (
        (archive, "archive", "is a zip archive, not a video. Unpack it"),
        (animation, "animated_webp", "is an animated WebP picture"),
        (song, "no_video_stream", "is it sound only"),
    ):
        with pytest.raises(VideoError, match=words) as refused:
            inspect(path)
        assert refused.value.code == code


def test_an_encrypted_video_is_refused_as_such(tmp_path: Path) -> None:
    key = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "7" * 32, "encryption_kid": "a" * 32}
    clear, path = write_tracks(tmp_path / "clear.mp4", [("libx264", 10, 160, True)]), tmp_path / "rented.mp4"
    with av.open(str(clear)) as source, av.open(str(path), "w", container_options=key) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    with pytest.raises(VideoError, match=r"rented\.mp4 is encrypted") as refused:
        inspect(path)
    assert refused.value.code == "encrypted"
