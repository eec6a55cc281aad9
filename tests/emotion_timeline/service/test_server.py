"""Web and worker as one command: what it says before anything is started."""

import socket
from pathlib import Path

import pytest

from emotion_timeline.config import Settings
from emotion_timeline.errors import SettingsError
from emotion_timeline.service.server import address, run_service


def test_port_that_is_taken_is_told_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"Port {port} of 127.0.0.1 can't be listened on .*--port 8080"):
            run_service(Settings(data_dir=tmp_path), "127.0.0.1", port)


def test_address_of_no_machine_here_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"203\.0\.113\.7"):
        run_service(Settings(data_dir=tmp_path), "203.0.113.7", 8000)


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("fd00::7", "http://[fd00::7]:80"),
    ],
)
def test_address_to_open_is_one_that_a_browser_reaches(host: str, shown: str) -> None:
    assert address(host, 80) == shown
