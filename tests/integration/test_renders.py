"""Pictures and movies made by real workers: for a real analysis, after a kill, and of a video that is deleted."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import requests

from emotion_timeline.db import renders
from emotion_timeline.db.tables import Render, RenderKind, RenderStatus, VideoStatus
from tests.clips import decode_straight, shown_at, times
from tests.finished import finish_video
from tests.media.make import Clip, encode
from tests.services import ASTRONAUT, Service, wait_until

MakeService = Callable[..., Service]
ID = "astronaut-0123456789ab"
ENDED = (RenderStatus.DONE, RenderStatus.FAILED)
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def face_avi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first two seconds of the demo clip, as browsers can't play them."""
    clip = Clip("face.avi", "mpeg4", options={"g": "12", "qscale": "3", "flags": "+qscale"}, size=(640, 360), rate=25)
    path = tmp_path_factory.mktemp("recordings") / clip.name
    with av.open(str(ASTRONAUT)) as container:
        frames = islice(container.decode(video=0), 50)
        encode(clip, (np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) for frame in frames), path)
    return path


def state(service: Service, kind: RenderKind, video_id: str = ID) -> Render | None:
    with service.database.read() as session:
        made = renders.of_videos(session, [video_id])[video_id]
    return next((render for render in made if render.kind is kind), None)


def wait_for_render(
    service: Service, kind: RenderKind, video_id: str = ID, status: RenderStatus = RenderStatus.DONE
) -> Render:
    def has_ended() -> bool:
        render = state(service, kind, video_id)
        return render is not None and render.status in ENDED

    try:
        wait_until(has_ended, 240, f"making the {kind.value}")
    except AssertionError as exc:
        raise AssertionError(f"{exc}\n{service.logs()}") from exc
    render = state(service, kind, video_id)
    assert render is not None
    assert render.status is status, f"{render.error_message}\n{service.logs()}"
    return render


def wait_for_a_half_made_overlay(service: Service) -> None:
    half_made = f"{ID}.overlay-*.part/overlay.mp4"
    wait_until(lambda: list(service.settings.derived_dir.glob(half_made)), 240, "the beginning of an overlay")


def order_overlay(service: Service) -> None:
    with service.database.write() as session:
        renders.order_unless_there(session, ID, RenderKind.OVERLAY, is_there=False)


def derived_names(service: Service) -> list[str]:
    return sorted(path.name for path in service.settings.derived_dir.iterdir())


def test_a_recording_that_browsers_cannot_play_gets_pictures_a_preview_and_an_overlay(
    running: Service, face_avi: Path
) -> None:
    running.submit(face_avi, ID, sample_hz=5.0)
    running.wait_for(ID)
    for kind in (RenderKind.PICTURES, RenderKind.PREVIEW):
        wait_for_render(running, kind)
    with running.web() as address:
        video = f"{address}/api/v1/videos/{ID}"
        assert requests.post(f"{video}/overlay", timeout=60).status_code == 202
        wait_for_render(running, RenderKind.OVERLAY)
        body = requests.get(video, timeout=60).json()
        assert {kind: made["status"] for kind, made in body["renders"].items()} == {
            "pictures": "done", "preview": "done", "overlay": "done",
        }  # fmt: skip
        for link, shape in ((f"{video}/faces/1.jpg", (160, 160)), (address + body["links"]["thumbnail"], (180, 320))):
            picture = cv2.imdecode(np.frombuffer(requests.get(link, timeout=60).content, np.uint8), cv2.IMREAD_COLOR)
            assert np.asarray(picture).shape[:2] == shape
        start = requests.get(address + body["links"]["preview"], headers={"Range": "bytes=0-99"}, timeout=60)
        assert (start.status_code, len(start.content)) == (206, 100)
    for name in ("preview.mp4", "overlay.mp4"):
        frames = decode_straight(running.settings.derived(ID) / name)
        assert shown_at(frames) == pytest.approx(times(face_avi), abs=1e-3)
        assert {(frame.width, frame.height) for frame in frames} == {(640, 360)}
    assert derived_names(running) == [ID]


@pytest.mark.parametrize("make_service", ["servers"], indirect=True)
def test_an_overlay_of_a_killed_worker_is_made_by_another(make_service: MakeService) -> None:
    service = make_service()
    finish_video(service.database, service.settings, ASTRONAUT, ID, sample_hz=2.0)
    order_overlay(service)
    worker = service.start_worker()
    wait_for_a_half_made_overlay(service)
    worker.kill()
    made = service.settings.derived(ID) / "overlay.mp4"
    assert not made.exists()
    service.start_worker()
    wait_for_render(service, RenderKind.OVERLAY)
    assert shown_at(decode_straight(made)) == pytest.approx(times(ASTRONAUT), abs=1e-3)
    assert derived_names(service) == [ID], "what the killed one left is gone"


def test_a_video_that_is_deleted_while_its_overlay_is_made_leaves_nothing(running: Service) -> None:
    finish_video(running.database, running.settings, ASTRONAUT, ID, sample_hz=2.0)
    order_overlay(running)
    with running.web() as address:
        wait_for_a_half_made_overlay(running)
        assert requests.delete(f"{address}/api/v1/videos/{ID}", timeout=60).status_code == 204
    wait_until(lambda: derived_names(running) == [], 120, "the worker's letting go")
    assert not running.settings.recording(ID).exists()
    finish_video(running.database, running.settings, ASTRONAUT, "the-next", sample_hz=2.0)
    wait_for_render(running, RenderKind.PICTURES, "the-next")
    assert derived_names(running) == ["the-next"]


def test_a_render_without_its_recording_fails_alone(running: Service) -> None:
    finish_video(running.database, running.settings, ASTRONAUT, ID, sample_hz=2.0)
    running.settings.recording(ID).unlink()
    failed = wait_for_render(running, RenderKind.PICTURES, status=RenderStatus.FAILED)
    assert "does not exist" in (failed.error_message or "")
    assert running.video(ID).status is VideoStatus.DONE
