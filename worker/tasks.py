"""The tasks: a piece of work is claimed, goes through the pipeline, and comes to the database."""

import logging
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path

from emotion_timeline import results
from emotion_timeline.clip import Clip
from emotion_timeline.config import Settings
from emotion_timeline.db import renders, turns, videos, work
from emotion_timeline.db.tables import Step, Video
from emotion_timeline.db.turns import Task, Turn
from emotion_timeline.db.work import Networks
from emotion_timeline.detectors import EMBEDDER
from emotion_timeline.errors import ModelError, Stopped
from emotion_timeline.labels import labels_of, network_of
from emotion_timeline.media.plan import plan
from emotion_timeline.media.shots import ShotFinder
from emotion_timeline.media.survey import survey_video
from emotion_timeline.pipeline import Stages, analyze, load_stages
from emotion_timeline.plan_rows import row_to_segment, segment_to_row
from worker.heartbeat import Place, doing
from worker.rendering import Job, early_thumbnail, keep_survey, make

_SLOWEST_FRAME_S = 0.05  # some files must be decoded to their end before the first frame is sure
_NETWORKS = 2  # in memory at a time: the one that is served, and another that older work asks for
_log = logging.getLogger(__name__)


class UnusableNetwork(Exception):
    """A network whose files are right, but that this process can't compute with; the message is its version."""


def next_turn(place: Place, networks: Networks) -> tuple[Turn | None, bool]:
    """What to do next, if anything is due, and whether there is more that another worker could do.

    Args:
        place: where.
        networks: that this worker can use.
    """
    with place.database.read() as session:
        due = turns.due(session, networks)
    return (due[0] if due else None), len(due) > 1


def do(place: Place, turn: Turn, networks: Networks) -> None:
    """Do a piece of work, unless another worker has taken it meanwhile.

    Raises:
        UnusableNetwork: its network can't be loaded here; the work was given back.
    """
    if turn.task is Task.ANALYZE:
        analyze_segment(place, int(turn.id))
    elif turn.task is Task.RENDER:
        render(place, int(turn.id), networks)
    elif turn.task is Task.PLAN:
        plan_video(place, str(turn.id))
    else:
        finish_video(place, str(turn.id))


def plan_video(place: Place, video_id: str) -> None:
    """Cut a video into segments."""
    settings = place.settings
    with place.database.write() as session:
        claim = work.claim_step(session, video_id, Step.PLAN, settings.lease_s, settings.max_attempts)
        video = videos.get(session, video_id) if claim else None
    if claim is None or video is None:
        return
    with doing(place, work, claim):
        clip = Clip(video.clip_start_s, video.clip_end_s)
        survey = survey_video(settings.recording(video_id))
        planned = plan(settings.recording(video_id), settings.segment_s, video.sample_hz, clip, video.rotate, survey)
        with place.database.write() as session:
            work.save_plan(session, claim, [segment_to_row(s) for s in planned.segments], asdict(planned.info))
        keep_survey(place.database, settings, video_id, survey)
        early_thumbnail(place.database, settings, video_id, planned)


def analyze_segment(place: Place, segment_id: int) -> None:
    """Analyse one segment and store its rows in one transaction."""
    settings = place.settings
    with place.database.write() as session:
        claimed = work.claim_segment(session, segment_id, settings.lease_s, settings.max_attempts)
    if claimed is None:
        return
    claim, video, row = claimed
    unusable = None
    with doing(place, work, claim, settings.stall_s + _SLOWEST_FRAME_S * row.plan["packets"]) as heartbeat:
        try:
            stages = _stages_for(settings, video)
        except ModelError as exc:
            unusable = UnusableNetwork(video.model_version)
            raise Stopped(f"This worker can't use the network {video.model_version}: {exc}") from exc
        shots, album = ShotFinder(), stages.album
        blocks = list(
            analyze(
                settings.recording(video.id),
                row_to_segment(row),
                stages,
                shots=shots,
                album=album,
                on_progress=heartbeat.progress,
                should_stop=heartbeat.should_stop,
            )
        )
        with place.database.write() as session:
            work.complete_segment(session, claim)
            results.store_segment(session, segment_id, blocks, shots.edges, album.embeddings if album else {})
    if unusable:
        raise unusable


def _stages_for(settings: Settings, video: Video) -> Stages:
    """The networks for a video: its own, with the labels that its version names, whichever are served now."""
    network = network_of(video.model_version)
    persons = settings.persons and video.embedder == EMBEDDER  # off means that no more embeddings are made
    stages = _stages(settings.models_dir / video.model, settings.detector_path, settings.threads, network, persons)
    stages = replace(stages, classifier=stages.classifier.giving(labels_of(video.model_version)))
    if stages.classifier.version != video.model_version:
        _stages.cache_clear()
        raise Stopped(f"Another network was put into the folder {video.model} at this moment.")
    return stages


@lru_cache(maxsize=_NETWORKS)
def _stages(model_dir: Path, detector_path: Path | None, threads: int | None, version: str, persons: bool) -> Stages:
    """The networks, loaded once. The version makes that a folder is read again when another network was put there."""
    return load_stages(model_dir, detector_path, threads, persons=persons)


def finish_video(place: Place, video_id: str) -> None:
    """Link faces over the whole video and mark it done."""
    settings = place.settings
    with place.database.write() as session:
        claim = work.claim_step(session, video_id, Step.FINISH, settings.lease_s, settings.max_attempts)
    if claim is not None:
        with doing(place, work, claim):
            with place.database.write() as session:
                results.finish(session, claim)
                video = videos.get(session, video_id)
            faces = (video.summary or {}).get("faces")
            _log.info(
                "%s is analysed: %s frames, %s face(s) (video %s).", video.filename, video.frames_total, faces, video_id
            )


def render(place: Place, render_id: int, networks: Networks) -> None:
    """Make pictures or a movie of a recording; analyses by these networks go first."""
    settings = place.settings
    with place.database.write() as session:
        claim = renders.claim(session, render_id, settings.lease_s, settings.max_attempts, networks)
        frames = videos.get(session, claim.video_id).info["frame_count"] if claim else 0
    if claim is not None:
        with doing(place, renders, claim, settings.stall_s + _SLOWEST_FRAME_S * frames) as heartbeat:
            make(Job(place.database, settings, claim, heartbeat.progress, heartbeat.should_stop))
