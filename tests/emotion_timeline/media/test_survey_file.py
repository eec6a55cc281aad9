"""What is known of a recording's packets, kept in a file."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from emotion_timeline.media.packets import NO_PTS
from emotion_timeline.media.plan import plan
from emotion_timeline.media.survey import survey_video
from emotion_timeline.media.survey_file import read_survey, write_survey


@pytest.mark.parametrize("name", ["open_gop.ts", "dropped_b_frames.avi", "elementary.h264", "edit_list.mp4"])
def test_a_kept_survey_gives_the_same_plan(name: str, clip_path: Callable[[str], Path], tmp_path: Path) -> None:
    path, kept = clip_path(name), tmp_path / "survey.npz"
    survey = survey_video(path)
    write_survey(kept, survey)
    read = read_survey(kept)
    assert read is not None and read.info == survey.info
    for array in ("pts", "dts", "keyframe", "presented", "second_field"):
        assert np.array_equal(getattr(read.index, array), getattr(survey.index, array))
    first, second = plan(path, 0.4, survey=survey), plan(path, 0.4, survey=read)
    assert [{k: np.array(v).tolist() for k, v in asdict(s).items()} for s in first.segments] == [
        {k: np.array(v).tolist() for k, v in asdict(s).items()} for s in second.segments
    ]


def test_missing_times_are_kept_as_such(clip_path: Callable[[str], Path]) -> None:
    """Otherwise the test above would prove nothing about them."""
    assert (survey_video(clip_path("elementary.h264")).index.pts == NO_PTS).any()


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 and no more", b"something else"])
def test_what_is_no_survey_is_made_anew(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "survey.npz"
    if content is not None:
        path.write_bytes(content)
    assert read_survey(path) is None
