"""The queue in a folder of files, for which no broker is needed: Kombu's, whose files appear whole.

Kombu opens a file under its last name and writes into it afterwards. A worker that looks in between takes an empty
message away and ends with JSONDecodeError, as seen on a busy machine; and of two that begin one table of queues, one
loses its queue.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic_ns
from typing import Any
from uuid import uuid4

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps


class _Channel(filesystem.Channel):
    def _put(self, queue: str, payload: Any, **_: Any) -> None:  # type: ignore[override]
        name = f"{monotonic_ns()}_{uuid4()}.{queue}.msg"
        text = dumps(payload)  # type: ignore[no-untyped-call]
        with _written(Path(self.data_folder_out) / name, text) as part:
            os.replace(part, part.with_suffix(""))

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        """Begin the table of an exchange's queues as an empty one: Kombu locks a table that is there."""
        table = self._exchange_file(exchange)  # type: ignore[no-untyped-call]
        with _written(table.with_name(f"{table.name}-{uuid4()}"), "[]") as part, suppress(FileExistsError):
            os.link(part, table)
        super()._queue_bind(exchange, routing_key, pattern, queue)  # type: ignore[no-untyped-call]


@contextmanager
def _written(path: Path, text: str) -> Iterator[Path]:
    """A file beside this path that holds the text."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    yield part
    part.unlink(missing_ok=True)


class Transport(filesystem.Transport):
    """`filesystem://`, with `register`."""

    Channel = _Channel


def register() -> None:
    """Have `filesystem://` mean this transport in this process."""
    TRANSPORT_ALIASES["filesystem"] = f"{__name__}:Transport"
