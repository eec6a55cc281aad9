"""Ask a child process what a file is: a file made to break a decoder then breaks only the child."""

import json
import logging
import math
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from emotion_timeline.errors import VideoError
from web.http.problems import Problem
from web.http.service import Service
from web.uploads.options import Options

_REFUSED = 2  # emotion_timeline.media.probe's exit code; importing it would load the decoder
_TOLD_TO_STOP = (-signal.SIGTERM, -signal.SIGINT)  # by a service manager, together with us; never by a file
_CONVERT = "It may be damaged; convert it to H.264 MP4 and upload that."
_log = logging.getLogger(__name__)


def probe(service: Service, path: Path, filename: str, options: Options) -> dict[str, Any]:
    """Describe a recording.

    Args:
        service: limits, and the number of children at a time.
        path: the file.
        filename: what the person calls it, for sentences.
        options: how it is to be analysed.

    Returns:
        What a glance at it tells; see emotion_timeline.media.survey.glance.

    Raises:
        Problem: 422, with the reason.
    """
    with service.probes:
        done = _run(service, path, options.sample_hz)
    if done.returncode in _TOLD_TO_STOP:
        raise Problem(503, "stopping", "The server was being stopped. Go on in a minute; nothing that came is lost.")
    try:
        said = json.loads(done.stdout) if done.returncode in (0, _REFUSED) else None
    except ValueError:
        said = None
    if not isinstance(said, dict):
        _log.error(
            "Probe of an upload ended with %s: %s", done.returncode, done.stderr[-4000:].decode(errors="replace")
        )
        raise Problem(422, "unreadable", f"Reading the recording stopped the process that examines it. {_CONVERT}")
    if error := said.get("error"):
        raise Problem(422, error["code"], error["message"].replace(path.name, filename))
    if said["frame_count"] is None:
        return said  # it wasn't read to its end, and where that is, only its header says
    try:
        options.clip.require_before_end(said["duration_s"])
    except VideoError as exc:
        raise Problem(422, exc.code, exc.message) from exc
    return said


def _run(service: Service, path: Path, sample_hz: float | None) -> "subprocess.CompletedProcess[bytes]":
    settings = service.settings
    command = [sys.executable, "-m", "emotion_timeline.media.probe", str(path)]
    command += ["--memory-bytes", str(settings.probe_memory_bytes), "--cpu-s", str(math.ceil(settings.probe_timeout_s))]
    if sample_hz is not None:
        command += ["--sample-hz", repr(sample_hz)]
    # The child reads hostile files: it gets no addresses or passwords of the database and the queue.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TIMELINE_")}
    try:
        return subprocess.run(command, capture_output=True, env=environment, timeout=settings.probe_timeout_s)
    except subprocess.TimeoutExpired as exc:
        sentence = f"Reading the recording took longer than {settings.probe_timeout_s:g} s. {_CONVERT}"
        raise Problem(422, "too_slow", sentence) from exc
