"""Write MP4 files that browsers play: H.264 pictures that keep their own times, and AAC sound.

No B-frames: then pictures are stored in the order of their times, and the first lies at 0 without an edit list.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.error import FFmpegError
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from emotion_timeline.media.sound import RATE_HZ, Samples

_UNITS = 90_000  # a second: the clock of MPEG, fine enough for every frame rate
_LONGEST = 6 * 3600 * _UNITS  # that a picture can stand: MP4 has 31 bits for it
_KEYFRAME_S = 2.0
_FASTEST = 240  # frames/s; for the encoder's bookkeeping only
_SOUND_BITS = 128_000  # a second


class Movie:
    """A file being written; a context manager, within which pictures are added in the order of time."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        size: tuple[int, int],
        rate: float | None,
        quality: int,
        sound: Iterator[Samples],
        threads: int | None = None,
    ) -> None:
        """Opens the file.

        Args:
            path: of the file, which is overwritten.
            size: width and height in pixels, both even.
            rate: about how many pictures a second; None where unknown.
            quality: x264's crf: 18 can hardly be told from the original, 28 looks cheap.
            sound: from emotion_timeline.media.sound; it is taken as pictures come, so memory stays flat.
            threads: for encoding; None leaves it to the encoder.
        """
        self._path, self._is_finished = path, False
        self._sound, self._samples = sound, 0
        self._block = next(sound, None)
        self._file = av.open(os.fspath(path), "w", format="mp4", container_options={"movflags": "+faststart"})
        self._pictures = self._add_pictures(size, rate, quality, threads)
        self._track = self._add_track() if self._block is not None else None
        self._scaler = VideoReformatter()
        self._pending: VideoFrame | None = None  # its duration is known when the next one comes
        self._next_pts, self._keyframe_pts = 0, -_KEYFRAME_S * _UNITS

    def _add_pictures(
        self, size: tuple[int, int], rate: float | None, quality: int, threads: int | None
    ) -> VideoStream:
        options = {
            "preset": "veryfast",
            "crf": str(quality),
            "bf": "0",
            "forced-idr": "1",
            "threads": str(threads or 0),
        }
        nominal = Fraction(min(max(rate or 25, 1), _FASTEST)).limit_denominator(1001)
        stream = self._file.add_stream("libx264", rate=nominal, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, _UNITS)
        context.flags |= Flags.frame_duration  # or the last picture would last as long as usual
        context.gop_size = round(nominal * 60)  # far away: keyframes are set by time
        context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        return stream

    def _add_track(self) -> AudioStream:
        stream = self._file.add_stream("aac", rate=RATE_HZ, layout="stereo", bit_rate=_SOUND_BITS)
        assert isinstance(stream, AudioStream)
        return stream

    def __enter__(self) -> Self:
        return self

    def add(self, image: NDArray[np.uint8], timestamp_s: float) -> None:
        """Append a picture, after the sound that is due before it.

        Args:
            image: uint8 (height, width, 3), BGR.
            timestamp_s: seconds from the start, more than the one before.
        """
        frame = self._scaler.reformat(
            VideoFrame.from_ndarray(image, format="bgr24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )
        pts = max(round(timestamp_s * _UNITS), self._next_pts)
        self._next_pts = pts + 1
        frame.pts, frame.time_base = pts, Fraction(1, _UNITS)
        if pts >= self._keyframe_pts + _KEYFRAME_S * _UNITS:
            frame.pict_type, self._keyframe_pts = PictureType.I, pts
        self._write_pending(pts)
        self._pending = frame
        self._write_sound(timestamp_s)

    def finish(self, end_s: float) -> None:
        """Write what is left, and the index.

        Args:
            end_s: until when the last picture is shown.
        """
        self._write_pending(round(end_s * _UNITS))
        self._file.mux(self._pictures.encode(None))
        self._write_sound(float("inf"))
        if self._track is not None:
            self._file.mux(self._track.encode(None))
        self._file.close()
        self._is_finished = True

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Close the file; one that was not finished is removed, or closing would bring its index to its front first."""
        if not self._is_finished:
            with suppress(OSError, FFmpegError):
                os.unlink(self._path)
            with suppress(OSError, FFmpegError):
                self._file.close()

    def _write_pending(self, until_pts: int) -> None:
        if self._pending is None:
            return
        frame, pts = self._pending, self._pending.pts or 0
        while pts + _LONGEST < until_pts:  # one that stands for longer is shown again
            frame.duration = _LONGEST
            self._file.mux(self._pictures.encode(frame))
            pts += _LONGEST
            frame.pts, frame.pict_type = pts, PictureType.I
        frame.duration = max(until_pts - pts, 1)
        self._file.mux(self._pictures.encode(frame))
        self._pending = None

    def _write_sound(self, until_s: float) -> None:
        while self._track is not None and self._block is not None and self._samples <= until_s * RATE_HZ:
            frame = AudioFrame.from_ndarray(np.ascontiguousarray(self._block), format="fltp", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, self._samples, Fraction(1, RATE_HZ)
            self._file.mux(self._track.encode(frame))
            self._samples += self._block.shape[1]
            self._block = next(self._sound, None)
