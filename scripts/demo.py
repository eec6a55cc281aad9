"""`make demo`: the service as a newcomer meets it. Start it, upload a recording by HTTP, watch, read the CSV, stop it.

It runs on the embedded defaults, in a data folder and on a port of its own, so it disturbs no other service.
Whatever happens, what it started is stopped. Exit codes: 0 done, 1 failed, 130 stopped by Ctrl-C.
"""

import argparse
import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn
from urllib.error import HTTPError
from urllib.parse import urljoin
from urllib.request import ProxyHandler, Request, build_opener

from tqdm import tqdm

from emotion_timeline.errors import TimelineError

REPOSITORY = Path(__file__).resolve().parent.parent
CLIP = REPOSITORY / "tests" / "media" / "astronaut.mp4"
DATA_DIR = REPOSITORY / "demo-output"

_SHOWN = {"frame": ">", "timestamp": ">", "face_id": ">", "status": "<", "emotion": "<", "emotion_probability": ">"}
_SHOWN_ROWS = 10
_LOG_TAIL_LINES = 30
_LOADING = "Loading the networks"
_BAR = "{desc} {percentage:3.0f} % |{bar:40}| {n_fmt} of {total_fmt} frames, {elapsed}"
_POLL_S = 0.3
_START_S = 60.0
_NO_PROGRESS_S = 300.0  # the networks take up to half a minute to load on a slow machine
_STOP_S = 75.0  # the service gives its own parts 30 s each
_open = build_opener(ProxyHandler({})).open  # a proxy of the environment has no business with 127.0.0.1


class DemoFailed(TimelineError):
    """The demo can't go on; the message says why."""


def main() -> int:
    """Run the demo with the arguments of the command line."""
    parser = argparse.ArgumentParser(prog="demo", description="Analyse a recording from upload to CSV, and stop again.")
    parser.add_argument("recording", type=Path, nargs="?", default=CLIP, help="default: the clip of the tests")
    parser.add_argument("--data-dir", type=Path, default=DATA_DIR, help="default: demo-output in the repository")
    options = parser.parse_args()
    recording, data_dir = options.recording, options.data_dir.resolve()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop what was started, as after Ctrl-C
    try:
        if not recording.is_file():
            raise DemoFailed(f"There is no recording at {recording}.")
        with running_service(data_dir) as url:
            video = analyze(url, recording)
            show(url, video, data_dir / f"{recording.stem}.csv")
    except DemoFailed as exc:
        print(f"\nThe demo failed: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    return 0


@contextmanager
def running_service(data_dir: Path) -> Iterator[str]:
    """Start web and worker, wait until they answer, yield their address. Shows the log's end when the demo fails."""
    data_dir.mkdir(exist_ok=True)
    log_path = data_dir / "service.log"
    port = _free_port()
    url = f"http://127.0.0.1:{port}/"
    print(f"Starting web and worker on {url} (log: {_shown(log_path)}) ...", flush=True)
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("emotion-timeline"), "serve", "--port", str(port)],
            stdout=log, stderr=subprocess.STDOUT, env=_environment(data_dir), cwd=REPOSITORY,
            start_new_session=True,  # Ctrl-C reaches us alone; we stop the service in order
        )  # fmt: skip
    try:
        _wait_until_healthy(process, url)
        yield url
    except DemoFailed:
        tail = log_path.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_TAIL_LINES:]
        print("\nThe last lines of the service's log:", *tail, sep="\n  ", file=sys.stderr)
        raise
    finally:
        _stop(process)


def _environment(data_dir: Path) -> dict[str, str]:
    """Ours, turned to the embedded database and queue in the demo's own folder."""
    servers = ("TIMELINE_DATABASE_URL", "TIMELINE_BROKER_URL")
    kept = {name: value for name, value in os.environ.items() if name not in servers}
    return kept | {"TIMELINE_DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_healthy(process: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise DemoFailed(f"the service ended at its start with exit code {process.returncode}.")
        try:
            _open(urljoin(url, "healthz"), timeout=5).close()
            return
        except (OSError, HTTPException):
            time.sleep(0.2)
    raise DemoFailed(f"the service did not answer within {_START_S:.0f} s.")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave the service behind
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def analyze(url: str, recording: Path) -> dict[str, Any]:
    """Upload a recording and watch until its analysis is done.

    Returns:
        The video as the API shows it.

    Raises:
        DemoFailed: it was refused, failed, or doesn't get on.
    """
    video = _upload(url, recording)
    if video.get("duplicate"):
        print("The service knows this recording with these settings: nothing is computed twice.")
    address = urljoin(url, f"api/v1/videos/{video['id']}")
    last, last_change = None, time.monotonic()
    with tqdm(desc=_LOADING, bar_format=_BAR, disable=None) as bar:  # None: no bar in a log file
        while video["status"] in ("queued", "running"):
            if (progress := video["progress"]) != last:
                last, last_change = progress, time.monotonic()
                if bar.disable and progress["frames_total"]:
                    print(f"  {progress['frames_done']} of {progress['frames_total']} frames", flush=True)
            if time.monotonic() - last_change > _NO_PROGRESS_S:
                raise DemoFailed(f"the analysis has not got on for {_NO_PROGRESS_S:.0f} s.")
            time.sleep(_POLL_S)
            video = _json(Request(address))
            _draw(bar, **video["progress"])
    if video["status"] != "done":
        raise DemoFailed((video["error"] or {}).get("message") or f"the analysis is {video['status']}.")
    return video


def _draw(bar: "tqdm[NoReturn]", frames_done: int, frames_total: int | None, **_: Any) -> None:
    if frames_done:
        bar.set_description_str(f"{'Analysing':{len(_LOADING)}}", refresh=False)
    bar.total, bar.n = frames_total, frames_done
    bar.refresh()


def _upload(url: str, recording: Path) -> dict[str, Any]:
    """Send a form with one file. The demo's clip is small, so the form is put together in memory."""
    print(f"Uploading {_shown(recording)} ({recording.stat().st_size / 1e6:.1f} MB) ...", flush=True)
    boundary = "emotion-timeline-demo-7c1f0e52"
    filename = "".join(c for c in recording.name if c.isprintable() and c not in '"\\')
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n\r\n'
    body = b"".join([head.encode(), recording.read_bytes(), f"\r\n--{boundary}--\r\n".encode()])
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return _json(Request(urljoin(url, "api/v1/videos"), body, headers, method="POST"))


def _json(request: Request) -> dict[str, Any]:
    answer = json.loads(_fetch(request))
    assert isinstance(answer, dict), "the API answers with objects"
    return answer


def _fetch(request: Request) -> bytes:
    try:
        with _open(request, timeout=120) as response:
            return bytes(response.read())
    except HTTPError as exc:
        raise DemoFailed(_refusal(exc)) from exc
    except (OSError, HTTPException) as exc:
        raise DemoFailed(f"the service no longer answers ({exc}).") from exc


def _refusal(error: HTTPError) -> str:
    """The sentence of a problem+json answer (RFC 9457)."""
    try:
        return str(json.loads(error.read())["detail"])
    except (ValueError, KeyError, TypeError, OSError):
        return f"the service answered {error.code} {error.reason}."


def show(url: str, video: dict[str, Any], path: Path) -> None:
    """Save the timeline and its sidecar, print the beginning, and say where the rest is."""
    address = urljoin(url, f"api/v1/videos/{video['id']}/timeline")
    path.write_bytes(_fetch(Request(f"{address}.csv")))
    sidecar = _json(Request(f"{address}.json"))
    path.with_suffix(".json").write_text(json.dumps(sidecar, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    with path.open(encoding="utf-8", newline="") as file:
        rows = [[row[name] for name in _SHOWN] for row in islice(csv.DictReader(file), _SHOWN_ROWS)]
    print("\n" + table(rows) + "\n  ...\n")
    counts = ", ".join(f"{count} {status}" for status, count in sidecar["frames_by_status"].items() if count)
    print(f"{sidecar['frames_analyzed']} frames: {counts}. Network: {sidecar['model']['version']}.")
    print(f"\nThe whole timeline:  {_shown(path)}  (how it was made: {_shown(path.with_suffix('.json'))})")
    print(f"See its chart:       TIMELINE_DATA_DIR={_shown(path.parent)} make serve")
    print(f"                     and open {urljoin('http://127.0.0.1:8000', video['links']['page'])}")
    print("Your own recordings: make serve, and open http://127.0.0.1:8000")


def table(rows: list[list[str]]) -> str:
    """Lay rows out under the names of the shown columns."""
    lines = [list(_SHOWN), *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_SHOWN))]
    sides = list(_SHOWN.values())
    cells = [[f"{c:{s}{w}}" for c, s, w in zip(line, sides, widths, strict=True)] for line in lines]
    return "\n".join("  " + "  ".join(line).rstrip() for line in cells)


def _shown(path: Path) -> str:
    return os.path.relpath(path)


if __name__ == "__main__":
    sys.exit(main())
