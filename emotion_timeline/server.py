"""Run web and one worker together: two child processes, started together and stopped together."""

import signal
import subprocess
import sys
import threading
from types import FrameType

_STOP_GRACE_S = 30


def run_service(host: str, port: int) -> int:
    """Start both and wait until one ends or we are told to stop.

    Returns:
        0 after being told to stop; 1 when a part ended by itself.
    """
    parts = {"web": _start(web_command(host, port)), "worker": _start(worker_command())}
    told = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        told.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    while not told.wait(0.2):
        for name, process in parts.items():
            if process.poll() is not None:
                print(f"emotion-timeline: {name} ended with exit code {process.returncode}; stopping.", file=sys.stderr)
                _stop_all(parts)
                return 1
    _stop_all(parts)
    return 0


def web_command(host: str, port: int) -> list[str]:
    """Gunicorn with threads: an upload or a download that lasts for an hour keeps one thread busy, not the service."""
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    options = ["--bind", bind, "--workers", "1", "--threads", "16", "--timeout", "120", "--graceful-timeout", "10"]
    return [sys.executable, "-m", "gunicorn", *options, "web:create_app()"]


def worker_command() -> list[str]:
    """Celery's own command."""
    return [sys.executable, "-m", "celery", "-A", "worker", "worker", "--loglevel", "INFO"]


def _start(command: list[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command, start_new_session=True)  # Ctrl-C reaches us alone; we stop the parts in order


def _stop_all(parts: "dict[str, subprocess.Popen[bytes]]") -> None:
    for process in parts.values():
        process.terminate()
    for process in parts.values():
        try:
            process.wait(_STOP_GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
