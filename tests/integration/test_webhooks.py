"""Webhooks through the whole service: a real worker tells a real receiver."""

from collections.abc import Callable

from standardwebhooks import Webhook as Verifier

from emotion_timeline.db import webhooks
from emotion_timeline.db.tables import VideoStatus
from tests.receiver import receiver
from tests.services import ASTRONAUT, Service, wait_until


def test_a_worker_tells_of_a_video_that_failed(make_service: Callable[..., Service]) -> None:
    service = make_service(webhook_private_addresses=True)
    with receiver(statuses=[]) as server:
        with service.database.write() as session:
            secret = webhooks.create(session, server.url).secret
        video_id = service.submit(ASTRONAUT, "damaged")
        service.settings.recording(video_id).write_bytes(b"not a recording any more")
        service.start_worker()
        video = service.wait_for(video_id, VideoStatus.FAILED)
        wait_until(lambda: server.received, 60, "the telling")
    headers, body = server.received[0]
    told = Verifier(secret).verify(body, headers)
    assert (told["type"], told["data"]["id"]) == ("video.failed", video_id)
    assert told["data"]["error"] == {"code": video.error_code, "message": video.error_message}
