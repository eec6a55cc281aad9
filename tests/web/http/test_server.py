"""The application under a real Gunicorn: streams, broken connections and memory."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest
import requests

from emotion_timeline.observations import Status, blank
from emotion_timeline.service.server import web_command
from tests.services import ASTRONAUT, REPOSITORY, free_port, wait_until
from tests.website import HAPPY, INFO, Website

MIB = 1 << 20


@dataclass
class Server:
    """A running Gunicorn on the database and folder of a Website."""

    site: Website
    process: "subprocess.Popen[bytes]"
    port: int
    temporary: Path

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def memory_bytes(self) -> int:
        """Of the process that answers requests."""
        (worker,) = psutil.Process(self.process.pid).children()
        return int(worker.memory_info().rss)

    def send(self, head: str, body: bytes) -> "socket.socket":
        """Open a connection and send this much of an upload."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        connection.sendall(head.replace("\n", "\r\n").encode() + body)
        return connection

    def assert_nothing_left(self) -> None:
        wait_until(lambda: self.site.files() == [], 10, "removing what was received")
        assert self.site.rows() == 0
        assert list(self.temporary.iterdir()) == []


@pytest.fixture(scope="module")
def gunicorn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    tmp_path = tmp_path_factory.mktemp("server")
    site = Website(tmp_path)
    port, temporary = free_port(), tmp_path / "tmp"
    temporary.mkdir()
    settings = {
        "TIMELINE_DATA_DIR": str(site.settings.data_dir),
        "TIMELINE_MODELS_DIR": str(site.settings.models_dir),
        "TIMELINE_MODEL": site.settings.model,
        "TIMELINE_MAX_UPLOAD_BYTES": str(200 * MIB),
        "TIMELINE_MIN_FREE_BYTES": "0",
        "TMPDIR": str(temporary),
    }
    log = (tmp_path / "gunicorn.log").open("wb")
    command = [*web_command("127.0.0.1", port), "--worker-tmp-dir", str(tmp_path)]
    process = subprocess.Popen(command, env=os.environ | settings, cwd=REPOSITORY, stdout=log, stderr=log)
    running = Server(site, process, port, temporary)

    def answers() -> bool:
        with suppress(requests.RequestException):
            return requests.get(running.url("/healthz"), timeout=10).ok
        return False

    try:
        wait_until(answers, 120, "starting Gunicorn")
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        log.close()
        site.database.close()


@pytest.fixture
def server(gunicorn: Server) -> Iterator[Server]:
    """The one server, with nothing on it."""
    yield gunicorn
    for video in gunicorn.site.client.get("/api/v1/videos").get_json()["videos"]:
        gunicorn.site.client.delete(video["links"]["self"])


HEAD = "POST /api/v1/videos HTTP/1.1\nHost: localhost\nContent-Type: multipart/form-data; boundary=B\n"
PART = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'


def test_upload_cut_off_halfway_leaves_nothing(server: Server) -> None:
    connection = server.send(f"{HEAD}Content-Length: {50 * MIB}\n\n", PART + bytes(2 * MIB))
    wait_until(lambda: server.site.files() != [], 10, "receiving the first bytes")
    connection.close()
    server.assert_nothing_left()


def test_chunked_upload_cut_off_halfway_leaves_nothing(server: Server) -> None:
    connection = server.send(f"{HEAD}Transfer-Encoding: chunked\n\n", b"%x\r\n" % (9 * MIB) + PART + bytes(2 * MIB))
    wait_until(lambda: server.site.files() != [], 10, "receiving the first bytes")
    connection.close()
    server.assert_nothing_left()


def test_half_closed_upload_is_told_that_it_was_cut_off(server: Server) -> None:
    with closing(server.send(f"{HEAD}Content-Length: {50 * MIB}\n\n", PART + bytes(MIB))) as connection:
        connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").read().decode()
    assert answer.startswith("HTTP/1.1 400")
    assert "cut off" in answer
    server.assert_nothing_left()


CHUNKED = "Host: localhost\nTus-Resumable: 1.0.0\nUpload-Length: 9\nTransfer-Encoding: chunked\nContent-Type: "
BODIES = {
    "POST /api/v1/videos": "multipart/form-data; boundary=B",
    "POST /videos": "multipart/form-data; boundary=B",
    "POST /api/v1/uploads": "application/offset+octet-stream",
    "POST /api/v1/webhooks": "application/json",
    "POST /selection/cancel": "application/x-www-form-urlencoded",
}
CHUNKS = [b"zz\r\n", b"-5\r\n", b"5;\x00=\r\nabcde\r\n", b"5\r\nabcdefg\r\n0\r\n\r\n", b"5\r\n"]


@pytest.mark.parametrize("chunks", CHUNKS)
@pytest.mark.parametrize("request_line", BODIES)
def test_malformed_chunks_are_refused(server: Server, request_line: str, chunks: bytes) -> None:
    head = f"{request_line} HTTP/1.1\n{CHUNKED}{BODIES[request_line]}\n\n"
    with closing(server.send(head, chunks)) as connection:
        connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").read().decode()
    assert answer.startswith("HTTP/1.1 400")
    server.assert_nothing_left()


def test_chunked_upload_is_taken(server: Server) -> None:
    body = PART + ASTRONAUT.read_bytes() + b"\r\n--B--\r\n"
    chunks = (body[start : start + 10_000] for start in range(0, len(body), 10_000))
    headers = {"Content-Type": "multipart/form-data; boundary=B"}
    answer = requests.post(server.url("/api/v1/videos"), data=chunks, headers=headers, timeout=60)
    assert answer.status_code == 202
    assert server.site.settings.recording(answer.json()["id"]).read_bytes() == ASTRONAUT.read_bytes()


def test_sender_of_too_much_reads_the_refusal(server: Server) -> None:
    body = PART + bytes(8 * MIB)  # more than fits into the buffers between the two
    with closing(server.send(f"{HEAD}Content-Length: {2 << 30}\n\n", body)) as connection:
        answer = connection.recv(65536).decode()
    assert answer.startswith("HTTP/1.1 413")
    assert "209.715 MB" in answer
    server.assert_nothing_left()


def test_upload_takes_no_memory_and_no_temporary_file(server: Server) -> None:
    size = 60 * MIB
    requests.get(server.url("/"), timeout=20)
    before, most = server.memory_bytes(), 0
    tail = b"\r\n--B--\r\n"
    with closing(server.send(f"{HEAD}Content-Length: {len(PART) + size + len(tail)}\n\n", PART)) as connection:
        connection.settimeout(120)
        for _ in range(size // MIB):
            connection.sendall(bytes(MIB))
            most = max(most, server.memory_bytes())
        connection.sendall(tail)
        answer = connection.recv(65536).decode()
    assert answer.startswith("HTTP/1.1 422")  # a file of zeros
    assert most - before < 20 * MIB
    server.assert_nothing_left()


def seed_long_timeline(site: Website, frames: int) -> str:
    rows = blank(frames)
    rows["frame"], rows["timestamp_s"] = np.arange(frames), np.arange(frames) / 10
    rows["face"], rows["tracklet"], rows["status"], rows["confidence"] = 0, 0, Status.OK, 0.9
    rows["box"], rows["probabilities"] = (1, 2, 30, 40), HAPPY
    return site.done(rows, f"v{frames}", info=INFO | {"frame_count": frames, "duration_s": frames / 10})


def download(server: Server, frames: int) -> int:
    """Read the whole CSV of such a video; the most memory that the server took, in bytes."""
    most, lines = 0, 0
    url = server.url(f"/api/v1/videos/v{frames}/timeline.csv")
    with requests.get(url, stream=True, timeout=120) as answer:
        for chunk in answer.iter_content(1 << 17):
            lines += chunk.count(b"\n")
            most = max(most, server.memory_bytes())
    assert lines == frames + 1
    return most


def test_memory_of_a_csv_does_not_grow_with_its_length(server: Server) -> None:
    short, long = 16_000, 48_000  # several times the 5,000 rows that are read at a time; 2.4 and 7.1 MB
    for frames in (short, long):
        seed_long_timeline(server.site, frames)
    before = download(server, short)
    assert download(server, long) - before < 4 * MIB  # the allocator needs some


def test_aborted_download_frees_its_session(server: Server) -> None:
    seed_long_timeline(server.site, 3_000)
    for _ in range(16):  # more than the pool has connections
        with requests.get(server.url("/api/v1/videos/v3000/timeline.csv"), stream=True, timeout=20) as answer:
            assert next(answer.iter_content(1000)).startswith(b"video_id,")
    assert requests.get(server.url("/healthz"), timeout=20).ok
