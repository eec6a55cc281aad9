"""The process that does a worker's work: `python -m worker.process`, started and watched by worker.supervision.

It has no part in Celery and shares nothing with its parent but two pipes, so that it may die at any moment without
harm to anybody, as it does of damaged recordings and of want of memory. A line of JSON that comes in says which
networks may be used and asks for one piece of work; a line of JSON that goes out says what came of it, and an empty one
each second that the process is alive. The end of what comes in, be it that the parent is gone, means: stop.
"""

import json
import logging
import os
import signal
import sys
import threading
from queue import SimpleQueue
from typing import Any, BinaryIO

from sqlalchemy.exc import SQLAlchemyError

from emotion_timeline.config import load
from emotion_timeline.db.session import Database
from emotion_timeline.db.work import Networks
from emotion_timeline.service.queue import call_a_worker, keep_our_own_lines
from worker.heartbeat import Place

_PULSE_S = 1.0
_FORMAT = "[%(asctime)s: %(levelname)s/%(processName)s] %(message)s"  # as Celery's
_log = logging.getLogger(__name__)


def main(level: int) -> None:
    """Do what is asked for until there is no more.

    Args:
        level: of the log.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which decides
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # so that nothing else gets among the answers
    threading.current_thread().name = "work"
    logging.basicConfig(level=level, format=_FORMAT.replace("%(processName)s", "Work"))
    keep_our_own_lines(logging.getLogger())
    requests: SimpleQueue[dict[str, str] | None] = SimpleQueue()
    stopping = threading.Event()
    threading.Thread(target=_listen, args=(requests, stopping), daemon=True).start()
    settings = load()
    place = Place(settings, Database(settings.resolved_database_url), stopping.is_set)
    while (networks := requests.get()) is not None:
        ended = threading.Event()
        pulse = threading.Thread(target=_beat, args=(answers, ended), daemon=True)
        pulse.start()
        answer = {} if stopping.is_set() else _work(place, networks)
        ended.set()
        pulse.join()
        _send(answers, json.dumps(answer).encode())


def _listen(requests: "SimpleQueue[dict[str, str] | None]", stopping: threading.Event) -> None:
    for line in sys.stdin.buffer:
        requests.put(json.loads(line))
    stopping.set()
    requests.put(None)


def _beat(answers: BinaryIO, ended: threading.Event) -> None:
    while not ended.wait(_PULSE_S):
        _send(answers, b"")


def _send(answers: BinaryIO, line: bytes) -> None:
    try:
        answers.write(line + b"\n")
    except BrokenPipeError:
        _log.warning("The parent of this process is gone.")


def _work(place: Place, networks: Networks) -> dict[str, Any]:
    """Do what is due first.

    Returns:
        Whether anything was, as "worked"; as "unusable" the version of a network that this process can't use.
    """
    from worker import tasks  # after the first sign of life: it imports much

    try:
        turn, is_more = tasks.next_turn(place, networks)
        if turn is None:
            return {"worked": False}
        if is_more:
            call_a_worker()
        tasks.do(place, turn, networks)
    except tasks.UnusableNetwork as exc:
        return {"worked": True, "unusable": str(exc)}
    except SQLAlchemyError:
        _log.exception("The database can't be used now; the next sweep looks for work again.")
        return {"worked": False}
    return {"worked": True}


if __name__ == "__main__":
    main(int(sys.argv[1]))
