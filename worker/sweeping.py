"""What a worker's parent process does beside its tasks: look for lost work, and tell a running task to stop in time.

The parent never runs a task and never imports TensorFlow; its children do, after the fork.
"""

import logging
import multiprocessing
import time
from typing import Any

from celery.signals import worker_init, worker_ready, worker_shutting_down
from sqlalchemy.exc import SQLAlchemyError

from emotion_timeline.config import Settings, load
from emotion_timeline.db import renders
from emotion_timeline.db.migrations import require_current
from emotion_timeline.db.session import Database
from emotion_timeline.db.work import due, sweep
from emotion_timeline.derived import remove_abandoned
from emotion_timeline.privacy import keep_private, make_private
from emotion_timeline.queue import queue_is_empty, send
from worker import delivery

_PART_LIFE_S = 3600.0  # without a write, after which a half-made file belongs to a worker that is gone
_log = logging.getLogger(__name__)
_shutting_down = multiprocessing.get_context("fork").Event()  # shared with the children that are forked later


def is_shutting_down() -> bool:
    """Whether this worker was told to stop; running work should be given back."""
    return _shutting_down.is_set()


@worker_init.connect  # type: ignore[untyped-decorator]
def _prepare(**_: Any) -> None:
    settings = load()
    keep_private()
    make_private(settings.data_dir)
    settings.recordings_dir.mkdir(parents=True, exist_ok=True)
    remove_abandoned(settings.derived_dir, before=time.time() - _PART_LIFE_S)
    database = Database(settings.resolved_database_url)
    require_current(database)
    database.close()  # no connection may cross the fork


@worker_ready.connect  # type: ignore[untyped-decorator]
def _start_sweeping(sender: Any, **_: Any) -> None:
    settings = load()
    sweep_once(settings)
    sender.timer.call_repeatedly(settings.sweep_s, sweep_once, (settings,))
    delivery.start(settings, is_over=is_shutting_down)


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _stop(**_: Any) -> None:
    _shutting_down.set()


def sweep_once(settings: Settings) -> None:
    """Send everything that is due and that nobody owns. A database that is down is tried again at the next sweep."""
    database = Database(settings.resolved_database_url)
    try:
        empty = queue_is_empty()
        with database.between_forks():
            with database.write() as session:
                sweep(session, queue_is_empty=empty)
                renders.sweep(session, queue_is_empty=empty)
            with database.write() as session:
                messages = due(session, settings.queued_segments) + renders.due(session)
        send(messages)
    except SQLAlchemyError:
        _log.exception("Looking for lost work failed; it is tried again in %s s.", settings.sweep_s)
