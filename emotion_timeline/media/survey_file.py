"""Keep a survey in a file: a recording is read from end to end once, however many movies are made of it."""

import json
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from emotion_timeline.media.packets import PacketIndex
from emotion_timeline.media.survey import Survey, VideoInfo

_FORMAT = 1  # files of others are not read


def write_survey(path: Path, survey: Survey) -> None:
    """Store a survey, a byte or two for each frame: timestamps as differences, which repeat."""
    index = survey.index
    stated = {
        "format": _FORMAT,
        "info": asdict(survey.info),
        "time_base": [survey.time_base.numerator, survey.time_base.denominator],
        "reorder_depth": survey.reorder_depth,
        "last_duration": index.last_duration,
    }
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            stated=np.frombuffer(json.dumps(stated).encode(), np.uint8),
            pts=np.diff(survey.pts, prepend=0),
            packet_pts=np.diff(index.pts, prepend=0),
            packet_dts=np.diff(index.dts, prepend=0),
            keyframe=index.keyframe,
            presented=index.presented,
            second_field=index.second_field,
        )


def read_survey(path: Path) -> Survey | None:
    """A survey as it was stored; None where there is none, or another version stored it."""
    try:
        with path.open("rb") as stored, np.load(stored, allow_pickle=False) as file:
            stated = json.loads(file["stated"].tobytes())
            if stated["format"] != _FORMAT:
                return None
            index = PacketIndex(
                np.cumsum(file["packet_pts"]),
                np.cumsum(file["packet_dts"]),
                file["keyframe"],
                file["presented"],
                file["second_field"],
                stated["last_duration"],
                is_whole=True,
            )
            pts = np.cumsum(file["pts"])
        return Survey(VideoInfo(**stated["info"]), index, pts, Fraction(*stated["time_base"]), stated["reorder_depth"])
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile):
        return None
