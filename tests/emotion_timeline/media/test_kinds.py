"""What phones, cameras, recorders, broadcasters and conferences write: each frame is shown, and at its time."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from emotion_timeline.media.plan import plan
from emotion_timeline.media.survey import glance
from tests.clips import read_all
from tests.media.kinds import KINDS, REFUSED, WHAT, Kind
from tests.media.make import CLIPS, make_clip, read_barcode
from tests.services import REPOSITORY


@pytest.mark.media
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.clip.name)
def test_each_frame_of_every_kind_is_shown_at_its_time(kind: Kind, tmp_path: Path) -> None:
    clip, path = kind.clip, tmp_path / kind.clip.name
    make_clip(clip, path)
    planned = plan(path, segment_s=0.4)
    frames = read_all(path, planned)
    quarters = planned.info.rotation // 90  # barcodes are read as they were drawn
    shown = [read_barcode(np.rot90(frame.luma, quarters)) for frame in frames if frame.luma is not None]
    assert shown == list(range(clip.frames))
    ticks = np.array(clip.pts or range(clip.frames))
    drawn_at = (ticks - ticks[0]) / (clip.time_base or clip.rate)
    assert [frame.timestamp_s for frame in frames] == pytest.approx(drawn_at, abs=1.5e-3)  # ASF rounds twice
    said = json.loads(json.dumps(glance(path), allow_nan=False))
    assert (said["frame_count"], said["width"]) == (clip.frames, planned.info.width)


def test_tables_tell_all_that_is_tested() -> None:
    assert list(WHAT) == [clip.name for clip in CLIPS]
    sources = (REPOSITORY / "emotion_timeline" / "media").glob("*.py")
    codes = {code for path in sources for code in re.findall(r'VideoError\(\s*"(\w+)"', path.read_text())}
    told_elsewhere = {"bad_sample_rate", "too_slow", "too_many_packets", "not_found", "not_a_file", "unreadable"}
    assert set(REFUSED) == codes - told_elsewhere
