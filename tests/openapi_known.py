"""What exists in the service that Schemathesis asks: videos in every state, with all that can belong to them.

It is written into the service's own database by a second application on it. What an operation would use up or change
for the others is made anew for each of its calls, so that deleting never leaves the rest with nothing.
"""

from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from emotion_timeline.db import renders, uploads, videos
from emotion_timeline.db.tables import (
    Delivery,
    DeliveryStatus,
    Note,
    Render,
    RenderKind,
    RenderStatus,
    Segment,
    SegmentStatus,
    Upload,
    Video,
    VideoStatus,
    Webhook,
)
from tests.clips import CLIP_BY_NAME
from tests.media.make import make_clip
from tests.website import HAPPY, NEUTRAL, Website, observations

UPLOAD_BYTES = 100
_ROWS = observations({0: [(0, HAPPY)], 1: [(0, HAPPY), (1, NEUTRAL)], 2: [], 3: [(0, NEUTRAL)]})
_FILES = ("thumbnail.jpg", "faces/1.jpg", "faces/2.jpg", "pictures/1.jpg", "preview.mp4", "overlay.mp4")
_CLIPPED = {"clip_start_s": 0.1, "clip_end_s": 1.5}


class Known:
    """The things that exist, by what asks for them.

    Args:
        folder: of the Website that the service runs on.
    """

    def __init__(self, folder: Path) -> None:
        self._site = Website(folder)
        make_clip(CLIP_BY_NAME["one_frame.mp4"], folder / "clip.mp4")
        self.clip = (folder / "clip.mp4").read_bytes()
        self._makers: dict[str, Callable[[str], str]] = {
            "done": self._done,
            "queued": self._site.queued,
            "running": self._running,
            "failed": self._site.failed,
            "cancelled": self._cancelled,
        }
        self._videos = [make(state) for state, make in self._makers.items()]
        self._videos += [self._done("clip", **_CLIPPED), self._done("gone"), self._analysed_again("again")]
        self._site.settings.recording("gone").unlink()
        self.lasting_webhook = self.webhook()
        uploads_there = (self._receiving(), self._accepted(), self._refused())
        self._turns: dict[str, Iterator[Any]] = {
            "video": cycle(["done", *self._videos]), "upload": cycle(uploads_there), "state": cycle(self._makers),
        }  # fmt: skip
        self._lasting = {*self._videos, *uploads_there, self.lasting_webhook}
        self._number = 0

    def video(self) -> str:
        """One that stays, in any state; more often than others one that is done."""
        return str(next(self._turns["video"]))

    def upload(self) -> str:
        """One that stays, in any state."""
        return str(next(self._turns["upload"]))

    def stays(self, value: object) -> bool:
        """Whether it is the id of something that must not be used up."""
        return value in self._lasting

    def fresh_video(self, state: str | None = None) -> str:
        """A new one, in this state or in each in turn."""
        self._number += 1
        return self._makers[state or next(self._turns["state"])](f"fresh-{self._number}")

    def drawn_video(self) -> str:
        """The one that is done, with the faces drawn over it, whatever has been ordered since."""
        overlay = (Render.video_id == "done") & (Render.kind == RenderKind.OVERLAY)
        with self._site.database.write() as session:
            session.execute(update(Render).where(overlay).values(status=RenderStatus.DONE))
        return "done"

    def note(self) -> str:
        """A new note on the video that is done."""
        path = "/api/v1/videos/done/notes"
        return str(self._site.client.post(path, json={"start_s": 0.5, "text": "task 1"}).get_json()["id"])

    def fresh_upload(self, size_bytes: int = UPLOAD_BYTES) -> str:
        """A new one, of which nothing is here yet."""
        announced = {"Tus-Resumable": "1.0.0", "Upload-Length": str(size_bytes)}
        answer = self._site.client.post("/api/v1/uploads", headers=announced)
        return answer.headers["Location"].rpartition("/")[2]

    def webhook(self) -> str:
        """A new one."""
        answer = self._site.client.post("/api/v1/webhooks", json={"url": "https://example.org"})
        return str(answer.get_json()["id"])

    def delivery(self) -> str:
        """A new one of the webhook that stays, which has arrived."""
        delivery_id = self._site.client.post(f"/api/v1/webhooks/{self.lasting_webhook}/ping").get_json()["id"]
        with self._site.database.write() as session:
            arrived = {"status": DeliveryStatus.DELIVERED, "due_at": None, "delivered_at": videos.now()}
            session.execute(update(Delivery).where(Delivery.id == delivery_id).values(arrived))
        return str(delivery_id)

    def exists(self, name: str, value: object) -> bool:
        """Whether an id is that of something: a link led to it, or it was drawn from an earlier answer."""
        kinds = {"video_id": Video, "upload_id": Upload, "webhook_id": Webhook, "note_id": Note}
        kinds |= {"delivery_id": Delivery}
        if name not in kinds or not isinstance(value, str) or "\0" in value or not value.isascii():
            return False
        with self._site.database.read() as session:
            return session.get(kinds[name], value) is not None

    def _done(self, video_id: str, **changes: Any) -> str:
        self._site.done(_ROWS, video_id, **changes)
        folder = self._site.settings.derived(video_id)
        for name in _FILES:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(bytes(100_000))  # so that ranges drawn at random lie in them
        with self._site.database.write() as session:
            for kind in RenderKind:
                renders.order(session, video_id, kind)
            made = {"status": RenderStatus.DONE, "frames_total": 4, "frames_done": 4, "finished_at": videos.now()}
            session.execute(update(Render).where(Render.video_id == video_id).values(made))
        return video_id

    def _analysed_again(self, video_id: str) -> str:
        """Another analysis of the recording of "done", by another network."""
        return self._done(video_id, sha256="done", model_version="paper-2", filename="clip 2.mp4")

    def _running(self, video_id: str) -> str:
        segment_id = self._site.planned(self._site.queued(video_id), [0, 1, 2])
        at_work = {"status": SegmentStatus.RUNNING, "frames_done": 1, "claimed_at": videos.now()}
        with self._site.database.write() as session:
            session.execute(update(Segment).where(Segment.id == segment_id).values(at_work))
            assert session.scalar(select(Video.status).where(Video.id == video_id)) is VideoStatus.RUNNING
        return video_id

    def _cancelled(self, video_id: str) -> str:
        self._site.queued(video_id)
        with self._site.database.write() as session:
            videos.cancel(session, video_id)
        return video_id

    def _receiving(self) -> str:
        return self.fresh_upload()

    def _accepted(self) -> str:
        upload_id = self.fresh_upload()
        with self._site.database.write() as session:
            uploads.accept(session, upload_id, "done", is_new=False)
        return upload_id

    def _refused(self) -> str:
        upload_id = self.fresh_upload()
        with self._site.database.write() as session:
            uploads.refuse(session, upload_id, 415, "not_a_video", "This is no video.")
        return upload_id
