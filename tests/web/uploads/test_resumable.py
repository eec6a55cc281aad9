"""Recordings that come over connections that break: a foreign tus client against the real server."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import psutil
import pytest
import requests
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError, TusUploadFailed

from emotion_timeline.config import Settings
from tests.proxies import Fault, FaultyProxy
from tests.services import ASTRONAUT, Service, wait_until

pytestmark = pytest.mark.timeout(900)

MIB = 1 << 20
TUS = {"Tus-Resumable": "1.0.0"}
BROKEN = (TusCommunicationError, TusUploadFailed, requests.RequestException)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(Settings(data_dir=tmp_path / "data", min_free_bytes=0))
    yield made
    made.close()


def large_recording(path: Path, size_bytes: int) -> Path:
    """The demo clip, with so much behind it in a box that players skip."""
    clip = ASTRONAUT.read_bytes()
    filling = np.random.default_rng(5).bytes(size_bytes - len(clip) - 8)
    path.write_bytes(clip + struct.pack(">I", len(filling) + 8) + b"free" + filling)
    return path


def upload(path: Path, address: str, url: str | None = None, **options: Any) -> str:
    """Upload by tuspy, or go on with it, until the connection breaks; the upload's address behind `address`."""
    client = TusClient(f"{address}/api/v1/uploads")
    with path.open("rb") as file:
        if url is None:
            url = client.uploader(file_stream=file, metadata={"filename": path.name}).create_url()
        client.uploader(file_stream=file, url=url, **options).upload()
    return url


def upload_stubbornly(path: Path, address: str, **options: Any) -> tuple[str, int]:
    """Upload however often the connection breaks; the upload's path, and how often it did."""
    client, url, broken = TusClient(f"{address}/api/v1/uploads"), None, 0
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        try:
            if url is None:
                with path.open("rb") as file:
                    url = client.uploader(file_stream=file, metadata={"filename": path.name}).create_url()
            upload(path, address, url, **options)
            return urlsplit(url).path, broken
        except BROKEN:
            broken += 1
    raise AssertionError(f"not done after {broken} broken connections")


def assert_stored(service: Service, address: str, path: str, recording: Path) -> None:
    wait_until(lambda: requests.get(address + path, timeout=60).json()["status"] != "examining", 120, "examining")
    answer = requests.get(address + path, timeout=60).json()
    assert answer["status"] == "accepted", answer
    assert service.settings.recording(answer["video"]["id"]).read_bytes() == recording.read_bytes()
    assert [file.name for file in service.settings.recordings_dir.iterdir()] == [answer["video"]["id"]]


def web_processes(address: str) -> list[psutil.Process]:
    """Those of the server at this address; another test's may run beside it."""
    place = urlsplit(address).netloc
    return [p for p in psutil.Process().children(recursive=True) if {"web:create_app()", place} <= set(p.cmdline())]


def kill_web(address: str) -> None:
    """kill -9 of the server and of what it started."""
    found = web_processes(address)
    assert found
    victims = {child for process in found for child in (process, *process.children(recursive=True))}
    for victim in victims:
        victim.kill()
    psutil.wait_procs(victims, 20)


@pytest.mark.parametrize(
    ("seed", "options"),
    [(1, {}), (2, {"chunk_size": MIB}), (3, {"chunk_size": MIB, "upload_checksum": True})],
    ids=["as one piece", "in pieces", "in pieces with checksums"],
)
def test_recording_arrives_whole_over_connections_that_break(
    service: Service, tmp_path: Path, seed: int, options: dict[str, Any]
) -> None:
    recording = large_recording(tmp_path / "talk.mp4", 24 * MIB)
    with service.web() as address:
        proxy = FaultyProxy(int(address.rsplit(":", 1)[1]), seed, most_bytes=3 * MIB // 2)
        with proxy.running() as unreliable:
            path, broken = upload_stubbornly(recording, unreliable, **options)
        assert broken >= 10
        assert set(proxy.faults) == set(Fault), "every kind of fault was met"
        assert_stored(service, address, path, recording)


def test_recording_arrives_whole_though_the_server_is_killed(service: Service, tmp_path: Path) -> None:
    recording = large_recording(tmp_path / "talk.mp4", 24 * MIB)
    body = recording.read_bytes()
    with service.web() as address:
        path = create(address, len(body))
        with closing(start_sending(address, path, 0, len(body))) as connection:
            connection.sendall(body[: 10 * MIB])
            (part,) = service.settings.recordings_dir.iterdir()
            wait_until(lambda: part.stat().st_size >= 9 * MIB, 60, "receiving")
            kill_web(address)
    with service.web() as address:
        offset = offset_of(address, path)
        assert offset == part.stat().st_size >= 9 * MIB
        upload(recording, address, address + path)
        assert_stored(service, address, path, recording)


def test_recording_is_examined_though_the_server_is_killed_meanwhile(service: Service, tmp_path: Path) -> None:
    def probes() -> list[psutil.Process]:
        found = (child for web in web_processes(address) for child in web.children(recursive=True))
        return [child for child in found if "emotion_timeline.media.probe" in child.cmdline()]

    with service.web() as address:
        path = create(address, ASTRONAUT.stat().st_size)
        sender = threading.Thread(target=lambda: ignore_broken(lambda: upload(ASTRONAUT, address, address + path)))
        sender.start()
        wait_until(probes, 60, "starting a probe")
        for probe in probes():
            probe.suspend()  # or it might be done before the server is killed
        assert requests.get(address + path, timeout=60).json()["status"] == "examining"
        assert offset_of(address, path) == ASTRONAUT.stat().st_size
        kill_web(address)
        sender.join()
    with service.web() as address:
        assert_stored(service, address, path, ASTRONAUT)


def ignore_broken(call: Any) -> None:
    with suppress(*BROKEN):
        call()


def test_senders_of_one_upload_at_once_do_not_harm_it(service: Service, tmp_path: Path) -> None:
    recording = large_recording(tmp_path / "talk.mp4", 6 * MIB)
    body = recording.read_bytes()
    with service.web() as address:
        path = create(address, len(body))
        ends: list[int] = []

        def send_all() -> None:
            deadline = time.monotonic() + 300
            while time.monotonic() < deadline:
                head = requests.head(address + path, headers=TUS, timeout=60)
                offset = int(head.headers.get("Upload-Offset", 0))
                if head.ok and offset == len(body):
                    ends.append(offset)
                    return
                send(address, path, offset, body[offset : offset + 300_000])

        senders = [threading.Thread(target=send_all) for _ in range(4)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        assert ends == [len(body)] * 4
        assert_stored(service, address, path, recording)


def test_newcomer_takes_over_from_a_silent_sender(service: Service) -> None:
    body = ASTRONAUT.read_bytes()
    with service.web() as address:
        path = create(address, len(body))
        with closing(start_sending(address, path, 0, len(body))) as silent:
            silent.sendall(body[:123_456])
            (part,) = service.settings.recordings_dir.iterdir()
            wait_until(lambda: part.stat().st_size > 0, 60, "receiving")
            assert offset_of(address, path) == 123_456, "all that came is kept, and nobody waits for the silence's end"
            assert send(address, path, 123_456, body[123_456:]).status_code == 204
            assert_stored(service, address, path, ASTRONAUT)


def test_upload_is_one_process_s_at_a_time(service: Service) -> None:
    body = ASTRONAUT.read_bytes()
    with service.web() as one, service.web() as other:
        path = create(one, len(body))
        with closing(start_sending(one, path, 0, len(body))) as sender:
            sender.sendall(body[:100_000])
            (part,) = service.settings.recordings_dir.iterdir()
            wait_until(lambda: part.stat().st_size > 0, 60, "receiving")
            answer = send(other, path, part.stat().st_size, b"from another process")
            assert (answer.status_code, answer.json()["code"]) == (423, "busy")
            assert requests.get(other + path, timeout=60).json()["status"] == "receiving"
            sender.sendall(body[100_000:])
            assert sender.recv(65536).startswith(b"HTTP/1.1 204")
        assert_stored(service, other, path, ASTRONAUT)


def test_chunked_piece_is_taken_and_one_that_is_cut_off_is_kept(service: Service) -> None:
    body = ASTRONAUT.read_bytes()
    with service.web() as address:
        path = create(address, len(body))
        head = f"PATCH {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTus-Resumable: 1.0.0\r\n"
        head += "Upload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\n\r\n"
        with closing(connect(address)) as connection:
            connection.sendall(head.encode() + b"%x\r\n" % 200_000 + body[:200_000] + b"\r\n")
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(65536).startswith(b"HTTP/1.1 400")
        offset = offset_of(address, path)
        assert 100_000 < offset <= 200_000
        pieces = (body[start : start + 50_000] for start in range(offset, len(body), 50_000))
        assert send(address, path, offset, pieces).status_code == 204
        assert_stored(service, address, path, ASTRONAUT)


def create(address: str, size_bytes: int) -> str:
    headers = TUS | {"Upload-Length": str(size_bytes)}
    answer = requests.post(f"{address}/api/v1/uploads", headers=headers, timeout=60)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def send(address: str, path: str, offset: int, data: Any) -> requests.Response:
    headers = TUS | {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    return requests.patch(address + path, headers=headers, data=data, timeout=120)


def offset_of(address: str, path: str) -> int:
    answer = requests.head(address + path, headers=TUS, timeout=120)
    assert answer.status_code == 200
    return int(answer.headers["Upload-Offset"])


def connect(address: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1])), timeout=120)


def start_sending(address: str, path: str, offset: int, length: int) -> socket.socket:
    """A connection on which a piece is announced."""
    connection = connect(address)
    head = f"PATCH {path} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: {offset}\r\n"
    head += f"Content-Type: application/offset+octet-stream\r\nContent-Length: {length}\r\n\r\n"
    connection.sendall(head.encode())
    return connection
