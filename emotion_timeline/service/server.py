"""Run web and one worker together: two child processes, started together and stopped together.

Their logs are quiet: warnings, errors, and a line for each recording. When both can work, one line says where to look.
"""

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from types import FrameType

from emotion_timeline.config import Settings
from emotion_timeline.errors import SettingsError
from emotion_timeline.service.readiness import ADDRESS, listen

_STOP_GRACE_S = 30
_LOOK_S = 0.2
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # all addresses of this machine, and one of them to ask and to show
_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2", "GRPC_VERBOSITY": "ERROR", "ABSL_MIN_LOG_LEVEL": "2"}  # TensorFlow: errors only

_Processes = dict[str, "subprocess.Popen[bytes]"]


def run_service(settings: Settings, host: str, port: int) -> int:
    """Start both and wait until one ends or we are told to stop.

    Returns:
        0 after being told to stop; 1 when a part ended by itself.

    Raises:
        SettingsError: the port is taken, or the address is none of this machine's.
    """
    port = _free_port(host, port)
    told = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        told.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with tempfile.TemporaryDirectory(prefix="emotion-timeline-") as folder, closing(listen(folder)) as worker_ready:
        environment = {**_QUIET, **os.environ}
        hosts = {"TIMELINE_HOSTS": ",".join(filter(None, (settings.hosts, host)))}
        parts = {
            "web server": _start(web_command(host, port, "warning"), environment | hosts),
            "worker": _start(worker_command("WARNING"), environment | {ADDRESS: worker_ready.getsockname()}),
        }
        return _watch(parts, told, host, port, worker_ready)


def _watch(parts: _Processes, told: threading.Event, host: str, port: int, worker_ready: socket.socket) -> int:
    is_told_open = is_worker_ready = False
    while not told.wait(_LOOK_S):
        for name, process in parts.items():
            if process.poll() is not None:
                _stop_all(parts)
                sentence = f"the {name} ended by itself ({_ending(process.returncode)}), so everything was stopped"
                print(f"emotion-timeline: {sentence}; what it said before tells why.", file=sys.stderr)
                return 1
        is_worker_ready = is_worker_ready or _has_said_hello(worker_ready)
        if is_worker_ready and not is_told_open and _answers(host, port):
            is_told_open = True
            print(f"Open {address(host, port)}", flush=True)
    _stop_all(parts)
    return 0


def address(host: str, port: int) -> str:
    """Return what to type into a browser on this machine."""
    host = _ANY.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def web_command(host: str, port: int, log_level: str = "info") -> list[str]:
    """Gunicorn with threads: an upload or a download that lasts for an hour keeps one thread busy, not the service."""
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    options = ["--bind", bind, "--workers", "1", "--threads", "16", "--timeout", "120", "--graceful-timeout", "10"]
    return [sys.executable, "-m", "gunicorn", *options, "--log-level", log_level, "web:create_app()"]


def worker_command(log_level: str = "INFO") -> list[str]:
    """Celery's own command; without its banner where it is to be quiet."""
    quiet = [] if log_level == "INFO" else ["--quiet"]
    return [sys.executable, "-m", "celery", *quiet, "-A", "worker", "worker", "--loglevel", log_level]


def _free_port(host: str, port: int) -> int:
    """The port, if nobody listens there; any free one for 0.

    Raises:
        SettingsError: it is taken, or the address is none of this machine's.
    """
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            return int(probe.getsockname()[1])
    except OSError as exc:
        raise SettingsError(
            f"Port {port} of {host} can't be listened on ({exc.strerror}). Stop what uses it, or choose another: "
            "make serve PORT=8080, or emotion-timeline serve --port 8080."
        ) from exc


def _has_said_hello(worker_ready: socket.socket) -> bool:
    try:
        return bool(worker_ready.recv(16))
    except BlockingIOError:
        return False


def _answers(host: str, port: int) -> bool:
    with closing(http.client.HTTPConnection(_ANY.get(host, host), port, timeout=5)) as connection:
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False


def _ending(returncode: int) -> str:
    return f"exit code {returncode}" if returncode >= 0 else f"signal {-returncode}"


def _start(command: list[str], environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    # In a session of its own: Ctrl-C reaches us alone, and we stop the parts in order.
    return subprocess.Popen(command, env=environment, start_new_session=True)


def _stop_all(parts: _Processes) -> None:
    for process in parts.values():
        process.terminate()
    for process in parts.values():
        try:
            process.wait(_STOP_GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
