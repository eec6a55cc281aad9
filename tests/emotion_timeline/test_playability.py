"""Which recordings browsers play as they are."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from emotion_timeline.media.plan import inspect
from emotion_timeline.playability import plays_in_browsers


@pytest.mark.parametrize(
    "name, plays",
    [
        ("variable_rate.mp4", True),
        ("rotated_90.mp4", True),
        ("full_range.mp4", True),
        ("vp9_odd_size.webm", True),
        ("vp8_hidden_frames.webm", True),
        ("open_gop_hevc.mov", False),
        ("ten_bit_hevc.mp4", False),
        ("odd_size.mp4", False),  # 4:4:4
        ("open_gop.mkv", False),
        ("open_gop.ts", False),
        ("no_b_frames.flv", False),
        ("mpeg4.avi", False),
        ("mpeg2.mpg", False),
        ("wmv.asf", False),
        ("elementary.h264", False),
        ("animation.gif", False),
    ],
)
def test_browsers_play_only_what_they_decode(name: str, plays: bool, clip_path: Callable[[str], Path]) -> None:
    info = asdict(inspect(clip_path(name)))
    assert plays_in_browsers(info) is plays
    assert not plays_in_browsers(info | {"trusted_timestamps": False}), "its times would not be the timeline's"


def test_ten_bit_h264_and_unknown_files_get_a_preview() -> None:
    info = {"container": "mov,mp4,m4a,3gp,3g2,mj2", "codec": "h264", "trusted_timestamps": True}
    assert plays_in_browsers(info | {"pixel_format": "yuv420p"})
    assert not plays_in_browsers(info | {"pixel_format": "yuv420p10le"})
    assert not plays_in_browsers({})


def test_pictures_that_change_their_size_get_a_preview() -> None:
    """Each browser shows them in its own way, and not where the boxes are."""
    info = {"container": "matroska,webm", "codec": "vp8", "pixel_format": "yuv420p", "trusted_timestamps": True}
    info |= {"width": 640, "height": 360}
    assert plays_in_browsers(info | {"picture_sizes": [[640, 360]]})
    assert not plays_in_browsers(info | {"picture_sizes": [[360, 640], [640, 360]]})
    assert not plays_in_browsers(info | {"picture_sizes": [[320, 180]]}), "those outside the analysed part differ"
