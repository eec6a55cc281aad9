"""For the tests of web: an application on a database of its own, and videos in it as a worker would leave them."""

import io
import json
import os
import re
from collections.abc import Mapping, Sequence
from html import unescape
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from emotion_timeline.clip import Clip
from emotion_timeline.config import Settings
from emotion_timeline.db import videos, work
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Base, Segment, Step, Video
from emotion_timeline.observations import OBSERVATION, Observations, Status, blank
from emotion_timeline.service import queue
from tests import databases, records
from tests.services import ASTRONAUT
from web import create_app
from web.http.service import Service, install

INFO = {
    "container": "mov,mp4,m4a,3gp,3g2,mj2", "codec": "h264", "width": 640, "height": 360, "rotation": 0,
    "duration_s": 2.0, "average_rate": 10.0, "real_rate": 10.0, "variable_rate": False, "start_offset_s": 0.0,
    "frame_count": 20, "time_base": "1/10", "pixel_format": "yuv420p", "keyframes": 1, "trusted_timestamps": True,
}  # fmt: skip
RECORDING = b"recording"
SAME_RECORDING: dict[str, Any] = {"sha256": "aa" * 32, "size_bytes": len(RECORDING)}  # what its analyses share
HAPPY = (0.02, 0.03, 0.05, 0.6, 0.1, 0.05, 0.15)
NEUTRAL = (0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.7)


class Website:
    """An application with a test client, and the database and folder that it works on."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        # Celery reads the environment once in a process; wherever its first queue lies, it must not be the repository.
        os.environ.setdefault("TIMELINE_DATA_DIR", str(folder / "data"))
        settings = Settings(data_dir=folder / "data", models_dir=folder / "models", model="paper")
        self.settings = settings.model_copy(update=changes)  # unchecked, so that limits can be made absurd
        self.serve("paper-test")
        if not self.settings.database_url:
            databases.copy_migrated_sqlite(self.settings.data_dir / "timeline.db")
        self.app: Flask = create_app(self.settings)
        self.client: FlaskClient = self.app.test_client()

    @property
    def service(self) -> Service:
        service = self.app.extensions["timeline"]
        assert isinstance(service, Service)
        return service

    @property
    def database(self) -> Database:
        return self.service.database

    def serve(self, version: str, labels: Sequence[str] | None = None) -> None:
        """Put a network of this version, which gives these labels, into the folder that is served."""
        self.settings.model_dir.mkdir(parents=True, exist_ok=True)
        (self.settings.model_dir / "metadata.json").write_text(
            json.dumps({"version": version} | ({} if labels is None else {"labels": labels}))
        )

    def forget_calls(self) -> None:
        """Empty the queue, which all sites of this process share."""
        queue.app.control.purge()

    @property
    def has_called(self) -> bool:
        """Whether a worker was called since."""
        return not queue.queue_is_empty()

    def upload(self, content: bytes | None = None, filename: str = "clip.mp4", **fields: Any) -> Any:
        """POST to the API; the content is that of a real clip unless given."""
        file = (ASTRONAUT.read_bytes() if content is None else content, filename)
        return self.post("/api/v1/videos", {"file": file, **fields})

    def post(self, path: str, fields: dict[str, Any], headers: Mapping[str, str] | None = None) -> Any:
        """POST a form; a field of (bytes, name) is a file. The client's own encoder leaves temporary files open."""
        form = {
            name: FileStorage(io.BytesIO(value[0]), value[1]) if isinstance(value, tuple) else value
            for name, value in fields.items()
        }
        boundary, body = encode_multipart(form)
        content_type = f"multipart/form-data; boundary={boundary}"
        return self.client.post(path, data=body, content_type=content_type, headers=headers)

    def files(self) -> list[str]:
        """What lies in the recordings folder."""
        return sorted(path.name for path in self.settings.recordings_dir.iterdir())

    def rows(self) -> int:
        """Videos in the database."""
        with self.database.read() as session:
            return session.scalar(select(func.count()).select_from(Video)) or 0

    def renew(self) -> None:
        """Make it a site that was just set up and that nobody has asked yet; no other process may be using it."""
        databases.empty(self.database)
        for folder in (self.settings.recordings_dir, self.settings.derived_dir, self.settings.models_dir):
            rmtree(folder, ignore_errors=True)
        self.settings.recordings_dir.mkdir()
        self.serve("paper-test")
        install(self.app.extensions, Service(self.settings, self.database, self.service.version))
        self.client = self.app.test_client()

    def empty(self) -> None:
        """Remove every row and every file, as of a site that was just set up, while its server runs on."""
        with self.database.write() as session:
            for table in reversed(Base.metadata.sorted_tables):
                session.execute(table.delete())
        for path in self.settings.data_dir.rglob("*"):
            if path.is_file() and path.parent != self.settings.data_dir:
                path.unlink()
        rmtree(self.settings.derived_dir, ignore_errors=True)
        self.serve("paper-test")

    def assert_nothing_left(self) -> None:
        assert self.files() == []
        assert self.rows() == 0

    def queued(self, video_id: str = "v", filename: str = "clip.mp4", **changes: Any) -> str:
        """A video that waits, with a recording."""
        fields: dict[str, Any] = {
            "size_bytes": 9,
            "sha256": video_id,
            "sample_hz": None,
            "model": "paper",
            "model_version": "paper-1",
        }
        fields |= {"info": INFO} | changes
        with self.database.write() as session:
            videos.create(session, videos.NewVideo(id=video_id, filename=filename, **fields))
        self.settings.recording(video_id).write_bytes(RECORDING)
        return video_id

    def planned(self, video_id: str, frames: Observations | Sequence[int]) -> int:
        """Plan one segment of these frames, or of those that these rows are of; its id."""
        rows = frames if isinstance(frames, np.ndarray) else records.rows(frames)
        with self.database.write() as session:
            claim = work.claim_step(session, video_id, Step.PLAN, 60, 3)
            assert claim is not None
            video = videos.get(session, video_id)
            _, end_s = Clip(video.clip_start_s, video.clip_end_s).within(video.info["duration_s"])
            work.save_plan(session, claim, records.planned([rows], end_s), video.info)
        with self.database.read() as session:
            return session.scalars(select(Segment.id).where(Segment.video_id == video_id)).one()

    def done(self, observations: Observations, video_id: str = "v", **changes: Any) -> str:
        """A video that is done, with these rows."""
        self.queued(video_id, **changes)
        segment_id = self.planned(video_id, observations)
        records.complete(self.database, segment_id, observations)
        records.finish(self.database, video_id)
        return video_id

    def failed(self, video_id: str = "v", **changes: Any) -> str:
        """A video that failed."""
        self.queued(video_id, **changes)
        with self.database.write() as session:
            assert videos.fail(session, video_id, "crashed", "It stopped <the> process 3 times.")
        return video_id


def observations(frames: Mapping[int, Sequence[tuple[int, Sequence[float]]]]) -> Observations:
    """Rows at 10 frames a second: for every frame the faces in it, as (tracklet, probabilities)."""
    rows: list[Observations] = [np.zeros(0, OBSERVATION)]
    for frame, faces in frames.items():
        block = blank(max(1, len(faces)))
        block["frame"], block["timestamp_s"] = frame, frame / 10
        for place, (tracklet, probabilities) in enumerate(faces):
            block["face"][place], block["tracklet"][place], block["status"][place] = place, tracklet, Status.OK
            block["confidence"][place], block["box"][place] = 0.9, (10 + 200 * tracklet, 20, 50, 60)
            block["probabilities"][place] = probabilities
        rows.append(block)
    return np.concatenate(rows)


TWO_FACES = observations({0: [(0, HAPPY)], 1: [(0, HAPPY), (1, NEUTRAL)], 2: [], 3: [(0, NEUTRAL), (1, NEUTRAL)]})


def assert_problem(response: TestResponse, status: int, code: str) -> str:
    """Check an RFC 9457 answer; returns its sentence."""
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    problem = json.loads(response.get_data())
    assert problem["status"] == status
    assert problem["code"] == code
    assert problem["title"]
    sentence: str = problem["detail"]
    assert sentence.endswith(".")
    return sentence


def text_of(html: str) -> str:
    """What is read on a page: without tags, white space in one piece."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())
