"""Webhooks: written with the video's end, signed, tried again, and never sent into the operator's own network."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from standardwebhooks import Webhook as Verifier

from emotion_timeline.config import Settings
from emotion_timeline.db import videos, webhooks
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Delivery, DeliveryStatus
from emotion_timeline.errors import LeaseLost
from emotion_timeline.service import addresses
from tests.receiver import Receiver, receiver
from tests.records import add, complete, finish, plan, rows
from tests.services import wait_until
from worker import delivery

ALLOWED = Settings(webhook_private_addresses=True)


def listen(database: Database, url: str) -> str:
    """Add a webhook; its secret."""
    with database.write() as session:
        return webhooks.create(session, url).secret


def fail(database: Database, video_id: str = "first") -> None:
    add(database, video_id)
    with database.write() as session:
        assert videos.fail(session, video_id, "broken", "It is broken.")


def log(database: Database) -> list[Delivery]:
    with database.read() as session:
        return list(session.scalars(select(Delivery).order_by(Delivery.created_at)))


def make_due(database: Database) -> None:
    """Let the pause before the next try be over."""
    with database.write() as session:
        session.execute(update(Delivery).values(due_at=videos.now() - timedelta(seconds=1)))


def event(server: Receiver, secret: str, number: int = -1) -> dict[str, object]:
    """What a message said, once its signature is verified by the reference library."""
    headers, body = server.received[number]
    said = Verifier(secret).verify(body, headers)
    assert isinstance(said, dict)
    return said


def test_next_address_of_a_name_is_tried_where_one_has_no_route(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo

    def both(host: str, port: int, *more: int, **options: int) -> list[Any]:
        addresses = [host] if host != "receiver.example" else ["127.0.0.2", "127.0.0.1"]
        return [found for address in addresses for found in look_up(address, port, *more, **options)]

    with receiver() as server:
        listen(database, server.url.replace("127.0.0.1", "receiver.example"))
        fail(database)
        monkeypatch.setattr(socket, "getaddrinfo", both)  # the system's, which has no such name
        assert delivery.deliver_due(ALLOWED, database) == 1
        assert len(server.received) == 1
    assert log(database)[0].status is DeliveryStatus.DELIVERED


def test_a_failed_video_is_told_with_its_reason_and_a_valid_signature(database: Database) -> None:
    with receiver() as server:
        secret = listen(database, server.url)
        fail(database)
        assert delivery.deliver_due(ALLOWED, database) == 1
        said = event(server, secret)
    assert said["type"] == "video.failed"
    assert said["data"] == {
        "id": "first", "filename": "a.mp4", "status": "failed", "model": {"name": "paper", "version": "paper-1"},
        "error": {"code": "broken", "message": "It is broken."},
    }  # fmt: skip
    (entry,) = log(database)
    assert (entry.status, entry.attempts, entry.response_status) == (DeliveryStatus.DELIVERED, 1, 204)
    assert server.received[0][0]["webhook-id"] == entry.id
    assert server.received[0][0]["host"] == server.url.split("/")[2]
    assert delivery.deliver_due(ALLOWED, database) == 0


def test_a_done_video_is_told_to_everyone(database: Database) -> None:
    with receiver() as first, receiver() as second:
        secrets = [listen(database, server.url) for server in (first, second)]
        for segment_id in plan(database, add(database), segments=1):
            complete(database, segment_id, rows(range(4)))
        finish(database, "first")
        delivery.deliver_due(ALLOWED, database)
        for server, secret in zip((first, second), secrets, strict=True):
            assert event(server, secret)["type"] == "video.done"


def test_nothing_is_told_of_what_was_rolled_back(database: Database) -> None:
    listen(database, "http://example.org")
    add(database)
    with pytest.raises(ZeroDivisionError), database.write() as session:
        videos.fail(session, "first", "broken", "It is broken.")
        _ = 1 / 0
    assert log(database) == []


def test_a_failed_try_is_repeated_later_with_the_same_id(database: Database) -> None:
    with receiver(statuses=[500, 302]) as server:
        secret = listen(database, server.url)
        fail(database)
        for status in (500, 302):
            assert delivery.deliver_due(ALLOWED, database) == 1
            (entry,) = log(database)
            assert (entry.status, entry.response_status) == (DeliveryStatus.PENDING, status)
            assert entry.error is not None and str(status) in entry.error
            assert entry.due_at is not None and entry.due_at > videos.now()
            assert delivery.deliver_due(ALLOWED, database) == 0, "not before its pause is over"
            make_due(database)
        assert delivery.deliver_due(ALLOWED, database) == 1
        assert len(server.received) == 3, "a redirection is not followed"
        assert {headers["webhook-id"] for headers, _ in server.received} == {log(database)[0].id}
        assert len({event(server, secret, n)["timestamp"] for n in range(3)}) == 1
    assert log(database)[0].status is DeliveryStatus.DELIVERED


def test_it_is_given_up_in_the_end_and_can_be_sent_again(database: Database) -> None:
    with receiver(statuses=[503] * (len(webhooks.PAUSES_S) + 1)) as server:
        listen(database, server.url)
        fail(database)
        for _ in range(len(webhooks.PAUSES_S) + 1):
            make_due(database)
            assert delivery.deliver_due(ALLOWED, database) == 1
        (entry,) = log(database)
        assert (entry.status, entry.due_at) == (DeliveryStatus.FAILED, None)
        with database.write() as session:
            webhooks.retry(session, entry.webhook_id, entry.id)
        delivery.deliver_due(ALLOWED, database)
    assert log(database)[0].status is DeliveryStatus.DELIVERED


def test_a_try_whose_worker_died_is_repeated_and_its_late_word_is_not_heard(database: Database) -> None:
    listen(database, "http://example.org")
    fail(database)
    with database.write() as session:
        dead = webhooks.claim(session, lease_s=0)
    with database.write() as session:
        alive = webhooks.claim(session, lease_s=60)
    assert dead is not None and alive is not None
    assert (dead.id, dead.lease.attempt, alive.lease.attempt) == (alive.id, 1, 2)
    with database.write() as session:
        assert webhooks.claim(session, lease_s=60) is None
        with pytest.raises(LeaseLost):
            webhooks.record(session, dead, None, "too late.")
    assert log(database)[0].error is None


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:9/", "http://localhost:9/", "http://[::1]:9/", "http://169.254.169.254/", "http://0.0.0.0/"],
)
def test_private_addresses_are_refused_unless_allowed(database: Database, url: str) -> None:
    listen(database, url)
    fail(database)
    delivery.deliver_due(Settings(), database)
    (entry,) = log(database)
    assert entry.status is DeliveryStatus.PENDING
    assert entry.error is not None and "not a public address" in entry.error


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True), ("2606:4700:4700::1111", True), ("10.1.2.3", False), ("192.168.0.1", False),
        ("172.16.0.1", False), ("100.64.0.1", False), ("127.0.0.1", False), ("224.0.0.1", False), ("::", False),
        ("::ffff:10.0.0.1", False), ("::ffff:93.184.216.34", True), ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False), ("fe80::1", False), ("fc00::1", False), ("ff02::1", False),
    ],
)  # fmt: skip
def test_public_addresses_are_told_from_others(address: str, public: bool) -> None:
    assert addresses.is_public(ip_address(address)) is public


def test_an_unknown_name_is_told(database: Database) -> None:
    listen(database, "https://nowhere.invalid/")
    fail(database)
    delivery.deliver_due(ALLOWED, database)
    error = log(database)[0].error
    assert error is not None and error.startswith("nowhere.invalid could not be found")


def test_deleting_a_webhook_deletes_its_log(database: Database) -> None:
    listen(database, "http://example.org")
    fail(database)
    with database.write() as session:
        webhooks.remove(session, webhooks.all_webhooks(session)[0].id)
    assert log(database) == []


def test_body_is_what_was_written_down(database: Database, tmp_path: Path) -> None:
    with receiver() as server:
        listen(database, server.url)
        fail(database)
        delivery.deliver_due(ALLOWED, database)
    assert server.received[0][1].decode() == log(database)[0].body
    assert json.loads(log(database)[0].body)["data"]["id"] == "first"


@contextmanager
def dripping() -> Iterator[str]:
    """A server that answers with a byte now and then, and never to the end; its address."""
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not over.wait(0.1):
                connection.sendall(b"x")

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=drip, args=(server.accept()[0],)).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept).start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        finally:
            over.set()
            server.shutdown(socket.SHUT_RDWR)


def test_a_receiver_that_answers_a_byte_at_a_time_is_given_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "TOTAL_S", 1.0)
    with dripping() as url:
        listen(database, url)
        fail(database)
        began = time.monotonic()
        assert delivery.deliver_due(ALLOWED, database) == 1
    assert time.monotonic() - began < 5
    (entry,) = log(database)
    assert entry.status is DeliveryStatus.PENDING
    assert entry.error == "127.0.0.1 was expected to answer within 1 s, but did not."


def test_a_slow_receiver_keeps_no_other_waiting(database: Database) -> None:
    over = threading.Event()
    with dripping() as slow, receiver() as server:
        # The slow one is told first, and its answer ends with the block.
        listen(database, slow)
        listen(database, server.url)
        fail(database)
        thread = delivery.start(ALLOWED, database, is_over=over.is_set)
        wait_until(lambda: server.received, 10, "the telling")
        over.set()
        thread.join(10)
    wait_until(lambda: not any(entry.lease_token for entry in log(database)), 30, "the end of both tries")
