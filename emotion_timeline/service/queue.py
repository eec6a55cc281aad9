"""The Celery application, its defaults, and call_a_worker(): all that web needs to have work done.

`celery -A worker worker` is a complete worker. A message says no more than "look for work": whoever gets it takes from
the database what has its turn, until nothing is due. So nothing is lost with a message, and one too many does no harm.
"""

import logging
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import after_setup_logger
from kombu.exceptions import OperationalError

from emotion_timeline.config import Settings, load
from emotion_timeline.service import folder_queue
from emotion_timeline.service.privacy import keep_private

QUEUE = "timeline"
_log = logging.getLogger(__name__)


def _of_environment() -> dict[str, Any]:
    """Read when the application is first used, not when it is imported."""
    settings = load()
    keep_private()
    return configuration(settings)


def configuration(settings: Settings) -> dict[str, Any]:
    """Return Celery's settings, from ours."""
    return {
        "broker_url": settings.resolved_broker_url,
        "broker_connection_retry_on_startup": True,
        "broker_transport_options": _transport_options(settings),
        "task_default_queue": QUEUE,
        "task_acks_late": True,  # so that a busy worker gets no further message, which an idle one would have
        "task_ignore_result": True,  # the database is the record
        "task_publish_retry_policy": {"max_retries": 1, "interval_start": 0.2},
        "task_track_started": False,
        "worker_pool": "threads",  # see worker.supervision
        "worker_concurrency": 1,  # one process per GPU or per machine; it uses all cores by threads
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": True,
        "imports": ("worker.supervision", "worker.sweeping", "emotion_timeline.service.readiness"),
    }


def _transport_options(settings: Settings) -> dict[str, Any]:
    if settings.resolved_broker_url.startswith("filesystem"):
        queue = settings.data_dir.resolve() / "queue"
        folders = {
            "data_folder_in": queue / "messages",
            "data_folder_out": queue / "messages",
            "control_folder": queue / "control",
        }
        folder_queue.register()
        for folder in folders.values():
            Path(folder).mkdir(parents=True, exist_ok=True)
        return {name: str(folder) for name, folder in folders.items()} | {"polling_interval": 0.1}
    return {"socket_connect_timeout": 5}


app = Celery("emotion-timeline")
app.add_defaults(_of_environment)


@after_setup_logger.connect
def keep_our_own_lines(logger: logging.Logger, **_: Any) -> None:
    """Where a worker is told to give warnings only, let the one line that it says of each recording still be heard."""
    if logger.level == logging.WARNING:
        logging.getLogger("worker.tasks").setLevel(logging.INFO)


def call_a_worker() -> None:
    """Have an idle worker look for work, after the commit.

    One message is enough: while one waits, whoever takes it will see what was committed before. A broker that is down
    costs time, not work: a worker's sweep calls again.
    """
    try:
        if queue_is_empty():
            app.send_task("worker.look_for_work")
    except (OperationalError, OSError) as exc:
        _warn(exc)


def _warn(exc: Exception) -> None:
    _log.warning("The queue can't be reached (%s); a worker's sweep will find what is to be done.", exc)


def queue_is_empty() -> bool:
    """Whether no message waits. False when the queue can't be reached."""
    with app.connection_for_read() as connection:
        try:
            declared = connection.default_channel.queue_declare(QUEUE, passive=True)
        except connection.channel_errors:
            return True  # there is no such queue: Redis drops a list with its last element
        except (*connection.connection_errors, OperationalError, OSError) as exc:
            _warn(exc)
            return False
        return bool(declared.message_count == 0)
