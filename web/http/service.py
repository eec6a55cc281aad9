"""What every request needs, opened once per application: the settings, the database, and a limit on probes."""

import threading
from dataclasses import dataclass, field

from flask import current_app

from emotion_timeline.config import Settings
from emotion_timeline.db.session import Database
from web.http.senders import Senders

_PROBES_AT_A_TIME = 2  # each may take Settings.probe_memory_bytes
_KEY = "timeline"


@dataclass(frozen=True)
class Service:
    """Shared by all threads of the process.

    Attributes:
        settings: as read at start.
        database: the record.
        version: of this software.
        probes: held while an upload is examined in a child process.
        senders: connections that bytes of resumable uploads come from.
    """

    settings: Settings
    database: Database
    version: str
    probes: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(_PROBES_AT_A_TIME))
    senders: Senders = field(default_factory=Senders)


def install(extensions: dict[str, object], service: Service) -> None:
    """Make the service known to an application."""
    extensions[_KEY] = service


def service() -> Service:
    """The service of the application that handles the present request."""
    found = current_app.extensions[_KEY]
    assert isinstance(found, Service)
    return found
