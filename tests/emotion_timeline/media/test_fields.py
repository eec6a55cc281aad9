"""Interlaced H.264 that is coded by fields: one frame for two of them, at the time of the first."""

from pathlib import Path

import numpy as np
import pytest

from emotion_timeline.media.plan import plan
from tests.clips import assert_same_frames, decode_straight, read_all
from tests.media.make import read_barcode
from tests.media.paff import FRAME_RATE, write_paff

_FRAMES = 40


@pytest.mark.parametrize(
    ("name", "one_timestamp"), [("a.ts", False), ("b.ts", True), ("c.mp4", False), ("d.mkv", False)]
)
def test_two_fields_are_one_frame_at_the_time_of_the_first(name: str, one_timestamp: bool, tmp_path: Path) -> None:
    path = write_paff(tmp_path / name, _FRAMES, one_timestamp=one_timestamp)
    video_plan = plan(path, segment_s=0.4)
    frames = read_all(path, video_plan)
    assert [read_barcode(frame.luma) for frame in frames if frame.luma is not None] == list(range(_FRAMES))
    assert [frame.timestamp_s for frame in frames] == pytest.approx(np.arange(_FRAMES) / FRAME_RATE, abs=1e-3)
    assert len(video_plan.segments) == 4
    assert (video_plan.info.frame_count, video_plan.info.keyframes) == (_FRAMES, _FRAMES)
    assert video_plan.info.duration_s == pytest.approx(_FRAMES / FRAME_RATE, abs=2e-3)
    assert len(decode_straight(path)) == _FRAMES  # the clip is what it claims to be
    assert_same_frames(frames, read_all(path, plan(path, segment_s=1e6)))


def test_nothing_is_decoded_to_tell_fields_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("decoded again, as if it were damaged")

    monkeypatch.setattr("emotion_timeline.media.decoding._find_damage", refuse)
    path = write_paff(tmp_path / "fields.ts", _FRAMES)
    assert len(read_all(path, plan(path, segment_s=0.4))) == _FRAMES


def test_damage_to_a_field_costs_its_frame_only(tmp_path: Path) -> None:
    path = write_paff(tmp_path / "fields.mp4", _FRAMES)
    content = bytearray(path.read_bytes())
    at = content.index(b"mdat") + 21 * (len(content) - content.index(b"mdat")) // _FRAMES
    content[at : at + 2000] = bytes(2000)
    path.write_bytes(content)
    frames = read_all(path, plan(path, segment_s=0.4))
    assert [frame.index for frame in frames] == list(range(_FRAMES))
    shown = {frame.index: read_barcode(frame.luma) for frame in frames if frame.luma is not None}
    assert shown == {index: index for index in shown}
    assert _FRAMES - 3 <= len(shown) < _FRAMES
