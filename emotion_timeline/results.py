"""Put what the pipeline found into the database: a segment at a time, and at last the whole video together."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from emotion_timeline.db import renders, timelines, videos, work
from emotion_timeline.db.work import Claim
from emotion_timeline.errors import VideoError
from emotion_timeline.faces.tracking import join
from emotion_timeline.observations import Observations
from emotion_timeline.views import appearances, curves, strips


def store_segment(session: Session, segment_id: int, blocks: Sequence[Observations]) -> None:
    """Store a segment's rows, tracklets and curves in place of any earlier ones.

    Args:
        session: an open transaction, which holds the fence: see work.complete_segment.
        segment_id: the segment.
        blocks: OBSERVATION arrays, each in order of frame and face.
    """
    timelines.replace_segment(session, segment_id, blocks)
    curves.replace(session, segment_id, blocks)


def finish(session: Session, claim: Claim) -> None:
    """Give every face its number over the whole video, and the video its summary; mark it done.

    Raises:
        LeaseLost: the claim is not valid any more.
        VideoError: not one frame could be decoded.
    """
    video = videos.get(session, claim.video_id)
    interval_s = 1 / video.sample_hz if video.sample_hz else 0.0
    face_ids = join(timelines.tracklets(session, video.id), interval_s)
    timelines.set_face_ids(session, video.id, face_ids)
    appearances.store(session, video)
    counts = timelines.counts_by_status(session, video.id)
    if video.frames_total and counts["decode_error"] == video.frames_total:
        raise VideoError("undecodable", f"No frame of {video.filename} could be decoded. Convert it to H.264 MP4.")
    strip = strips.of(session, video)
    summary = {"frames_by_status": counts, "faces": len(set(face_ids.values())), "strip": strip}
    work.complete_video(session, claim, summary)
    renders.order_for_done(session, video)
