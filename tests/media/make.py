"""Make the clips that the tests read.

Every frame of one carries its number as a barcode of large blocks that survive compression, so that a test can prove
which frame it was given.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.stream import DataStream
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream
from numpy.typing import NDArray

WIDTH, HEIGHT = 160, 96
BARCODE_ROWS, BARCODE_COLUMNS = 3, 4  # 12 bits: 4096 frames
_DARK, _LIGHT = 40, 215
_PAINTED_EVERY = 7  # frames; a moving band keeps the encoder from skipping everything but the barcode


def draw_barcode(number: int, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """Draw a frame: uint8 (height, width, 3), the number in black and white blocks, most significant bit first."""
    bits = [(number >> bit) & 1 for bit in reversed(range(BARCODE_ROWS * BARCODE_COLUMNS))]
    blocks = np.where(np.array(bits), _LIGHT, _DARK).astype(np.uint8).reshape(BARCODE_ROWS, BARCODE_COLUMNS)
    grey = cv2.resize(blocks, (width, height), interpolation=cv2.INTER_NEAREST)
    image = cv2.cvtColor(np.asarray(grey), cv2.COLOR_GRAY2BGR)
    band = number * width // (_PAINTED_EVERY * 4) % width
    image[:, band : band + 6] = (90, 120, 160)
    return np.asarray(image, np.uint8)


def read_barcode(luma: NDArray[np.uint8]) -> int:
    """Read the number from a grey frame: uint8 (H, W)."""
    height, width = luma.shape
    number = 0
    for row in range(BARCODE_ROWS):
        for column in range(BARCODE_COLUMNS):
            block = luma[
                height * row // BARCODE_ROWS : height * (row + 1) // BARCODE_ROWS,
                width * column // BARCODE_COLUMNS : width * (column + 1) // BARCODE_COLUMNS,
            ]
            number = number * 2 + int(np.median(block) > 128)
    return number


@dataclass(frozen=True)
class Clip:
    """How to make one test clip.

    Attributes:
        name: file name; its ending chooses the container.
        codec: encoder.
        frames: how many.
        rate: frames/s.
        options: of the encoder.
        pix_fmt: pixel format.
        size: width and height in pixels.
        pts: presentation timestamp of each frame in units of 1/time_base seconds; by default 0, 1, 2, ... at the rate.
        time_base: units a second; by default the rate.
        shift: added to every timestamp when the packets are written, in the same units.
        rotation: display rotation in degrees counterclockwise, and whether mirrored left to right.
        pixel_aspect: width of a pixel divided by its height.
        full_range: whether luma uses 0-255.
        transfer: FFmpeg's number of the transfer function, 16 for PQ and 18 for HLG; then with BT.2020's colours.
        sound_s: seconds of sound to add.
        data_tracks: how many tracks of other data to add.
        time_code: of the first frame, for a track of time codes.
        container_options: of the muxer.
    """

    name: str
    codec: str = "libx264"
    frames: int = 60
    rate: int = 24
    options: dict[str, str] = field(default_factory=dict)
    pix_fmt: str = "yuv420p"
    size: tuple[int, int] = (WIDTH, HEIGHT)
    pts: Sequence[int] | None = None
    time_base: int | None = None
    shift: int = 0
    rotation: tuple[float, bool] = (0, False)
    pixel_aspect: Fraction = Fraction(1)
    full_range: bool = False
    transfer: int | None = None
    sound_s: float = 0
    data_tracks: int = 0
    time_code: str | None = None
    container_options: dict[str, str] = field(default_factory=dict)


_X264 = {"preset": "veryfast", "crf": "20", "g": "12", "threads": "1"}
_X265 = {"preset": "ultrafast", "crf": "20"}
_X265_PARAMS = "keyint=12:min-keyint=12:bframes=3:b-adapt=0:pools=none:frame-threads=1:log-level=none"
_VP9 = {"deadline": "realtime", "cpu-used": "8", "g": "12", "crf": "20", "b:v": "0", "threads": "1"}
_B_FRAMES = {**_X264, "x264-params": "bframes=3:b-adapt=0:b-pyramid=normal:scenecut=0"}
_OPEN_GOP = {**_X264, "x264-params": "bframes=3:b-adapt=0:b-pyramid=normal:open-gop=1:scenecut=0"}
_UNEVEN = np.cumsum([0, *([700, 900, 3300, 1000, 1000, 400, 1700, 1000] * 8)])[:60].tolist()
_KEPT = [number for number in range(75) if not 20 <= number < 45 and number not in (50, 51, 60)]  # others are dropped

CLIPS = (
    Clip("b_frames.mp4", options=_B_FRAMES),
    Clip("open_gop.mp4", options=_OPEN_GOP),
    Clip("open_gop.mkv", options=_OPEN_GOP),
    Clip("open_gop.ts", options=_OPEN_GOP),
    Clip("no_b_frames.flv", options={**_X264, "bf": "0"}),
    Clip("variable_rate.mp4", options=_B_FRAMES, pts=_UNEVEN, time_base=24_000),
    Clip("edit_list.mp4", options=_B_FRAMES, shift=-5, container_options={"avoid_negative_ts": "disabled"}),
    Clip("start_offset.mp4", options=_B_FRAMES, shift=20),
    Clip("start_offset.mkv", options=_B_FRAMES, shift=20),
    Clip("rotated_90.mp4", options=_X264, rotation=(90, False), frames=20),
    Clip("rotated_180.mp4", options=_X264, rotation=(180, False), frames=20),
    Clip("rotated_270.mp4", options=_X264, rotation=(270, False), frames=20),
    Clip("mirrored_90.mp4", options=_X264, rotation=(90, True), frames=20),
    Clip("wide_pixels.mp4", options=_X264, pixel_aspect=Fraction(16, 11), frames=20),
    Clip("tall_pixels_90.mkv", options=_X264, pixel_aspect=Fraction(3, 4), rotation=(90, False), frames=20),
    Clip("full_range.mp4", options=_X264, full_range=True, frames=20),
    Clip("odd_size.mp4", options=_X264, pix_fmt="yuv444p", size=(163, 97), frames=20),
    Clip("one_frame.mp4", options=_X264, frames=1),
    Clip("sound_goes_on.mp4", options=_B_FRAMES, sound_s=6),
    Clip("index_first.mp4", options=_B_FRAMES, container_options={"movflags": "+faststart"}),
    Clip("interlaced.ts", options={**_X264, "x264-params": "bframes=3:b-adapt=0:interlaced=1"}),
    Clip("open_gop_hevc.mov", codec="libx265", options={**_X265, "x265-params": f"{_X265_PARAMS}:open-gop=1"}),
    Clip(
        "ten_bit_hevc.mp4", "libx265", options={**_X265, "x265-params": _X265_PARAMS}, pix_fmt="yuv420p10le", frames=30
    ),
    Clip("hdr_pq.mp4", "libx265", 20, options=_X265, pix_fmt="yuv420p10le", transfer=16),
    Clip("hdr_hlg.mov", "libx265", 20, options=_X265, pix_fmt="yuv420p10le", transfer=18),
    Clip("vp9_odd_size.webm", "libvpx-vp9", options=_VP9, size=(159, 93)),
    Clip(
        "vp8_hidden_frames.webm",
        "libvpx",
        options={**_VP9, "deadline": "good", "auto-alt-ref": "1", "lag-in-frames": "16", "b:v": "400k"},
    ),
    Clip("mpeg4.avi", "mpeg4", options={"g": "12", "qscale": "3", "flags": "+qscale"}),
    Clip("mpeg4_b_frames.avi", "mpeg4", options={"g": "12", "bf": "2", "qscale": "3", "flags": "+qscale"}),
    Clip("h264_b_frames.avi", options=_B_FRAMES),
    Clip("dropped_frames.avi", options={**_X264, "bf": "0"}, frames=47, rate=25, pts=_KEPT, time_base=25),
    Clip("dropped_b_frames.avi", options=_B_FRAMES, frames=47, rate=25, pts=_KEPT, time_base=25),
    Clip(
        "dropped_b_frames_mpeg4.avi",
        "mpeg4",
        47,
        25,
        {"g": "12", "bf": "2", "qscale": "3", "flags": "+qscale"},
        pts=_KEPT,
        time_base=25,
    ),
    Clip("mjpeg.avi", "mjpeg", options={"qmin": "2", "qmax": "3"}, pix_fmt="yuvj420p", frames=20),
    Clip("mpeg2.mpg", "mpeg2video", options={"g": "12", "bf": "2", "qmin": "2", "qmax": "4"}, rate=25),
    Clip("wmv.asf", "wmv2", options={"g": "12", "qmin": "2", "qmax": "4"}),
    Clip("elementary.h264", options=_B_FRAMES),
    Clip("animation.gif", "gif", pix_fmt="rgb8", frames=20, rate=25),
)


def make_clip(clip: Clip, path: Path) -> None:
    """Encode one clip, the same bytes every time."""
    images = (draw_barcode(number, *clip.size) for number in range(clip.frames))
    encode(clip, images, path)


def encode(clip: Clip, images: Iterable[NDArray[np.uint8]], path: Path) -> None:
    """Encode images, each uint8 (height, width, 3) BGR, as the clip says."""
    time_base = Fraction(1, clip.time_base or clip.rate)
    options = {"fflags": "+bitexact", **clip.container_options}
    with _scheduled_as_before(), av.open(str(path), "w", container_options=options) as container:
        stream = container.add_stream(clip.codec, rate=clip.rate, options=dict(clip.options))
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = *clip.size, clip.pix_fmt
        stream.codec_context.time_base = time_base
        stream.codec_context.sample_aspect_ratio = clip.pixel_aspect
        stream.codec_context.color_range = 2 if clip.full_range or clip.pix_fmt.startswith("yuvj") else 1
        if clip.transfer is not None:
            context = stream.codec_context
            context.color_trc, context.color_primaries, context.colorspace = clip.transfer, 9, 9
        if clip.rotation != (0, False):
            stream.set_display_rotation(clip.rotation[0], hflip=clip.rotation[1])
        sound = _add_sound(container, clip.sound_s) if clip.sound_s else None
        data = [container.add_data_stream("bin_data") for _ in range(clip.data_tracks)]
        if clip.time_code is not None:
            container.metadata["timecode"] = clip.time_code
        for number, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame = frame.reformat(format=clip.pix_fmt, dst_color_range=stream.codec_context.color_range)
            frame.color_range = stream.codec_context.color_range
            if clip.transfer is not None:
                frame.color_trc, frame.color_primaries, frame.colorspace = clip.transfer, 9, 9
            frame.pts = number if clip.pts is None else clip.pts[number]
            frame.time_base = time_base
            _mux(container, stream.encode(frame), clip, time_base)
        _mux(container, stream.encode(None), clip, time_base)
        for track in data:
            _mux_data(container, track, clip)
        if sound is not None:
            sound()


@contextmanager
def _scheduled_as_before() -> Iterator[None]:
    """SVT-AV1, run as root, gives the thread that calls it real-time priority; what that starts would halt the rest."""
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    yield
    os.sched_setscheduler(0, policy, parameters)


def encode_stretches(codec: str, stretches: Sequence[Sequence[NDArray[np.uint8]]], path: Path, rate: int = 25) -> None:
    """Encode a recording whose pictures change their size, as those of calls do.

    Args:
        codec: encoder of a format that states the size in the pictures themselves.
        stretches: images of one size each, uint8 (height, width, 3) BGR, one stretch after the other.
        path: of the file, whose ending chooses the container.
        rate: frames/s.
    """
    options = {"libx264": _X264, "libvpx": {**_VP9, "b:v": "2M"}}.get(codec, {})
    with av.open(str(path), "w", container_options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(codec, rate=rate)
        assert isinstance(stream, VideoStream)
        stream.height, stream.width = stretches[0][0].shape[:2]
        stream.pix_fmt = "yuv420p"
        number = 0
        for images in stretches:
            encoder = av.CodecContext.create(codec, "w")
            assert isinstance(encoder, VideoCodecContext)
            encoder.height, encoder.width = images[0].shape[:2]
            encoder.pix_fmt, encoder.options = "yuv420p", dict(options)
            encoder.time_base, encoder.framerate = Fraction(1, rate), Fraction(rate)
            for image in [*images, None]:
                frame = None if image is None else av.VideoFrame.from_ndarray(image, format="bgr24")
                if frame is not None:
                    frame.pts, frame.time_base, number = number, Fraction(1, rate), number + 1
                for packet in encoder.encode(frame):
                    packet.stream = stream
                    container.mux(packet)


def _mux_data(container: OutputContainer, track: DataStream, clip: Clip) -> None:
    for number in range(clip.frames // 10):
        packet = Packet(b"sensor" * 20)
        packet.pts = packet.dts = number * 10
        packet.time_base, packet.stream = Fraction(1, clip.rate), track
        container.mux(packet)


def _mux(container: OutputContainer, packets: Iterable[Packet[VideoStream]], clip: Clip, time_base: Fraction) -> None:
    for packet in packets:
        shift = round(clip.shift * time_base / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts + shift
        packet.dts = None if packet.dts is None else packet.dts + shift
        container.mux(packet)


def _add_sound(container: OutputContainer, seconds: float) -> Callable[[], None]:
    """Add a 440 Hz tone; the returned function writes it."""
    rate = 44_100
    stream = container.add_stream("aac", rate=rate, layout="mono")
    assert isinstance(stream, AudioStream)

    def write() -> None:
        tone = 0.1 * np.sin(2 * np.pi * 440 / rate * np.arange(int(seconds * rate)))
        for start in range(0, len(tone) - 1024, 1024):
            frame = av.AudioFrame.from_ndarray(
                tone[None, start : start + 1024].astype(np.float32), format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))

    return write


def make_sound(path: Path) -> None:
    """Write a second of sound without any picture."""
    with av.open(str(path), "w", container_options={"fflags": "+bitexact"}) as container:
        _add_sound(container, 1.0)()
