"""A recording's sound, as movies get it: where it lay in time, and silence where there was none."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from emotion_timeline.media.plan import plan
from emotion_timeline.media.sound import RATE_HZ, read_sound
from tests.clips import CLIP_BY_NAME
from tests.media.make import make_clip


def test_sound_lies_where_it_lay_and_ends_with_the_pictures(tmp_path: Path) -> None:
    clip = replace(CLIP_BY_NAME["sound_goes_on.mp4"], name="late.mp4", shift=20)
    make_clip(clip, tmp_path / clip.name)
    planned = plan(tmp_path / clip.name)
    origin_s = planned.origin_pts * planned.time_base
    assert float(origin_s) == pytest.approx(20 / 24, abs=1e-3)
    samples = np.concatenate(list(read_sound(tmp_path / clip.name, origin_s, planned.info.duration_s)), axis=1)
    assert samples.shape == (2, round(planned.info.duration_s * RATE_HZ))
    tone = 0.1 * np.sin(2 * np.pi * 440 * (np.arange(RATE_HZ) / RATE_HZ + float(origin_s)))
    assert np.corrcoef(samples[0, :RATE_HZ], tone)[0, 1] > 0.99, "a tenth of a millisecond's shift would give 0.96"


def test_gaps_and_a_late_start_of_sound_are_silence(tmp_path: Path) -> None:
    path = tmp_path / "gap.mkv"
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("mpeg4", rate=10)
        pictures.width, pictures.height = 64, 64
        track = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        for number in range(30):
            container.mux(pictures.encode(VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="bgr24")))
            if 5 <= number < 10 or number >= 20:
                frame = av.AudioFrame.from_ndarray(np.full((1, 800), 8000, np.int16), format="s16", layout="mono")
                frame.sample_rate, frame.pts, frame.time_base = 8000, number * 800, Fraction(1, 8000)
                container.mux(track.encode(frame))
        container.mux(pictures.encode(None))
        container.mux(track.encode(None))
    samples = np.concatenate(list(read_sound(path, Fraction(0), 3.0)), axis=1)
    loud = np.abs(samples[0, RATE_HZ // 20 :: RATE_HZ // 10]) > 0.1
    assert [int(tenth) for tenth in np.flatnonzero(loud)] == [5, 6, 7, 8, 9, *range(20, 30)]
