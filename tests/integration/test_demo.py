"""`make demo` as a newcomer runs it, and as a newcomer interrupts it."""

import csv
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.services import REPOSITORY, wait_until

COMMAND = [sys.executable, "-m", "scripts.demo"]


def _run(data_dir: Path) -> "subprocess.CompletedProcess[str]":
    command = [*COMMAND, "--data-dir", str(data_dir)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=280)


def _processes_with(text: str) -> list[psutil.Process]:
    """Processes that were given this text: a data folder, in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if text in process.environ().get("TIMELINE_DATA_DIR", ""):
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.mark.timeout(600)
def test_demo_shows_the_timeline_stops_what_it_started_and_runs_twice(tmp_path: Path) -> None:
    first = _run(tmp_path)
    assert first.returncode == 0, first.stderr
    with (tmp_path / "astronaut.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["status"] for row in rows} >= {"ok", "no_face"}
    assert "emotion_probability" in first.stdout
    assert rows[0]["timestamp"] in first.stdout
    assert rows[0]["model_version"] in first.stdout
    assert _processes_with(str(tmp_path)) == []

    second = _run(tmp_path)
    assert second.returncode == 0, second.stderr
    assert "nothing is computed twice" in second.stdout


def test_interrupted_demo_stops_what_it_started(tmp_path: Path) -> None:
    command = [*COMMAND, "--data-dir", str(tmp_path)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as demo:
        assert demo.stdout is not None
        next(line for line in demo.stdout if line.startswith("Uploading"))
        wait_until(lambda: _processes_with(str(tmp_path)), 30, "starting web and worker")
        demo.send_signal(signal.SIGINT)
        assert demo.wait(120) == 130
    assert _processes_with(str(tmp_path)) == []


def test_demo_of_a_missing_recording_says_so(tmp_path: Path) -> None:
    command = [*COMMAND, str(tmp_path / "missing.mp4"), "--data-dir", str(tmp_path / "data")]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    assert result.returncode == 1
    assert "There is no recording at" in result.stderr
    assert not (tmp_path / "data").exists()
