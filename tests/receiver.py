"""An HTTP server that takes webhooks, for tests."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Receiver:
    """What came, and what is answered.

    Attributes:
        url: its address.
        statuses: answers to the first requests; then 204.
        received: headers (names in lower case) and body of each request.
    """

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def receiver(statuses: Sequence[int] = ()) -> Iterator[Receiver]:
    """A receiver on the loopback, for as long as the block lasts."""
    kept = Receiver(statuses=list(statuses))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status = kept.statuses.pop(0) if kept.statuses else 204
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", kept.url)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_port}/told?by=test"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
