"""The sound of a recording, on the timeline: 48 kHz stereo from the first frame to the end of the last.

What comes before is cut off, gaps are silence, so that sound and pictures stay together in whatever is made of them.
"""

from __future__ import annotations  # PyAV's Packet is generic for type checkers only

import os
from collections.abc import Generator, Iterator
from fractions import Fraction
from itertools import chain

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from emotion_timeline.media.containers import UNREADABLE, open_video, read_packets

RATE_HZ = 48_000
_BLOCK = 1024  # samples of silence at a time
_TOLERANCE = RATE_HZ // 20  # samples; containers round timestamps, and a resampler holds some samples back

Samples = NDArray[np.float32]
"""float32 (2, n): left and right, -1 to 1."""


def read_sound(path: str | os.PathLike[str], origin_s: Fraction, end_s: float) -> Generator[Samples]:
    """Decode the first sound track.

    Args:
        path: the recording.
        origin_s: timestamp of the first frame, in the container's seconds.
        end_s: where the sound shall end, seconds from the first frame.

    Yields:
        The samples without a gap, in blocks; nothing where there is no sound that can be decoded.

    Raises:
        VideoError: the file can't be opened any more.
    """
    position, end = 0, round(end_s * RATE_HZ)
    for start, block in _decoded(path, origin_s):
        if start >= end:
            return
        block = block[:, max(position - start, 0) : end - start]
        while block.shape[1] and position < start:
            silence = np.zeros((2, min(_BLOCK, start - position)), np.float32)
            position += silence.shape[1]
            yield silence
        if block.shape[1]:
            position += block.shape[1]
            yield block
        if position >= end:
            return


def _decoded(path: str | os.PathLike[str], origin_s: Fraction) -> Iterator[tuple[int, Samples]]:
    """Blocks, each with the place of its first sample on the timeline."""
    with open_video(path) as (container, _):
        if not container.streams.audio or getattr(container.streams.audio[0], "codec_context", None) is None:
            return
        resampler, kind = None, None
        following: int | None = None
        for frame in _frames(container, container.streams.audio[0]):
            if resampler is None or kind != (frame.format.name, frame.layout.name, frame.sample_rate):
                resampler = AudioResampler("fltp", "stereo", RATE_HZ)  # it takes one kind of sound only
                kind = (frame.format.name, frame.layout.name, frame.sample_rate)
            if frame.pts is not None and frame.time_base:
                stated = round((frame.pts * frame.time_base - origin_s) * RATE_HZ)
                if following is None or abs(stated - following) > _TOLERANCE:
                    following = stated
            frame.pts = None
            try:
                resampled = resampler.resample(frame)
            except UNREADABLE:
                continue  # a layout of channels that has no place in stereo
            for part in resampled:
                samples = np.asarray(part.to_ndarray(), np.float32)
                following = following or 0
                yield following, samples
                following += samples.shape[1]


def _frames(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    for packet in chain(read_packets(container, stream), [None]):
        try:
            yield from stream.codec_context.decode(packet)
        except UNREADABLE:
            continue  # damaged sound is silence
