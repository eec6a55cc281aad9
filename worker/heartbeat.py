"""The one way to do a piece of work: keep its lease meanwhile, and write down whatever comes of it."""

import logging
import math
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic
from typing import Protocol, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from emotion_timeline.config import Settings
from emotion_timeline.db.session import Database
from emotion_timeline.errors import LeaseLost, Stopped, VideoError

_PROGRESS_S = 1.0  # between two reports of progress, which also tell whether the work is still wanted
_log = logging.getLogger(__name__)

Claim = TypeVar("Claim", contravariant=True)


class Ledger(Protocol[Claim]):
    """Where claims of one kind are kept: emotion_timeline.db.work or emotion_timeline.db.renders."""

    def renew(self, session: Session, claim: Claim, lease_s: float, frames_done: int) -> None:
        """Keep a claim and publish its progress."""

    def fail(self, session: Session, claim: Claim, code: str, sentence: str) -> None:
        """End the work with a plain sentence."""

    def give_back(self, session: Session, claim: Claim, *, count_attempt: bool) -> None:
        """Let go of unfinished work."""


@dataclass(frozen=True)
class Place:
    """Where work is done.

    Attributes:
        settings, database: the service's.
        is_stopping: whether this worker is told to stop; running work should be given back.
    """

    settings: Settings
    database: Database
    is_stopping: Callable[[], bool]


class Heartbeat:
    """Renews a claim in a thread of its own while the work gets on.

    Args:
        place: where.
        renew: keeps the claim and publishes the number of frames that are done.
        silence_s: seconds without a new frame after which this process kills itself.
    """

    def __init__(self, place: Place, renew: Callable[[Session, int], None], silence_s: float) -> None:
        self._place, self._renew, self._silence_s = place, renew, silence_s
        self._lost, self._ended = Event(), Event()
        self._began = self._last_progress = monotonic()
        self._frames_done = 0
        self._thread = Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def progress(self, frames_done: int) -> None:
        """So many frames are done."""
        self._frames_done, self._last_progress = frames_done, monotonic()

    def should_stop(self) -> bool:
        """Whether the work has been lost, or this worker is told to stop."""
        return self._lost.is_set() or self._place.is_stopping()

    def stop(self) -> None:
        """End renewing, and wait for the thread."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(min(self._place.settings.lease_s / 5, _PROGRESS_S)):
            self._die_if_stuck()
            try:
                with self._place.database.write() as session:
                    self._renew(session, self._frames_done)
            except (LeaseLost, Stopped):
                self._lost.set()
                return
            except SQLAlchemyError:
                _log.warning("A claim could not be renewed; trying again.", exc_info=True)

    def _die_if_stuck(self) -> None:
        silent_s, busy_s = monotonic() - self._last_progress, monotonic() - self._began
        if silent_s > self._silence_s or busy_s > self._place.settings.task_time_limit_s:
            _log.critical("No frame for %.0f s, no end for %.0f s: this process is stuck.", silent_s, busy_s)
            os.kill(os.getpid(), signal.SIGKILL)  # the claim runs out and its attempt counts


@contextmanager
def doing(place: Place, ledger: Ledger[Claim], claim: Claim, silence_s: float = math.inf) -> Iterator[Heartbeat]:
    """Renew a claim during the block, and turn what goes wrong in it into the right state of the database."""
    lease_s, began = place.settings.lease_s, monotonic()
    heartbeat = Heartbeat(place, lambda session, done: ledger.renew(session, claim, lease_s, done), silence_s)
    try:
        try:
            yield heartbeat
            _log.info("Done: %s, in %.1f s.", claim, monotonic() - began)
        except VideoError as exc:
            _log.warning("Failed: %s. %s", claim, exc.message)
            with place.database.write() as session:
                ledger.fail(session, claim, exc.code, exc.message)
    except LeaseLost:
        _log.info("Let go: %s; it went to another worker or is not wanted any more.", claim)
    except Stopped as exc:
        _log.info("Given back: %s. %s", claim, exc)
        _give_back(place, ledger, claim, count_attempt=False)
    except Exception:
        _log.exception("Given back: %s; it could not be done.", claim)
        _give_back(place, ledger, claim, count_attempt=True)
    finally:
        heartbeat.stop()


def _give_back(place: Place, ledger: Ledger[Claim], claim: Claim, *, count_attempt: bool) -> None:
    with place.database.write() as session:
        ledger.give_back(session, claim, count_attempt=count_attempt)
