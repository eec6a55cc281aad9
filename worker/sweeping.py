"""What a worker's parent process does beside its tasks: tell of itself, look for lost work, and stop in time.

The parent never computes and never imports TensorFlow; see worker.supervision.
"""

import logging
import os
import time
from typing import Any

from celery.signals import worker_init, worker_ready, worker_shutdown, worker_shutting_down
from sqlalchemy.exc import SQLAlchemyError

from emotion_timeline.config import Settings, load
from emotion_timeline.db import renders, turns, webhooks, work, workers
from emotion_timeline.db.migrations import require_current
from emotion_timeline.db.session import Database
from emotion_timeline.db.work import Networks
from emotion_timeline.derived import remove_abandoned
from emotion_timeline.service.privacy import keep_private, make_private
from emotion_timeline.service.queue import call_a_worker
from worker import delivery
from worker.supervision import supervisor

_PART_LIFE_S = 3600.0  # without a write, after which a half-made file belongs to a worker that is gone
_log = logging.getLogger(__name__)
_left: set[str] = set()  # videos of which the log has told that they are left to others


@worker_init.connect  # type: ignore[untyped-decorator]
def _prepare(**_: Any) -> None:
    settings = load()
    keep_private()
    make_private(settings.data_dir)
    settings.recordings_dir.mkdir(parents=True, exist_ok=True)
    remove_abandoned(settings.derived_dir, before=time.time() - _PART_LIFE_S)
    database = Database(settings.resolved_database_url)
    require_current(database)
    database.close()


@worker_ready.connect  # type: ignore[untyped-decorator]
def _start_sweeping(sender: Any, **_: Any) -> None:
    for name in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(logging.WARNING)  # they tell of each message, and not what it is about
    settings = load()
    database = Database(settings.resolved_database_url)

    name = f"{sender.hostname} {os.getpid()}"  # two workers of a machine may bear one name

    def sweep() -> None:
        sweep_once(settings, database, name, supervisor().usable())

    sweep()
    sender.timer.call_repeatedly(settings.sweep_s, sweep)
    delivery.start(settings, database, is_over=lambda: supervisor().is_stopping)


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _stop(**_: Any) -> None:
    supervisor().stop()


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def _close(**_: Any) -> None:
    supervisor().close()


def sweep_once(settings: Settings, database: Database, name: str, networks: Networks) -> None:
    """Tell of this worker, end what nobody owns any more, and call a worker when something is due. A database that is
    down is tried again at the next sweep.

    Args:
        settings, database: the service's.
        name: of this worker.
        networks: that it can use.
    """
    try:
        with database.write() as session:
            workers.tell(session, name, networks)
        with database.write() as session:
            work.sweep(session)
            renders.sweep(session)
            webhooks.sweep(session)
            decisions = workers.settle(session, settings.network_wait_s)
        with database.read() as session:
            left = workers.left_to_others(session, networks)
            is_due = bool(turns.due(session))
        for sentence in (*decisions, *(left[video_id] for video_id in left.keys() - _left)):
            _log.warning("%s", sentence)
        _left.clear()
        _left.update(left)
        if is_due:
            call_a_worker()
    except SQLAlchemyError:
        _log.exception("Looking for lost work failed; it is tried again in %s s.", settings.sweep_s)
