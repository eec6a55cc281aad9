"""A worker's parent: it takes messages, and has its work done by a process of its own, which it starts again and again.

The parent never computes and never forks: Celery runs the one task here in a thread, and that thread talks to
worker.process by two pipes. So whenever that process dies, even between two pieces of work, nothing is left locked
(Celery's own pool of forked processes shares a queue with them, and hangs for good when one dies that holds its lock).
"""

import json
import logging
import select
import subprocess
import sys
import threading
from typing import Any

from emotion_timeline.config import Settings, load
from emotion_timeline.db.work import Networks
from emotion_timeline.service.queue import app
from worker import networks

_SILENCE_S = 120.0  # at least, and as long as a lease, without a sign of life, after which the process is killed
_STOP_S = 30.0  # for a process to give its work back; a network that is being loaded can't be interrupted
_log = logging.getLogger(__name__)


class Died(Exception):
    """The process ended, or fell silent and was killed, before it answered."""


class Workbench:
    """A process that does one piece of work after the other; it is started when it is needed and not there.

    Args:
        silence_s: seconds without a sign of life after which it is killed.
    """

    def __init__(self, silence_s: float) -> None:
        self.silence_s = silence_s
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Of the process, if it lives."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def work(self, usable: Networks) -> dict[str, Any]:
        """Have a piece of work done.

        Args:
            usable: the networks that may be used.

        Returns:
            What worker.process answered.

        Raises:
            Died: it did not answer.
        """
        if self.pid is None:
            self._start()
        assert self._process is not None and self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(usable).encode() + b"\n")
        except BrokenPipeError:
            raise self._death() from None
        while True:
            if not select.select([self._process.stdout], [], [], self.silence_s)[0]:
                _log.critical("No sign of life from process %s for %s s.", self._process.pid, self.silence_s)
                self._process.kill()
            line = self._process.stdout.readline()
            if not line:
                raise self._death()
            if line.strip():
                answer: dict[str, Any] = json.loads(line)
                return answer

    def _start(self) -> None:
        self.close()
        command = [sys.executable, "-m", "worker.process", str(logging.getLogger().getEffectiveLevel())]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)

    def _death(self) -> Died:
        assert self._process is not None
        return Died(f"Process {self._process.pid} ended with code {self._process.wait()} before its work was done.")

    def stop(self) -> None:
        """Ask the process to give its work back and to end; returns at once."""
        if self._process and self._process.stdin:
            self._process.stdin.close()

    def close(self) -> None:
        """Stop the process and wait for it."""
        if self._process is None:
            return
        self.stop()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._process = None


class Supervisor:
    """The processes of a worker, one for each of Celery's threads, and what they have found out."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stopping = threading.Event()
        self._unusable: set[str] = set()
        self._all: list[Workbench] = []
        self._idle: list[Workbench] = []

    def usable(self) -> Networks:
        """The networks that this worker can use."""
        found = networks.usable(self._settings.models_dir)
        return {folder: versions for folder, versions in found.items() if self._unusable.isdisjoint(versions)}

    @property
    def pids(self) -> list[int]:
        """Of the processes that live."""
        return [bench.pid for bench in self._all if bench.pid is not None]

    @property
    def is_stopping(self) -> bool:
        """Whether this worker was told to stop."""
        return self._stopping.is_set()

    def work(self) -> None:
        """Do what is due, one piece after the other, until nothing is."""
        bench = self._idle.pop() if self._idle else self._new_bench()
        deaths, is_more = 0, True
        while is_more and deaths < 2 and not self.is_stopping:  # the sweep will call again
            try:
                answer = bench.work(self.usable())
            except Died as exc:
                _log.error("%s Another one takes its place.", exc)
                deaths += 1
            else:
                deaths, is_more = 0, answer.get("worked", False)
                self._note(answer)
        self._idle.append(bench)

    def _new_bench(self) -> Workbench:
        self._all.append(Workbench(max(self._settings.lease_s, _SILENCE_S)))
        return self._all[-1]

    def _note(self, answer: dict[str, Any]) -> None:
        if version := answer.get("unusable"):
            _log.error("This worker leaves what needs the network %s to others until it is started again.", version)
            self._unusable.add(version)

    def stop(self) -> None:
        """Have all processes give their work back; returns at once."""
        self._stopping.set()
        for bench in self._all:
            bench.stop()

    def close(self) -> None:
        """Stop all processes and wait for them."""
        self.stop()
        for bench in self._all:
            bench.close()


_supervisors: list[Supervisor] = []


def supervisor() -> Supervisor:
    """This process's."""
    if not _supervisors:
        _supervisors.append(Supervisor(load()))
    return _supervisors[0]


@app.task(name="worker.look_for_work")
def look_for_work() -> None:
    """All that a message says."""
    supervisor().work()
