"""Times that a container lacks, repeats or begins anew."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from emotion_timeline.media.packets import NO_PTS, PacketIndex, monotone_times
from emotion_timeline.media.plan import plan
from tests.clips import read_all
from tests.media.make import read_barcode

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
        ([_NO] * 4, 0, [0, 7, 14, 21]),
        ([-80, -40, 0, 40, 1000, 1040], 2, [0, 40, 1000, 1040, 1080, 1120]),
        ([5], 3, [5]),
    ],
    ids=["repeats", "repeats often", "steps back", "is missing", "begins anew", "begins anew and repeats", "no times",
         "reordered", "one picture"],
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
