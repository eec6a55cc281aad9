"""The queue of files: nothing is read before it is written."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty
from threading import Thread

import pytest
from celery import Celery

from emotion_timeline.config import Settings
from emotion_timeline.service.queue import QUEUE, configuration

MESSAGES = 2000


@pytest.fixture
def threads_that_take_turns_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_messages_are_read_whole_while_others_are_written(tmp_path: Path, threads_that_take_turns_often: None) -> None:
    app = Celery()
    app.conf.update(configuration(Settings(data_dir=tmp_path)))

    def send() -> None:
        with app.connection_for_write() as connection, connection.SimpleQueue(QUEUE) as queue:
            for number in range(MESSAGES):
                queue.put({"number": number}, serializer="json")

    sender = Thread(target=send)
    received: list[int] = []
    with app.connection_for_read() as connection, connection.SimpleQueue(QUEUE) as queue:
        sender.start()
        while sender.is_alive() or queue.qsize():  # always hungry: it looks while a message is written
            with suppress(Empty):
                message = queue.get_nowait()
                message.ack()
                received.append(message.payload["number"])
    sender.join()
    assert sorted(received) == list(range(MESSAGES))
