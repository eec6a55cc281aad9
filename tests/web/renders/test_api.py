"""Pictures, previews and overlays over HTTP."""

import pytest
from sqlalchemy import event, update
from werkzeug.test import TestResponse

from emotion_timeline.db import renders
from emotion_timeline.db.tables import Render, RenderKind, RenderStatus
from tests.finished import claim_render
from tests.website import INFO, TWO_FACES, Website, assert_problem

MOVIE = bytes(range(256)) * 40


def put(site: Website, name: str, content: bytes = b"picture", video_id: str = "v") -> None:
    path = site.settings.derived(video_id) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def finish_render(site: Website, kind: RenderKind, video_id: str = "v") -> None:
    """As a worker would, but for the files."""
    claim = claim_render(site.database, video_id, kind)
    assert claim is not None
    with site.database.write() as session:
        renders.begin(session, claim, 20)
        renders.complete(session, claim)


def fetch(site: Website, address: str, **headers: str) -> TestResponse:
    """GET, to the end: the file is closed."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return site.client.get(address, headers=named, buffered=True)


def show(site: Website, video_id: str = "v") -> dict[str, object]:
    body: dict[str, object] = fetch(site, f"/api/v1/videos/{video_id}").get_json()
    return body


@pytest.mark.parametrize("name", ["thumbnail.jpg", "faces/2.jpg", "pictures/120.jpg", "preview.mp4"])
def test_a_file_is_given_out_when_it_is_there(site: Website, name: str) -> None:
    address = f"/api/v1/videos/v/{name}"
    assert "no video with the id 'v'" in assert_problem(fetch(site, address), 404, "not_found")
    site.done(TWO_FACES)
    assert "or none yet" in assert_problem(fetch(site, address), 404, "not_there")
    put(site, name)
    response = fetch(site, address)
    assert (response.status_code, response.data) == (200, b"picture")
    assert response.mimetype == ("video/mp4" if name.endswith("mp4") else "image/jpeg")
    assert response.headers["Last-Modified"]
    again = fetch(site, address, If_None_Match=response.headers["ETag"])
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("video_id", ["..", "%2e%2e", ".", "a%2Fb", "a%00b"])
def test_no_file_outside_is_given_out(site: Website, video_id: str) -> None:
    (site.settings.data_dir / "preview.mp4").write_bytes(b"outside")
    put(site, "preview.mp4", video_id="a")
    assert fetch(site, f"/api/v1/videos/{video_id}/preview.mp4").status_code in (404, 308)


def test_ranges_of_a_preview_are_answered(site: Website) -> None:
    site.done(TWO_FACES)
    put(site, "preview.mp4", MOVIE)
    response = fetch(site, "/api/v1/videos/v/preview.mp4", Range="bytes=1000-1999")
    assert (response.status_code, response.data) == (206, MOVIE[1000:2000])
    assert response.headers["Content-Range"] == f"bytes 1000-1999/{len(MOVIE)}"
    assert response.headers["Accept-Ranges"] == "bytes"
    late = fetch(site, "/api/v1/videos/v/preview.mp4", Range=f"bytes={len(MOVIE)}-")
    assert late.status_code == 416


def test_pictures_are_kept_by_browsers_and_movies_asked_for(site: Website) -> None:
    site.done(TWO_FACES)
    for name in ("thumbnail.jpg", "faces/1.jpg", "preview.mp4"):
        put(site, name)

    def kept(name: str) -> str:
        return str(fetch(site, f"/api/v1/videos/v/{name}").headers["Cache-Control"])

    assert kept("thumbnail.jpg") == kept("preview.mp4") == "no-cache"
    assert kept("faces/1.jpg") == "private, max-age=86400"
    assert kept("thumbnail.jpg?v=1") == "private, max-age=31536000, immutable"


def test_a_video_says_what_is_made_of_it(site: Website) -> None:
    site.queued("waits")
    links = show(site, "waits")["links"]
    assert isinstance(links, dict)
    assert (links["thumbnail"], links["preview"], links["overlay"]) == (None, None, None)
    assert show(site, "waits")["renders"] == {}
    site.done(TWO_FACES, info=INFO | {"codec": "hevc"})
    body = show(site)
    blank = {"status": "queued", "frames_done": 0, "frames_total": None, "error": None}
    assert body["renders"] == {"pictures": blank, "preview": blank}
    put(site, "thumbnail.jpg")
    put(site, "preview.mp4")
    finish_render(site, RenderKind.PREVIEW)
    with site.database.write() as session:
        failed = {"status": RenderStatus.FAILED, "error_message": "The disk is full."}
        session.execute(update(Render).where(Render.kind == RenderKind.PICTURES).values(failed))
    body = show(site)
    links = body["links"]
    assert isinstance(links, dict)
    assert links["preview"] == "/api/v1/videos/v/preview.mp4"
    assert links["overlay"] == "/api/v1/videos/v/overlay"
    assert fetch(site, links["thumbnail"]).data == b"picture"
    assert body["renders"] == {
        "pictures": blank | {"status": "failed", "error": {"code": "not_made", "message": "The disk is full."}},
        "preview": blank | {"status": "done", "frames_done": 20, "frames_total": 20},
    }
    put(site, "thumbnail.jpg", b"another")
    assert show(site)["links"] != links, "its address changes with the picture"


def test_many_videos_are_described_by_as_many_queries_as_one(site: Website) -> None:
    statements: list[str] = []
    event.listen(site.database.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    counts = []
    for video_id in ("a", "b", "c"):
        site.done(TWO_FACES, video_id)
        statements.clear()
        assert fetch(site, "/api/v1/videos").status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1] == counts[2] > 0


def test_an_overlay_is_ordered_followed_and_downloaded(site: Website) -> None:
    address = "/api/v1/videos/v/overlay"
    assert_problem(site.client.post(address), 404, "not_found")
    assert_problem(fetch(site, address), 404, "not_found")
    site.done(TWO_FACES, filename="Küche & Kind.mov")
    nothing = {"status": "none", "progress": None, "error": None, "url": None}
    assert fetch(site, address).get_json() == nothing
    assert_problem(fetch(site, f"{address}.mp4"), 404, "not_there")
    site.forget_calls()
    ordered = site.client.post(address)
    assert (ordered.status_code, ordered.get_json()) == (202, nothing | {"status": "queued"})
    assert site.has_called
    assert site.client.post(address).status_code == 200
    claim = claim_render(site.database, "v", RenderKind.OVERLAY)
    assert claim is not None
    with site.database.write() as session:
        renders.begin(session, claim, 20)
        renders.renew(session, claim, 60, 5)
    assert fetch(site, address).get_json() == nothing | {"status": "running", "progress": 0.25}
    put(site, "overlay.mp4", MOVIE)
    with site.database.write() as session:
        renders.complete(session, claim)
    state = fetch(site, address).get_json()
    assert state == {"status": "done", "progress": 1.0, "error": None, "url": f"{address}.mp4"}
    again = site.client.post(address)
    assert (again.status_code, again.get_json()) == (200, state)
    file = fetch(site, state["url"])
    assert file.data == MOVIE
    assert "K%C3%BCche%20&%20Kind%20with%20faces.mp4" in file.headers["Content-Disposition"]
    assert fetch(site, state["url"], Range="bytes=0-9").status_code == 206


def test_an_overlay_is_made_anew_when_asked_or_lost(site: Website) -> None:
    address = "/api/v1/videos/v/overlay"
    site.done(TWO_FACES)
    site.client.post(address)
    put(site, "overlay.mp4", MOVIE)
    finish_render(site, RenderKind.OVERLAY)
    assert site.client.post(f"{address}?renew=0").status_code == 200
    assert_problem(site.client.post(f"{address}?renew=yes"), 400, "bad_renew")
    anew = site.client.post(f"{address}?renew=1")
    assert (anew.status_code, anew.get_json()["status"]) == (202, "queued")
    assert_problem(fetch(site, f"{address}.mp4"), 404, "not_there")
    finish_render(site, RenderKind.OVERLAY)
    (site.settings.derived("v") / "overlay.mp4").unlink()
    assert site.client.post(address).status_code == 202


@pytest.mark.parametrize("kind", list(RenderKind))
def test_nothing_is_made_of_an_unfinished_video(site: Website, kind: RenderKind) -> None:
    site.queued()
    address = f"/api/v1/videos/v/{kind.value}"
    assert "this one is queued" in assert_problem(site.client.post(address), 409, "conflict")
    assert_problem(site.client.post(f"/api/v1/videos/w/{kind.value}"), 404, "not_found")
    assert_problem(fetch(site, f"/api/v1/videos/w/{kind.value}"), 404, "not_found")


def test_a_preview_is_ordered_for_a_recording_that_was_thought_to_need_none(site: Website) -> None:
    site.done(TWO_FACES)
    address = "/api/v1/videos/v/preview"
    nothing = {"status": "none", "progress": None, "error": None, "url": None}
    assert fetch(site, address).get_json() == nothing
    site.forget_calls()
    ordered = site.client.post(address)
    assert (ordered.status_code, ordered.get_json()) == (202, nothing | {"status": "queued"})
    assert site.client.post(address).status_code == 200, "one is enough"
    put(site, "preview.mp4", MOVIE)
    finish_render(site, RenderKind.PREVIEW)
    state = nothing | {"status": "done", "progress": 1.0, "url": f"{address}.mp4"}
    assert fetch(site, address).get_json() == site.client.post(address).get_json() == state
    assert fetch(site, f"{address}.mp4").data == MOVIE


@pytest.mark.parametrize(
    ("kind", "name"), [(RenderKind.PICTURES, "thumbnail.jpg"), (RenderKind.PREVIEW, "preview.mp4")]
)
def test_what_failed_or_was_removed_is_ordered_again(site: Website, kind: RenderKind, name: str) -> None:
    site.done(TWO_FACES, info=INFO | {"codec": "hevc"})
    claim = claim_render(site.database, "v", kind)
    assert claim is not None
    with site.database.write() as session:
        renders.fail(session, claim, "code", "The disk is full.")
    address = f"/api/v1/videos/v/{kind.value}"
    failed = fetch(site, address).get_json()
    assert (failed["status"], failed["error"]["message"]) == ("failed", "The disk is full.")
    site.forget_calls()
    ordered = site.client.post(address)
    assert (ordered.status_code, ordered.get_json()["error"]) == (202, None)
    put(site, name)
    finish_render(site, kind)
    state = site.client.post(address)
    assert (state.status_code, state.get_json()["url"]) == (200, f"/api/v1/videos/v/{name}")
    (site.settings.derived("v") / name).unlink()
    assert site.client.post(address).status_code == 202


def test_deleting_a_video_deletes_what_was_made_of_it(site: Website) -> None:
    for video_id in ("v", "w"):
        site.done(TWO_FACES, video_id)
        put(site, "faces/1.jpg", video_id=video_id)
    assert site.client.delete("/api/v1/videos/v").status_code == 204
    assert [path.name for path in site.settings.derived_dir.iterdir()] == ["w"]
    with site.database.read() as session:
        made = renders.of_videos(session, ["v", "w"])
    assert (made["v"], [render.kind for render in made["w"]]) == ([], [RenderKind.PICTURES])
