"""Whole jobs by real workers, on SQLite with files and on PostgreSQL with Redis.

Whatever happens to the workers or to the queue, the timeline is the one that an undisturbed run gives, byte for byte.
"""

import random
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import redis
from sqlalchemy import select
from standardwebhooks import Webhook as Verifier

from emotion_timeline.analysis import analyze_file
from emotion_timeline.config import load, served_version
from emotion_timeline.db import webhooks
from emotion_timeline.db.tables import Segment, SegmentStatus, VideoStatus
from emotion_timeline.db.videos import cancel, remove, retry
from tests.receiver import receiver
from tests.services import ASTRONAUT, REPOSITORY, Service, wait_until

MakeService = Callable[..., Service]
SAMPLE_HZ = 4.0  # enough frames for every case, few enough for a slow machine
ID = "astronaut-0123456789ab"
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The CSV that one process gives, without queue or workers."""
    folder = tmp_path_factory.mktemp("undisturbed")
    settings = load().model_copy(update={"segment_s": 2.0, "data_dir": folder, "threads": 2})
    sidecar = analyze_file(settings, ASTRONAUT, folder / "out.csv", SAMPLE_HZ)
    return (folder / "out.csv").read_text().replace(sidecar["video_id"], ID)


def segments(service: Service) -> dict[int, SegmentStatus]:
    with service.database.read() as session:
        return {segment_id: status for segment_id, status in session.execute(select(Segment.id, Segment.status))}


def done(service: Service) -> int:
    return sum(status is SegmentStatus.DONE for status in segments(service).values())


def seconds_per_segment(service: Service) -> float:
    """How long the quickest segment took: on a fast machine a moment is short, and a worker's first takes longer."""
    with service.database.read() as session:
        times = session.execute(select(Segment.claimed_at, Segment.done_at)).all()
    return min((done_at - claimed_at).total_seconds() for claimed_at, done_at in times if claimed_at and done_at)


def wait_for_segments(service: Service, count: int, timeout_s: float = 180) -> None:
    try:
        wait_until(lambda: done(service) >= count, timeout_s, f"finishing {count} segments")
    except AssertionError as exc:
        raise AssertionError(f"{exc}\n{service.logs()}") from exc


def test_a_worker_gives_the_timeline_of_an_undisturbed_run(running: Service, undisturbed: str) -> None:
    running.submit(ASTRONAUT, ID, SAMPLE_HZ)
    running.wait_for(ID)
    assert len(segments(running)) >= 6
    assert running.csv(ID) == undisturbed


def test_killed_workers_leave_no_trace_in_the_timeline(make_service: MakeService, undisturbed: str) -> None:
    service = make_service(max_attempts=10)
    service.submit(ASTRONAUT, ID, SAMPLE_HZ)
    chance = random.Random(20261122)
    for kill in range(3):
        worker = service.start_worker()
        wait_for_segments(service, kill + 2)
        time.sleep(chance.uniform(0, seconds_per_segment(service)))  # not to wait, but to strike at any moment
        worker.kill()
    assert done(service) < len(segments(service)), "the kills came before the end"
    service.start_worker()
    service.wait_for(ID)
    assert service.csv(ID) == undisturbed


def test_doubled_messages_do_no_harm(running: Service, undisturbed: str) -> None:
    running.submit(ASTRONAUT, ID, SAMPLE_HZ)
    running.call_a_worker(times=3)
    wait_for_segments(running, 1)
    running.call_a_worker(times=20)
    running.start_worker()
    running.wait_for(ID)
    running.call_a_worker(times=3)
    running.submit(ASTRONAUT, "behind-the-doubled-messages", 1.0)
    running.wait_for("behind-the-doubled-messages")
    assert running.csv(ID) == undisturbed


def test_a_wiped_queue_loses_no_work(running: Service, undisturbed: str) -> None:
    running.submit(ASTRONAUT, ID, SAMPLE_HZ, call=False)  # as if its message had been wiped
    wait_for_segments(running, 2)
    wipe(running)
    running.wait_for(ID)
    assert running.csv(ID) == undisturbed


def wipe(service: Service) -> None:
    if service.settings.broker_url:
        redis.Redis.from_url(service.settings.broker_url).flushdb()
    else:
        for message in (service.settings.data_dir / "queue" / "messages").iterdir():
            message.unlink(missing_ok=True)


@pytest.mark.parametrize("make_service", ["servers"], indirect=True)
def test_in_the_middle_of_a_segment_a_worker_leaves_a_deleted_video_and_gives_back_what_it_is_to_stop(
    make_service: MakeService,
) -> None:
    service = make_service(segment_s=600.0, lease_s=600.0)  # one long segment, and no help from a lease that runs out
    service.submit(ASTRONAUT, "deleted-soon")
    service.call_a_worker(times=3)  # several messages wait for it
    worker = service.start_worker()
    wait_until(lambda: service.frames_done("deleted-soon") > 3, 120, "the first frames")
    with service.database.write() as session:
        remove(session, "deleted-soon")
    service.settings.recording("deleted-soon").unlink()
    service.submit(ASTRONAUT, ID)
    wait_until(lambda: service.frames_done(ID) > 3, 120, "the first frames of the next")
    worker.stop(timeout_s=30)
    assert worker.process.returncode == 0
    with service.database.read() as session:
        (segment,) = session.scalars(select(Segment))
    assert (segment.status, segment.attempts, segment.lease_token) == (SegmentStatus.PENDING, 0, None)
    service.start_worker()
    total = service.wait_for(ID).frames_total
    frames = [int(line.split(",")[2]) for line in service.csv(ID).splitlines()[1:]]
    assert sorted(set(frames)) == list(range(total or 0))


@pytest.mark.parametrize("make_service", ["embedded"], indirect=True)
def test_a_file_that_kills_its_process_fails_alone(make_service: MakeService, tmp_path: Path) -> None:
    service = make_service(poison(tmp_path))
    bad = tmp_path / "poison.mp4"
    bad.write_bytes(ASTRONAUT.read_bytes() + b"\0\0\0\x10freePOISON!!")
    service.submit(bad, "poisonous", SAMPLE_HZ)
    service.submit(ASTRONAUT, ID, SAMPLE_HZ)
    service.start_worker()
    failed = service.wait_for("poisonous", VideoStatus.FAILED)
    assert failed.error_code == "crashed"
    assert "stopped the analysis process 3 times" in (failed.error_message or "")
    service.wait_for(ID)


def poison(folder: Path) -> dict[str, str]:
    """A fault in the decoding library: a process that opens a file with a mark at its end dies at once."""
    (folder / "fault").mkdir()
    (folder / "fault" / "sitecustomize.py").write_text(FAULT)
    return {"PYTHONPATH": f"{folder / 'fault'}:{REPOSITORY}"}


FAULT = """
import os, signal
import av
opened = av.open
def faulty_open(path, *arguments, **named):
    with open(str(path).removeprefix("file:"), "rb") as file:
        if file.read().endswith(b"POISON!!"):
            os.kill(os.getpid(), signal.SIGSEGV)
    return opened(path, *arguments, **named)
av.open = faulty_open
"""


def test_a_cancelled_video_stops_and_goes_on_where_it_was(running: Service, undisturbed: str) -> None:
    running.submit(ASTRONAUT, ID, SAMPLE_HZ)
    wait_for_segments(running, 2)
    with running.database.write() as session:
        cancel(session, ID)
    finished = done(running)
    assert 0 < finished < len(segments(running))
    with running.database.write() as session:
        retry(session, ID)
    running.call_a_worker()
    running.wait_for(ID)
    assert running.csv(ID) == undisturbed


def test_a_deleted_video_frees_its_worker_for_the_next(running: Service) -> None:
    running.submit(ASTRONAUT, ID)
    wait_until(lambda: running.frames_done(ID) > 0, 120, "the first frames")
    with running.database.write() as session:
        remove(session, ID)
    running.settings.recording(ID).unlink()
    running.submit(ASTRONAUT, "the-next-one", 1.0)
    running.wait_for("the-next-one")


@pytest.mark.parametrize("make_service", ["embedded"], indirect=True)
def test_a_video_whose_network_was_replaced_begins_anew(make_service: MakeService, undisturbed: str) -> None:
    service = make_service(network_wait_s=1.0)
    service.start_worker()
    service.submit(ASTRONAUT, ID, SAMPLE_HZ, model_version="paper-older-ferplus")
    assert service.wait_for(ID).model_version == served_version(service.settings.model_dir)
    assert service.csv(ID) == undisturbed


def test_a_recording_that_vanished_fails_with_a_sentence(running: Service) -> None:
    running.submit(ASTRONAUT, ID, SAMPLE_HZ)
    running.settings.recording(ID).unlink()
    failed = running.wait_for(ID, VideoStatus.FAILED)
    assert failed.error_code == "not_found"
    assert "does not exist" in (failed.error_message or "")


def test_a_worker_goes_on_after_its_idle_process_was_killed(make_service: MakeService) -> None:
    service = make_service()
    worker = service.start_worker()
    submit_damaged(service, "first")
    service.wait_for("first", VideoStatus.FAILED)
    (process,) = psutil.Process(worker.process.pid).children()
    process.kill()
    submit_damaged(service, "second")
    service.wait_for("second", VideoStatus.FAILED)


def submit_damaged(service: Service, video_id: str) -> None:
    """A recording that is soon done with."""
    service.submit(ASTRONAUT, video_id, sample_hz=len(video_id))
    service.settings.recording(video_id).write_bytes(b"not a recording any more")


@pytest.mark.parametrize("make_service", ["embedded"], indirect=True)
def test_the_process_of_a_killed_worker_ends_with_it(make_service: MakeService) -> None:
    service = make_service()
    worker = service.start_worker()
    submit_damaged(service, "first")
    service.wait_for("first", VideoStatus.FAILED)
    (process,) = psutil.Process(worker.process.pid).children()
    worker.process.kill()
    process.wait(30)


@pytest.mark.parametrize("make_service", ["servers"], indirect=True)
def test_a_worker_without_the_network_leaves_the_video_to_one_that_has_it(
    make_service: MakeService, tmp_path: Path
) -> None:
    service = make_service()
    service.submit(ASTRONAUT, ID, 1.0)
    lacking = service.start_worker(TIMELINE_MODELS_DIR=str(tmp_path / "nowhere"))
    wait_until(lambda: f"Video {ID} (astronaut.mp4) is left to workers" in lacking.log.read_text(), 120, "leaving it")
    service.start_worker()
    service.wait_for(ID)


def test_a_worker_tells_of_a_video_that_failed(running: Service) -> None:
    with receiver(statuses=[]) as server:
        with running.database.write() as session:
            secret = webhooks.create(session, server.url).secret
        video_id = running.submit(ASTRONAUT, "damaged")
        running.settings.recording(video_id).write_bytes(b"not a recording any more")
        video = running.wait_for(video_id, VideoStatus.FAILED)
        wait_until(lambda: server.received, 60, "the telling")
    headers, body = server.received[0]
    told = Verifier(secret).verify(body, headers)
    assert (told["type"], told["data"]["id"]) == ("video.failed", video_id)
    assert told["data"]["error"] == {"code": video.error_code, "message": video.error_message}
