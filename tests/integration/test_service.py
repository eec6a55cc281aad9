"""The whole service as `emotion-timeline serve` starts it: upload, watch, download, stop."""

import ast
import io
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
import requests

from tests.services import ASTRONAUT, REPOSITORY, free_port, plain_environment, wait_until

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """The service's address and process, on the embedded defaults."""
    port = free_port()
    command = [str(Path(sys.executable).parent / "emotion-timeline"), "serve", "--port", str(port)]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=tmp_path, env=plain_environment(), stdout=log, stderr=log, umask=0)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: healthy(address) or process.poll() is not None, 60, "starting the service")
        assert process.poll() is None, (tmp_path / "log").read_text()
        yield address, process
    finally:
        for part in psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []:
            part.kill()
        process.kill()
        process.wait(20)


def healthy(address: str) -> bool:
    try:
        return requests.get(f"{address}/healthz", timeout=10).ok
    except (requests.ConnectionError, requests.Timeout):
        return False


def upload(address: str, path: Path, **fields: str) -> requests.Response:
    with path.open("rb") as file:
        return requests.post(f"{address}/api/v1/videos", files={"file": file}, data=fields, timeout=60)


def test_a_recording_becomes_a_timeline_and_the_service_stops_cleanly(
    service: tuple[str, "subprocess.Popen[bytes]"], tmp_path: Path
) -> None:
    address, process = service
    answer = upload(address, ASTRONAUT)
    assert answer.status_code == 202, answer.text
    url = address + answer.headers["Location"]
    states: list[dict[str, Any]] = []
    deadline = time.monotonic() + 240
    while not states or states[-1]["status"] in ("queued", "running"):
        assert time.monotonic() < deadline, (tmp_path / "log").read_text()[-4000:]
        states.append(requests.get(url, timeout=30).json())
        time.sleep(0.3)
    assert states[-1]["status"] == "done", states[-1]
    done = [state["progress"]["frames_done"] for state in states]
    assert done == sorted(done) and len(set(done)) > 2, "progress is shown while it runs"
    assert done[-1] == states[-1]["progress"]["frames_total"]

    said = (tmp_path / "log").read_text()
    assert f"\nOpen {address}\n" in f"\n{said}"
    assert len(re.findall(r"astronaut\.mp4 is analysed: \d+ frames, \d+ face", said)) == 1, said
    assert not re.search(r"celery@|Task worker\.|\[INFO\]|Booting worker", said), said
    data = tmp_path / "data"
    assert [path for path in (data, *data.rglob("*")) if path.stat().st_mode & 0o077] == []

    csv = requests.get(f"{url}/timeline.csv", timeout=30)
    rows = pd.read_csv(io.BytesIO(csv.content))
    assert rows["frame"].nunique() == done[-1]
    assert rows["source_file"].unique().tolist() == ["astronaut.mp4"]
    assert requests.get(f"{url}/timeline.json", timeout=30).json()["frames_analyzed"] == done[-1]

    again = upload(address, ASTRONAUT)
    assert (again.status_code, again.json()["id"], again.json()["duplicate"]) == (200, states[-1]["id"], True)

    assert requests.delete(url, timeout=30).status_code == 204
    assert requests.get(url, timeout=30).status_code == 404
    assert list((tmp_path / "data" / "recordings").iterdir()) == []

    parts = psutil.Process(process.pid).children(recursive=True)
    assert len(parts) >= 3, "web, worker and its child"
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    _, alive = psutil.wait_procs(parts, 10)
    assert alive == []


def test_the_service_ends_when_one_of_its_parts_ends(service: tuple[str, "subprocess.Popen[bytes]"]) -> None:
    _, process = service
    children = psutil.Process(process.pid).children()
    worker = next(child for child in children if "celery" in " ".join(child.cmdline()))
    worker.kill()
    assert process.wait(60) == 1


def test_web_loads_neither_decoder_nor_network() -> None:
    code = "import sys, web; web.create_app; print(sorted({m.split('.')[0] for m in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    loaded = set(ast.literal_eval(done.stdout))
    assert "flask" in loaded
    assert loaded.isdisjoint({"tensorflow", "keras", "cv2", "av", "onnxruntime", "onnx", "torch", "jax"})


@pytest.mark.parametrize("language", ["sh", "python"])
def test_the_readmes_examples_get_a_timeline(
    service: tuple[str, "subprocess.Popen[bytes]"], tmp_path: Path, language: str
) -> None:
    address, _ = service
    blocks = re.findall(rf"```{language}\n(.*?)```", (REPOSITORY / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (example,) = (block for block in blocks if "timeline.csv" in block)
    shutil.copyfile(ASTRONAUT, tmp_path / "talk.mp4")
    run = [sys.executable, "-c"] if language == "python" else ["bash", "-ec"]
    subprocess.run([*run, example.replace("http://127.0.0.1:8000", address)], cwd=tmp_path, check=True, timeout=500)
    rows = pd.read_csv(tmp_path / "talk.csv")
    assert rows["frame"].nunique() == (70 if language == "python" else 350)  # 5 a second, or all, of 14 s
    assert (rows["status"] == "ok").any()
    assert rows["source_file"].unique().tolist() == ["talk.mp4"]
