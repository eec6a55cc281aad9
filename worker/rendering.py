"""Make pictures, previews and overlays of a recording: what a claim of emotion_timeline.db.renders is for.

Movies are streamed, a frame at a time, and keep the timeline's times: a frame lies at its presentation time from the
first frame on. A frame that can't be decoded is left out; the one before it stands longer.
"""

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from emotion_timeline import derived
from emotion_timeline.config import Settings
from emotion_timeline.db import renders, timelines, videos
from emotion_timeline.db.renders import RenderClaim
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import RenderKind, Video
from emotion_timeline.durations import longest_stand_s
from emotion_timeline.errors import Stopped, VideoError
from emotion_timeline.media import stills
from emotion_timeline.media.canvas import Canvas, Size
from emotion_timeline.media.containers import UNREADABLE
from emotion_timeline.media.frames import read_pictures
from emotion_timeline.media.movies import Movie
from emotion_timeline.media.overlay import DrawnFace, draw_faces, drawable
from emotion_timeline.media.pictures import ColourConverter
from emotion_timeline.media.plan import SegmentPlan, VideoPlan, plan
from emotion_timeline.media.sound import read_sound
from emotion_timeline.media.stills import Box, Image
from emotion_timeline.media.survey import Survey
from emotion_timeline.media.survey_file import read_survey, write_survey
from emotion_timeline.plan_rows import row_to_segment
from emotion_timeline.views import boxes, subjects
from emotion_timeline.views.boxes import BoxedFace, BoxedFrame

_PREVIEW_PX = 1280  # longest side
_PREVIEW_QUALITY, _OVERLAY_QUALITY = 23, 20  # see Movie
_PAGE = 500  # frames whose faces are read at a time
_SPACE_EVERY = 100  # frames between two looks at the disk
_EARLY_PACKETS = 64  # read for the early thumbnail, at most
_EARLY_PART = 0.1  # of the recording
_SURVEY = "survey.npz"
_log = logging.getLogger(__name__)

Paint = Callable[[int, float, Image], None]
"""Draws on a frame, given its index, its timestamp in seconds and its picture as displayed."""


@dataclass(frozen=True)
class Job:
    """A claim, and all that it takes to do the work.

    Attributes:
        database, settings: the service's.
        claim: what to make.
        on_progress: called with the number of frames that are done.
        should_stop: asked before every frame; must answer at once.
    """

    database: Database
    settings: Settings
    claim: RenderClaim
    on_progress: Callable[[int], None]
    should_stop: Callable[[], bool]

    @property
    def recording(self) -> Path:
        """What to make it of."""
        return self.settings.recording(self.claim.video_id)

    def begin(self, frames_total: int) -> None:
        """Publish how much there is to do."""
        with self.database.write() as session:
            renders.begin(session, self.claim, frames_total)

    def advance(self, frames_done: int) -> None:
        """Publish how much is done, and stop where it must.

        Raises:
            Stopped: the work is not wanted any more, or this worker is told to stop.
            VideoError: the disk is nearly full.
        """
        self.on_progress(frames_done)
        if self.should_stop():
            raise Stopped("The work was stopped before its end.")
        if frames_done % _SPACE_EVERY == 0:
            free_bytes = shutil.disk_usage(self.settings.derived_dir).free
            if free_bytes < self.settings.min_free_bytes:
                raise VideoError("no_space", "There is no room on the server's disk for it. Delete something first.")


def make(job: Job) -> None:
    """Make what is claimed, put its files into their place, and mark it done.

    Raises:
        Stopped: it was asked to stop, or lost; nothing is left.
        LeaseLost: it was lost; nothing is left.
        VideoError: the recording can't be read, or the disk is full.
    """
    makers = {RenderKind.PICTURES: _pictures, RenderKind.PREVIEW: _preview, RenderKind.OVERLAY: _overlay}
    claim, derived_dir = job.claim, job.settings.derived_dir
    with derived.workshop(derived_dir, claim.video_id, claim.kind.value) as folder:
        makers[claim.kind](job, folder)
        derived.sync(folder)
        with job.database.write() as session:
            renders.complete(session, claim)
            derived.place(folder, derived_dir / claim.video_id)


def keep_survey(database: Database, settings: Settings, video_id: str, survey: Survey) -> None:
    """Put what is known of a recording's packets beside what will be made of it. Best effort: it can be made again."""
    try:
        with derived.workshop(settings.derived_dir, video_id, "survey") as folder:
            write_survey(folder / _SURVEY, survey)
            _place(database, settings, video_id, folder)
    except OSError:
        _log.info("The survey of %s could not be kept.", video_id, exc_info=True)


def _place(database: Database, settings: Settings, video_id: str, folder: Path) -> None:
    with database.write() as session:
        if session.get(Video, video_id, with_for_update=True):  # nobody deletes it meanwhile
            derived.place(folder, settings.derived(video_id))


def early_thumbnail(database: Database, settings: Settings, video_id: str, planned: VideoPlan) -> None:
    """A thumbnail for a video that waits to be analysed: a keyframe at a tenth of it. Best effort, for it is replaced
    when the video is done."""
    try:
        with derived.workshop(settings.derived_dir, video_id, "early") as folder:
            image = _early_picture(settings.recording(video_id), planned)
            if image is None:
                return
            stills.write(folder / "thumbnail.jpg", stills.whole(image))
            _place(database, settings, video_id, folder)
    except (VideoError, *UNREADABLE, OSError):
        _log.info("There is no early thumbnail of %s.", video_id, exc_info=True)


def _early_picture(path: Path, planned: VideoPlan) -> Image | None:
    info = planned.info
    at = info.frame_count * _EARLY_PART
    segment = max(
        (s for s in planned.segments if s.frames[0] <= at), key=lambda s: s.index, default=planned.segments[0]
    )
    first = replace(
        segment, frames=segment.frames[:1], pts=segment.pts[:1], packets=min(segment.packets, _EARLY_PACKETS)
    )
    (picture,) = (picture for _, _, picture in read_pictures(path, first))
    return None if picture is None else ColourConverter(info.canvas).convert(picture)


def _pictures(job: Job, folder: Path) -> None:
    with job.database.read() as session:
        video = videos.get(session, job.claim.video_id)
        wanted = subjects.wanted_frames(session, video)
        segments = [row_to_segment(row) for row in subjects.segments_with(session, video.id, wanted.frames)]
    job.begin(len(wanted.frames))
    canvas = segments[0].canvas
    size = _shown_size(canvas, video)
    converter = ColourConverter(canvas, size)
    scale_xy = np.divide(size, (canvas.width, canvas.height))
    for done, (frame, image) in enumerate(_images(job.recording, segments, converter), 1):
        if frame == wanted.thumbnail and image is not None:
            stills.write(folder / "thumbnail.jpg", stills.whole(image))
        if frame in wanted.moments and image is not None:
            box = _scaled(wanted.moments[frame], scale_xy)
            stills.write(folder / "pictures" / f"{frame}.jpg", stills.scene(image, box))
        for face_id, (best, box) in wanted.faces.items():
            if frame == best and image is not None:
                stills.write(folder / "faces" / f"{face_id}.jpg", stills.face(image, _scaled(box, scale_xy)))
        job.advance(done)


def _shown_size(canvas: Canvas, video: Video) -> Size:
    """The size at which the largest of the video's pictures keeps its pixels."""
    return canvas.enlarged((width, height) for width, height in video.info.get("picture_sizes", ()))


def _scaled(box: Box, scale_xy: NDArray[np.float64]) -> Box:
    x, y, width, height = (np.array(box) * np.tile(scale_xy, 2)).tolist()
    return x, y, width, height


def _images(
    path: Path, segments: list[SegmentPlan], converter: ColourConverter, threads: int | None = None
) -> Iterator[tuple[int, Image | None]]:
    for segment in segments:
        for frame, _, picture in read_pictures(path, segment, threads):
            yield frame, _converted(picture, converter)


def _converted(picture: VideoFrame | None, converter: ColourConverter) -> Image | None:
    try:
        return None if picture is None else converter.convert(picture)
    except UNREADABLE:  # the pixel format changed in mid-stream to one that swscale doesn't know
        return None


def _plan(job: Job, video: Video) -> VideoPlan:
    """All frames of the recording, whichever of them are analysed."""
    survey = read_survey(job.settings.derived(job.claim.video_id) / _SURVEY)
    return plan(job.recording, job.settings.segment_s, rotate=video.rotate, survey=survey)


def _preview(job: Job, folder: Path) -> None:
    with job.database.read() as session:
        video = videos.get(session, job.claim.video_id)
    planned = _plan(job, video)
    size = _even_size(_shown_size(planned.info.canvas, video), _PREVIEW_PX)
    _write_movie(job, planned, folder / "preview.mp4", size, _PREVIEW_QUALITY, lambda frame, timestamp_s, image: None)


def _overlay(job: Job, folder: Path) -> None:
    with job.database.read() as session:
        video = videos.get(session, job.claim.video_id)
        labels = subjects.labels(session, video.id)
        stand_s = longest_stand_s(timelines.interval_s(session, video.id)) if video.sample_hz else 0.0
    planned = _plan(job, video)
    size = _even_size(_shown_size(planned.info.canvas, video))
    scale_xy = np.divide(size, (planned.info.width, planned.info.height))
    seen = Seen(_sampled(job.database, video), stand_s)

    def paint(frame: int, timestamp_s: float, image: Image) -> None:
        draw_faces(image, _drawn(seen.at(frame, timestamp_s), labels, scale_xy))

    _write_movie(job, planned, folder / "overlay.mp4", size, _OVERLAY_QUALITY, paint)


def _even_size(size: Size, longest_px: int | None = None) -> Size:
    """A size made even, as H.264 wants it, and smaller where it is longer than allowed."""
    scale = min(longest_px / max(size), 1.0) if longest_px else 1.0
    width, height = (max(int(side * scale + 1) // 2 * 2, 2) for side in size)
    return width, height


def _write_movie(job: Job, planned: VideoPlan, path: Path, size: tuple[int, int], quality: int, paint: Paint) -> None:
    info, threads = planned.info, job.settings.threads
    job.begin(sum(len(segment.frames) for segment in planned.segments))
    converter = ColourConverter(info.canvas, size)
    sound = read_sound(job.recording, planned.origin_pts * planned.time_base, info.duration_s)
    done = 0
    with closing(sound), Movie(path, size, info.average_rate, quality, sound, threads) as movie:
        for segment in planned.segments:
            for frame, timestamp_s, picture in read_pictures(job.recording, segment, threads):
                image = _converted(picture, converter)
                if image is not None:
                    paint(frame, timestamp_s, image)
                    movie.add(image, timestamp_s)
                done += 1
                job.advance(done)
        movie.finish(info.duration_s)


def _sampled(database: Database, video: Video) -> Iterator[BoxedFrame]:
    """The analysed frames of a video; sessions are short, for a movie can take hours."""
    for first in range(0, video.info["frame_count"], _PAGE):
        with database.read() as session:
            page = boxes.frames(session, video.id, first, first + _PAGE)
        yield from page


class Seen:
    """What was seen last, at any frame; frames are asked for in order."""

    def __init__(self, sampled: Iterator[BoxedFrame], stand_s: float) -> None:
        """
        Args:
            sampled: the analysed frames, in order.
            stand_s: for how long one stands at the most, where not every frame is analysed; 0 where every one is.
        """
        self._sampled, self._next = sampled, next(sampled, None)
        self._last: BoxedFrame | None = None
        self._stand_s = stand_s

    def at(self, frame: int, timestamp_s: float) -> tuple[BoxedFace, ...]:
        """The faces of this frame; between samples those of the last one, for a while."""
        while self._next is not None and self._next.frame <= frame:
            self._last, self._next = self._next, next(self._sampled, None)
        last = self._last
        if last is None or (last.frame != frame and timestamp_s > last.timestamp_s + self._stand_s):
            return ()
        return last.faces


def _drawn(
    faces: tuple[BoxedFace, ...], labels: dict[int, str | None], scale_xy: NDArray[np.float64]
) -> Iterator[DrawnFace]:
    for face in faces:
        label = labels.get(face.face_id)
        if label is None:
            continue  # it is hidden
        yield DrawnFace(
            _scaled(face.box, scale_xy), drawable(label) or f"P{face.face_id}", face.emotion, face.probability
        )
