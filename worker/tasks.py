"""The tasks: an id in, the pipeline, the database out. Each may come twice, late or never; see db.work."""

import logging
import math
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import cache, lru_cache
from threading import Event, Thread
from time import monotonic
from typing import Any

from celery.signals import worker_process_init
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from emotion_timeline import results
from emotion_timeline.clip import Clip
from emotion_timeline.config import Settings, load, served_network
from emotion_timeline.db import renders, videos, work
from emotion_timeline.db.renders import RenderClaim
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Step, Video
from emotion_timeline.db.work import Claim
from emotion_timeline.errors import LeaseLost, ModelError, Stopped, VideoError
from emotion_timeline.labels import labels_of
from emotion_timeline.media.plan import plan
from emotion_timeline.pipeline import Stages, analyze, load_stages
from emotion_timeline.plan_rows import row_to_segment, segment_to_row
from emotion_timeline.queue import app, send
from worker.rendering import Job, early_thumbnail, make
from worker.sweeping import is_shutting_down

_SLOWEST_FRAME_S = 0.05  # some files must be decoded to their end before the first frame is sure
_PROGRESS_S = 1.0  # between two reports of progress, which also tell whether the work is still wanted
_NETWORKS = 2  # in memory at a time: the one that is served, and another that older work asks for
_log = logging.getLogger(__name__)


@cache
def _settings() -> Settings:
    return load()


@cache
def _database() -> Database:
    return Database(_settings().resolved_database_url)


@lru_cache(maxsize=_NETWORKS)
def _stages(model: str, version: str) -> Stages:
    """Both networks, loaded once per process, after the fork. The version makes that a folder is read again when
    another network was put into it."""
    settings = _settings()
    return load_stages(settings.models_dir / model, settings.detector_path, settings.threads)


@worker_process_init.connect
def _start_process(**_: Any) -> None:
    """A forked process must not share its parent's connections."""
    _database.cache_clear()


@app.task(name="worker.plan_video")
def plan_video(video_id: str) -> None:
    """Cut a video into segments."""
    settings = _settings()
    with _database().write() as session:
        claim = work.claim_step(session, video_id, Step.PLAN, settings.lease_s, settings.max_attempts)
        video = videos.get(session, video_id) if claim else None
    if claim is None or video is None:
        return
    with _doing(claim):
        clip = Clip(video.clip_start_s, video.clip_end_s)
        planned = plan(settings.recording(video_id), settings.segment_s, video.sample_hz, clip)
        with _database().write() as session:
            work.save_plan(session, claim, [segment_to_row(s) for s in planned.segments], asdict(planned.info))
        _send_due(video_id)
        early_thumbnail(_database(), settings, video_id, planned)


@app.task(name="worker.analyze_segment")
def analyze_segment(segment_id: int) -> None:
    """Analyse one segment and store its rows in one transaction."""
    settings = _settings()
    with _database().write() as session:
        claimed = work.claim_segment(session, segment_id, settings.lease_s, settings.max_attempts)
    if claimed is None:
        return
    claim, video, row = claimed
    with _doing(claim, silence_s=settings.stall_s + _SLOWEST_FRAME_S * row.plan["packets"]) as heartbeat:
        stages = _stages_for(video)
        if stages is not None:
            blocks = list(
                analyze(
                    settings.recording(video.id),
                    row_to_segment(row),
                    stages,
                    on_progress=heartbeat.progress,
                    should_stop=heartbeat.should_stop,
                )
            )
            with _database().write() as session:
                work.complete_segment(session, claim)
                results.store_segment(session, segment_id, blocks)
    _send_due(video.id)


def _stages_for(video: Video) -> Stages | None:
    """The networks for a video: its own, whichever is served now, with the labels that its version names, whichever the
    settings name now. None when another was put into its folder since: the video then begins anew with that one, for a
    timeline never mixes two."""
    stages = _stages(video.model, served_network(_settings().models_dir / video.model).version)
    stages = replace(stages, classifier=stages.classifier.giving(labels_of(video.model_version)))
    version = stages.classifier.version
    if version == video.model_version:
        return stages
    with _database().write() as session:
        begins_anew = videos.restart(session, video.id, version)
    outcome = "begins anew" if begins_anew else "fails"
    _log.warning("Video %s %s: network %s was replaced by %s.", video.id, outcome, video.model_version, version)
    return None


@app.task(name="worker.finish_video")
def finish_video(video_id: str) -> None:
    """Link faces over the whole video and mark it done."""
    settings = _settings()
    with _database().write() as session:
        claim = work.claim_step(session, video_id, Step.FINISH, settings.lease_s, settings.max_attempts)
    if claim is None:
        return
    with _doing(claim):
        with _database().write() as session:
            results.finish(session, claim)
            video = videos.get(session, video_id)
        _log.info("%s is analysed: %s frames, %s faces (video %s).", video.filename, video.frames_total,
                  (video.summary or {}).get("faces"), video_id)  # fmt: skip
        _send_due(video_id)


@app.task(name="worker.render")
def render(render_id: int) -> None:
    """Make pictures or a movie of a recording."""
    settings = _settings()
    with _database().write() as session:
        claim = renders.claim(session, render_id, settings.lease_s, settings.max_attempts)
        frames = videos.get(session, claim.video_id).info["frame_count"] if claim else 0
    if claim is None:
        return
    with _rendering(claim, silence_s=settings.stall_s + _SLOWEST_FRAME_S * frames) as heartbeat:
        make(Job(_database(), settings, claim, heartbeat.progress, heartbeat.should_stop))


def _send_due(video_id: str) -> None:
    with _database().write() as session:
        messages = work.due(session, _settings().queued_segments, video_id) + renders.due(session, video_id)
    send(messages)


class _Heartbeat:
    """Keeps a claim while its work gets on; a thread renews it."""

    def __init__(self, renew: Callable[[Session, int], None], settings: Settings, silence_s: float) -> None:
        self._renew, self._settings, self._silence_s = renew, settings, silence_s
        self._lost, self._ended = Event(), Event()
        self._frames_done, self._last_progress = 0, monotonic()
        self._thread = Thread(target=self._run, name="heartbeat", daemon=True)

    def progress(self, frames_done: int) -> None:
        """So many frames are done."""
        self._frames_done, self._last_progress = frames_done, monotonic()

    def should_stop(self) -> bool:
        """Whether the work has been lost, or this worker is told to stop."""
        return self._lost.is_set() or is_shutting_down()

    def start(self) -> None:
        """Begin to renew."""
        self._thread.start()

    def stop(self) -> None:
        """End renewing, and wait for the thread."""
        self._ended.set()
        self._thread.join()

    def _die_if_stuck(self) -> None:
        if monotonic() - self._last_progress < self._silence_s:
            return
        _log.critical("No frame for %s s: this process is stuck and kills itself.", self._silence_s)
        os.kill(os.getpid(), signal.SIGKILL)  # the claim runs out and its attempt counts

    def _run(self) -> None:
        while not self._ended.wait(min(self._settings.lease_s / 5, _PROGRESS_S)):
            self._die_if_stuck()
            try:
                with _database().write() as session:
                    self._renew(session, self._frames_done)
            except (LeaseLost, Stopped):
                self._lost.set()
                return
            except SQLAlchemyError:
                _log.warning("A claim could not be renewed; trying again.", exc_info=True)


@contextmanager
def _doing(claim: Claim, silence_s: float = math.inf) -> Iterator[_Heartbeat]:
    """Renew a claim during the block, and turn what goes wrong in it into the right state of the database."""
    lease_s = _settings().lease_s
    heartbeat = _Heartbeat(lambda session, done: work.renew(session, claim, lease_s, done), _settings(), silence_s)
    heartbeat.start()
    try:
        yield heartbeat
    except LeaseLost:
        _log.info("Work on %s went to another worker or is not wanted any more.", claim.video_id)
    except Stopped:
        _write(lambda session: work.give_back(session, claim, count_attempt=False))
    except VideoError as exc:
        code, message = exc.code, exc.message
        _log.warning("Video %s failed: %s", claim.video_id, message)
        _write(lambda session: videos.fail(session, claim.video_id, code, message))
    except ModelError as exc:
        _log.exception("The network can't be used.")
        sentence = str(exc)
        _write(lambda session: videos.fail(session, claim.video_id, "model", sentence))
    except Exception:
        _write(lambda session: work.give_back(session, claim, count_attempt=True))
        raise
    finally:
        heartbeat.stop()


@contextmanager
def _rendering(claim: RenderClaim, silence_s: float) -> Iterator[_Heartbeat]:
    """The same for a render. What goes wrong is written to its own row; the video stays as it is."""
    lease_s = _settings().lease_s
    heartbeat = _Heartbeat(lambda session, done: renders.renew(session, claim, lease_s, done), _settings(), silence_s)
    heartbeat.start()
    try:
        yield heartbeat
    except LeaseLost:
        _log.info("The %s of %s is not wanted any more.", claim.kind.value, claim.video_id)
    except Stopped:
        _write(lambda session: renders.give_back(session, claim, count_attempt=False))
    except VideoError as exc:
        sentence = exc.message
        _write(lambda session: renders.fail(session, claim, sentence))
    except Exception:
        _write(lambda session: renders.give_back(session, claim, count_attempt=True))
        raise
    finally:
        heartbeat.stop()


def _write(change: Callable[[Session], object]) -> None:
    with _database().write() as session:
        change(session)
