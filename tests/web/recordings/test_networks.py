"""One recording and two networks, by the whole service: web, queue, database, and one worker that never restarts."""

import io
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import pandas as pd
import pytest
import requests

from emotion_timeline.config import Settings, served_version
from emotion_timeline.emotions import EMOTIONS
from tests.services import ASTRONAUT, REPOSITORY, Service, other_network, wait_until

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """With the networks `first` and `second`; the worker's own setting names the second."""
    models = tmp_path / "models"
    copytree(REPOSITORY / "models" / "paper", models / "first")
    other_network(models / "first", models / "second")
    settings = Settings(
        data_dir=tmp_path / "data", models_dir=models, model="second", segment_s=2.0, sweep_s=0.5, threads=2
    )
    made = Service(settings)
    yield made
    made.close()


def test_two_networks_leave_two_timelines_of_a_recording(service: Service) -> None:
    service.start_worker()
    first_version, second_version = (served_version(service.settings.models_dir / m) for m in ("first", "second"))
    assert first_version != second_version
    with service.web(TIMELINE_MODEL="first") as address:
        first = done(service, upload(address))
        first_csv = csv(address, first)
    with service.web() as address:
        answer = requests.post(address + first["links"]["reanalyze"], timeout=60)
        assert answer.status_code == 202, answer.text
        second = done(service, address + answer.headers["Location"])
        second_csv = csv(address, second)
        assert csv(address, first) == first_csv, "the earlier timeline stays as it was"
        assert [other["id"] for other in second["analyses"]] == [first["id"]]
        page = requests.get(address + second["links"]["page"], timeout=30).text
        assert first_version in page and second_version in page
        assert requests.delete(address + first["links"]["self"], timeout=30).status_code == 204
        assert csv(address, second) == second_csv, "deleting one keeps the other"

    one, other = (pd.read_csv(io.StringIO(text)) for text in (first_csv, second_csv))
    assert one["model_version"].unique().tolist() == [first["model"]["version"]] == [first_version]
    assert other["model_version"].unique().tolist() == [second["model"]["version"]] == [second_version]
    same = ["frame", "timestamp", "face_id", "status", "box_x", "box_y", "box_w", "box_h"]
    pd.testing.assert_frame_equal(one[same], other[same])
    seen = one["status"] == "ok"
    assert (other["surprise"][seen] > one["surprise"][seen]).all()
    assert one[list(EMOTIONS)][~seen].isna().all(axis=None)

    with service.web(TIMELINE_MODEL="first") as address:  # the older network is served again
        answer = requests.post(address + second["links"]["reanalyze"], timeout=60)
        third = done(service, address + answer.headers["Location"])
        assert csv(address, third).replace(third["id"], first["id"]) == first_csv


def test_another_network_in_the_same_folder_is_used_by_the_running_worker(service: Service) -> None:
    models = service.settings.models_dir
    service.start_worker()
    with service.web() as address:
        before = done(service, upload(address))
        (models / "second").rename(models / "replaced")
        copytree(models / "first", models / "second")
        answer = requests.post(address + before["links"]["reanalyze"], timeout=60)
        after = done(service, address + answer.headers["Location"])
    assert before["model"]["version"] == served_version(models / "replaced")
    assert after["model"] == {"name": "second", "version": served_version(models / "first")}
    assert after["id"] != before["id"]


def upload(address: str) -> str:
    with ASTRONAUT.open("rb") as file:
        answer = requests.post(f"{address}/api/v1/videos", files={"file": file}, data={"sample_hz": "2"}, timeout=60)
    assert answer.status_code == 202, answer.text
    return address + answer.headers["Location"]


def done(service: Service, url: str) -> dict[str, Any]:
    """The video at an address, when it is done."""

    def ended() -> bool:
        return requests.get(url, timeout=30).json()["status"] not in ("queued", "running")

    wait_until(ended, 240, f"finishing {url}")
    body: dict[str, Any] = requests.get(url, timeout=30).json()
    assert body["status"] == "done", f"{body['error']}\n{service.logs()}"
    return body


def csv(address: str, video: dict[str, Any]) -> str:
    answer = requests.get(address + video["links"]["timeline_csv"], timeout=60)
    assert answer.status_code == 200
    return answer.text
