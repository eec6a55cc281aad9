"""HDR on usual screens: known light becomes known signals."""

import numpy as np
import pytest
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange

from emotion_timeline.media.canvas import Canvas
from emotion_timeline.media.pictures import ColourConverter, PictureConverter
from emotion_timeline.media.tone import HLG, PQ

_PRIMARIES = 9  # BT.2020
# PQ signals of light in cd/m², and HLG's of white on a display of 1,000: ITU-R BT.2408, table 1 and section 2.1.
_PQ_OF = {0: 0.0, 10: 0.3017, 50: 0.4403, 203: 0.5807, 1000: 0.7518, 10_000: 1.0}
_HLG_WHITE = 0.75


def show(signal: tuple[float, float, float], transfer: int, primaries: int = _PRIMARIES) -> tuple[int, int, int]:
    """Red, green and blue shown for a picture of one colour, whose signal is 0-1."""
    stored = np.tile(np.rint(np.array(signal) * 65535).astype(np.uint16), (32, 48, 1))
    frame = VideoFrame.from_ndarray(stored, format="rgb48le").reformat(format="gbrp10le")
    frame.color_trc, frame.color_primaries = transfer, primaries
    bgr = ColourConverter(Canvas(48, 32)).convert(frame)
    assert bgr.shape == (32, 48, 3) and bgr.dtype == np.uint8
    blue, green, red = (int(value) for value in bgr[16, 24])
    return red, green, blue


@pytest.mark.parametrize(("nits", "level"), [(0, 0), (10, 0.285), (50, 0.558), (1000, 1), (10_000, 1)])
def test_light_is_shown_as_it_is_until_highlights_are_rolled_off(nits: int, level: float) -> None:
    """By BT.1886's gamma of 2.4, with 203 cd/m² as white."""
    signal = _PQ_OF[nits]
    assert show((signal, signal, signal), PQ) == pytest.approx((level * 255,) * 3, abs=3)


def test_white_is_the_same_in_pq_and_hlg() -> None:
    white = show((_PQ_OF[203],) * 3, PQ)
    assert 200 < white[0] < 235
    assert show((_HLG_WHITE,) * 3, HLG) == pytest.approx(white, abs=3)


def test_colours_of_usual_screens_stay_what_they_are() -> None:
    """BT.709's red at 50 cd/m², by BT.2087 in the primaries of BT.2020."""
    red_2020 = tuple(float(_signal(50 * part)) for part in (0.6274, 0.0691, 0.0164))
    red, green, blue = show((red_2020[0], red_2020[1], red_2020[2]), PQ)
    assert red == pytest.approx(0.558 * 255, abs=4) and max(green, blue) < 25
    red, green, blue = show((_PQ_OF[50], 0, 0), PQ, primaries=1)
    assert red == pytest.approx(0.558 * 255, abs=4) and max(green, blue) < 5


def _signal(nits: float) -> float:
    power = (nits / 10_000) ** 0.1593017578125
    return float(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)


def test_what_is_analysed_is_the_stored_signal() -> None:
    """Networks that learnt from usual pictures see HDR as it is stored; this test says so should that change."""
    grey = np.full((32, 48, 3), 128, np.uint8)
    frame = VideoFrame.from_ndarray(grey, format="bgr24").reformat(format="yuv420p10le")
    luma, small, _ = PictureConverter(48).convert(frame)
    frame.color_trc, frame.color_primaries, frame.color_range = PQ, _PRIMARIES, ColorRange.MPEG
    hdr_luma, hdr_small, _ = PictureConverter(48).convert(frame)
    assert np.array_equal(luma, hdr_luma) and np.array_equal(small, hdr_small)
