"""Times that a container lacks, repeats or begins anew."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from emotion_timeline.media.packets import NO_PTS, PacketIndex, monotone_times
from emotion_timeline.media.plan import plan
from tests.clips import CLIP_BY_NAME, read_all
from tests.media.make import make_clip, read_barcode

_NO = int(NO_PTS)


@pytest.mark.parametrize(
    ("stated", "delay", "times"),
    [
        ([0, 40, 80, 80, 160, 200], 0, [0, 40, 80, 120, 160, 200]),
        ([0, 40, 40, 40, 200, 240], 0, [0, 40, 93, 146, 200, 240]),
        ([0, 40, 95, 90, 160, 200], 0, [0, 40, 95, 127, 160, 200]),
        ([0, 40, _NO, 120, 160], 0, [0, 40, 80, 120, 160]),
        ([*range(0, 800, 40), *range(0, 400, 40)], 0, list(range(0, 1200, 40))),
        ([0, 40, 1000, 1040, *range(5, 405, 40), 405, 405, 485], 0,
         [0, 40, 1000, 1040, *range(1080, 1480, 40), 1480, 1520, 1560]),
        ([0, 40, 80, 36_000_000, 160, 200], 0, [0, 40, 80, 120, 160, 200]),
        ([0, 40, 80, 36_000_000, 36_000_040, _NO, 240, 280], 0, [0, 40, 80, 120, 160, 200, 240, 280]),
        ([0, 40, 80, 36_000_000, 36_000_040, 36_000_080], 0, [0, 40, 80, 36_000_000, 36_000_040, 36_000_080]),
        ([_NO] * 4, 0, [0, 7, 14, 21]),
        ([-80, -40, 0, 40, 1000, 1040], 2, [0, 40, 1000, 1040, 1080, 1120]),
        ([5], 3, [5]),
    ],
    ids=["repeats", "repeats often", "steps back", "is missing", "begins anew", "begins anew and repeats", "strays",
         "strays and is missing", "leaps for good", "no times", "reordered", "one picture"],
)  # fmt: skip
def test_times_that_are_right_are_kept(stated: list[int], delay: int, times: list[int]) -> None:
    dts = np.array(stated, np.int64)
    flags = np.ones(len(dts), np.bool_)
    index = PacketIndex(np.full_like(dts, NO_PTS), dts, flags, flags, ~flags, 0, is_whole=True)
    assert monotone_times(index, 7, delay).tolist() == times


def test_a_frame_with_anothers_time_shifts_no_other(clip_path: Callable[[str], Path], tmp_path: Path) -> None:
    """As recorders of screens and conferences write."""
    path = tmp_path / "repeats.mkv"
    with av.open(str(clip_path("no_b_frames.flv"))) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        last = 0
        for number, packet in enumerate(source.demux(video=0)):
            if packet.size:
                if number in (7, 20, 41):
                    packet.pts = packet.dts = last
                last, packet.stream = packet.pts or 0, stream
                target.mux(packet)
    frames = read_all(path, plan(path))
    assert [read_barcode(frame.luma) for frame in frames if frame.luma is not None] == list(range(60))
    assert [frame.timestamp_s for frame in frames] == pytest.approx([number / 24 for number in range(60)], abs=3e-3)


@pytest.mark.parametrize("number", [5, 30, 55])
@pytest.mark.parametrize("stray_s", [0, 36_000])
def test_a_frame_with_a_stray_time_costs_no_other(
    number: int, stray_s: int, clip_path: Callable[[str], Path], tmp_path: Path
) -> None:
    """As a recorder writes whose clock is set while it records."""
    path = tmp_path / "stray.flv"
    path.write_bytes(_with_time(clip_path("no_b_frames.flv").read_bytes(), number, stray_s * 1000))
    frames = read_all(path, plan(path))
    assert [read_barcode(frame.luma) for frame in frames if frame.luma is not None] == list(range(60))
    assert [frame.timestamp_s for frame in frames] == pytest.approx([number / 24 for number in range(60)], abs=3e-3)


def test_times_of_decoding_serve_where_those_of_presentation_are_missing(tmp_path: Path) -> None:
    """As surveillance recorders write, and servers that pass a stream on."""
    path = tmp_path / "reordered.flv"
    make_clip(replace(CLIP_BY_NAME["b_frames.mp4"], name=path.name), path)
    content = bytearray(path.read_bytes())
    for place in _pictures(content):
        content[place + 13 : place + 16] = bytes(3)  # how much later than decoded it is shown
    path.write_bytes(content)
    frames = read_all(path, plan(path))
    assert [read_barcode(frame.luma) for frame in frames if frame.luma is not None] == list(range(60))
    assert [frame.timestamp_s for frame in frames] == pytest.approx([number / 24 for number in range(60)], abs=3e-3)


def _with_time(flv: bytes, number: int, time_ms: int) -> bytes:
    """An FLV file in which one picture has another time."""
    content, place = bytearray(flv), _pictures(flv)[number]
    content[place + 4 : place + 8] = (time_ms & 0xFFFFFF).to_bytes(3, "big") + bytes([time_ms >> 24])
    return bytes(content)


def _pictures(flv: bytes | bytearray) -> list[int]:
    """Where the tags of an FLV file begin that hold pictures."""
    places, place = [], 13
    while place < len(flv):
        if flv[place] == 9 and flv[place + 12] == 1:  # and no description of the codec
            places.append(place)
        place += 11 + int.from_bytes(flv[place + 1 : place + 4], "big") + 4
    return places
