"""Videos that are done, with made-up rows over real recordings: for tests of what is made of them."""

from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from shutil import copyfile

import cv2
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from emotion_timeline.config import Settings
from emotion_timeline.db import renders, videos
from emotion_timeline.db.renders import RenderClaim
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Render, RenderKind
from emotion_timeline.durations import interval_s
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.faces.tracking import Linker
from emotion_timeline.media.plan import SegmentPlan, plan
from emotion_timeline.observations import Observations, Status, blank
from emotion_timeline.plan_rows import segment_to_row
from tests.records import analyse_in
from worker.rendering import Job, make

BOX = (40, 20, 50, 44)  # of the one face, in every frame, in displayed pixels
PROBABILITIES = tuple(0.87 if emotion == "happy" else 0.13 / 6 for emotion in EMOTIONS)


def finish_video(
    database: Database,
    settings: Settings,
    path: Path,
    video_id: str = "v",
    sample_hz: float | None = None,
    rotate: int = 0,
) -> str:
    """A video of this recording that is done, with one face that is happy all the time."""
    settings.recordings_dir.mkdir(parents=True, exist_ok=True)
    copyfile(path, settings.recording(video_id))
    planned = plan(path, settings.segment_s, sample_hz, rotate=rotate)
    digest = sha256(path.read_bytes() + video_id.encode()).hexdigest()
    size_bytes, info = path.stat().st_size, asdict(planned.info)
    new = videos.NewVideo(video_id, path.name, size_bytes, digest, sample_hz, "paper", "paper-1", info, rotate=rotate)
    segments = [segment_to_row(segment) for segment in planned.segments]
    with database.write() as session:
        videos.create(session, new)
        analyse_in(session, video_id, segments, map(_rows, planned.segments), info)
    return video_id


def _rows(segment: SegmentPlan) -> Observations:
    rows = blank(len(segment.frames))
    unit_s = segment.time_base_numerator / segment.time_base_denominator
    rows["frame"], rows["timestamp_s"] = segment.frames, (segment.pts - segment.origin_pts) * unit_s
    rows["face"], rows["status"], rows["confidence"] = 0, Status.OK, 0.9
    rows["box"], rows["probabilities"] = BOX, PROBABILITIES
    rows["tracklet"] = Linker(interval_s(vars(segment))).link(rows)
    return np.asarray(rows)


def claim_render(database: Database, video_id: str, kind: RenderKind, lease_s: float = 60) -> RenderClaim | None:
    with database.write() as session:
        render = session.scalars(select(Render).where(Render.video_id == video_id, Render.kind == kind)).one()
        return renders.claim(session, render.id, lease_s, 3)


def make_render(database: Database, settings: Settings, video_id: str, kind: RenderKind) -> Path:
    """Make it in this process; the video's folder of derived files."""
    with database.write() as session:
        renders.order(session, video_id, kind)
    claim = claim_render(database, video_id, kind)
    assert claim is not None
    make(Job(database, settings, claim, lambda frames_done: None, lambda: False))
    return settings.derived(video_id)


def read_picture(path: Path) -> NDArray[np.uint8]:
    return np.asarray(cv2.imread(str(path)), np.uint8)
