"""A short session with everything in it that a timeline can have, for the tests of exports."""

import io
from collections.abc import Iterator

import numpy as np
import pandas as pd
from sqlalchemy.orm import Session

from emotion_timeline.db import videos
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Video
from emotion_timeline.exports import long, parquet, summaries, tidy
from emotion_timeline.exports.dictionary import LONG, NOTES, PARQUET, PER_SECOND, TIDY, Export
from emotion_timeline.observations import OBSERVATION, Observations, Status, blank
from tests.records import add, analyse, planned

FILENAME = '=cmd|"x",\nunser Gespräch.mp4'
FRAMES = 48  # at uneven times over some four seconds, with nothing in the third one
_FACES = 3


def session_rows() -> Observations:
    """Three faces in different places, one nearly always there, the others now and then, one of these often too small;
    frames without a face, and some that could not be decoded."""
    random = np.random.default_rng(7)
    times = np.sort(np.round(random.uniform(0, 4.4, FRAMES), 4))
    times[(times >= 2) & (times < 3)] += 1
    times = np.sort(times)
    times[0], times[20] = 0.0, 0.9999997  # the CSV has this one as 1.000000
    times.sort()
    blocks = [np.zeros(0, OBSERVATION)]
    for frame, time in enumerate(times.tolist()):
        present = [face for face in range(_FACES) if (face == 0 and frame % 7) or (face and (frame + face) % 4 == 0)]
        block = blank(max(1, len(present)))
        block["frame"], block["timestamp_s"] = frame, time
        for place, face in enumerate(present):
            block["face"][place], block["tracklet"][place] = place, face
            block["confidence"][place], block["box"][place] = random.uniform(0.6, 1), (10 + 200 * face, 20, 50.5, 60)
            block["status"][place] = Status.TOO_SMALL if face == 2 and frame % 3 else Status.OK
            if block["status"][place] == Status.OK:
                block["probabilities"][place] = random.dirichlet(np.ones(7))
        if not present and frame % 2:
            block["status"] = Status.DECODE_ERROR
        blocks.append(block)
    return np.concatenate(blocks)


def finished(
    database: Database,
    rows: Observations,
    filename: str = FILENAME,
    segments: int = 3,
    clip_end_s: float | None = None,
) -> str:
    """A video that is done, with these rows in this many segments; its id, which reads like a formula."""
    info = {"duration_s": 5.0, "frame_count": FRAMES}
    video_id = add(database, "+first", filename=filename, model_version="@paper-1", info=info, clip_end_s=clip_end_s)
    parts = [rows[np.isin(rows["frame"], part)] for part in np.array_split(np.unique(rows["frame"]), segments)]
    analyse(database, video_id, planned(parts, clip_end_s or 5.0), parts, info)
    return video_id


def once(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of a tidy CSV that count: of a face's rows in one frame the better one, with the higher confidence."""
    ranked = rows.assign(_rank=rows["status"].map(["ok", "too_small", "no_face", "decode_error"].index))
    ordered = ranked.sort_values(["_rank", "confidence"], ascending=[True, False], kind="stable")
    counting = ordered.drop_duplicates(["frame", "face_id"]).sort_index()
    return counting.drop(columns="_rank")


def read_back(database: Database, video_id: str, export: Export, *, hidden: bool = False) -> pd.DataFrame:
    """What pandas makes of a file."""
    with database.read() as session:
        content = b"".join(
            piece if isinstance(piece, bytes) else piece.encode()
            for piece in _pieces(session, videos.get(session, video_id), export, hidden)
        )
    if export is PARQUET:
        return pd.read_parquet(io.BytesIO(content))
    return pd.read_csv(io.BytesIO(content), keep_default_na=False, na_values=[""])


def _pieces(session: Session, video: Video, export: Export, hidden: bool) -> Iterator[str] | Iterator[bytes]:
    if export is TIDY:
        return tidy.csv_lines(session, video)
    if export is NOTES:
        return long.note_lines(session, video)
    if export is PARQUET:
        return parquet.parquet(session, video, hidden=hidden)
    lines = {LONG: long.long_lines, PER_SECOND: summaries.second_lines}
    return lines.get(export, summaries.face_lines)(session, video, hidden=hidden)
