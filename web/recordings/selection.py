"""What the list's buttons do with one video or many: each by itself, so that one which can't be done stops no other.

They work without JavaScript: every answer leads back to the list as it was, with what happened in its address.
"""

from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as WerkzeugResponse

from emotion_timeline.db.tables import Video
from emotion_timeline.errors import Conflict, NotFound
from web.http.service import Service, service
from web.recordings import api as recordings_api
from web.recordings import searches
from web.recordings.archives import archive

blueprint = Blueprint("selection", __name__)

_ACTIONS: dict[str, Callable[[Service, str], None]] = {
    "cancel": recordings_api.stop,
    "retry": recordings_api.queue_again,
    "delete": recordings_api.remove,
}
_DONE = {"cancel": "cancelled", "retry": "put into the queue again", "delete": "deleted"}
_ONLY = {
    "cancel": "Only a waiting or running video can be cancelled.",
    "retry": "Only a video that failed or was cancelled can be tried again.",
    "zip": "Only a video that is done has a CSV.",
}
_NAMED = 3  # of the videos with which nothing was done
_DIGITS = 6


@blueprint.post("/selection/zip")
def download() -> WerkzeugResponse:
    """The CSVs of those that are done."""
    chosen = _chosen()
    try:
        return archive(service(), chosen) if chosen else _back("zip")
    except NotFound:
        return _back("zip", gone=len(chosen))
    except Conflict:
        return _back("zip", unfit=chosen)


@blueprint.post("/selection/<any(cancel, retry, delete):action>")
def act(action: str) -> WerkzeugResponse:
    """Cancel, retry or delete; deleting is confirmed first."""
    chosen = _chosen()
    if action == "delete" and "confirmed" not in request.form and (names := _names(chosen)):
        search = searches.address(*searches.lenient(request.args))
        return Response(render_template("recordings/confirm.html", names=names, search=search))
    done, unfit, gone = 0, [], 0
    for video_id in chosen:
        try:
            _ACTIONS[action](service(), video_id)
            done += 1
        except Conflict:
            unfit.append(video_id)
        except NotFound:
            gone += 1
    return _back(action, done, unfit, gone)


def _chosen() -> list[str]:
    return list(dict.fromkeys(request.form.getlist("id")))


def _back(action: str, done: int = 0, unfit: Sequence[str] = (), gone: int = 0) -> WerkzeugResponse:
    report = {"did": action, "done": done, "unfit": len(unfit) or None, "gone": gone or None, "kept": unfit[:_NAMED]}
    query: dict[str, Any] = searches.address(*searches.lenient(request.args)) | report
    return redirect(url_for("pages.index", **query), 303)


def report(arguments: MultiDict[str, str]) -> list[str]:
    """What an action did, in sentences, from the address that it led to; none without one."""
    action = arguments.get("did", "")
    if action not in (*_ACTIONS, "zip"):
        return []
    done, unfit, gone = (_count(arguments.get(name, "")) for name in ("done", "unfit", "gone"))
    if not done and not unfit and not gone:
        return ["No video was chosen. Tick the boxes beside the videos first."]
    sentences = [f"{_videos(done)} {_DONE[action]}."] if done and action in _DONE else []
    if unfit and action in _ONLY:
        sentences.append(f"Nothing was done with {_named(arguments.getlist('kept')[:_NAMED], unfit)}. {_ONLY[action]}")
    if gone:
        sentences.append(f"{_videos(gone)} deleted before.")
    return sentences


def _named(kept: list[str], count: int) -> str:
    """Some of the videos by name, and how many more: a.mp4, b.mp4 and 5 more."""
    names = list(_names(kept).values())
    if not names:
        return "1 video" if count == 1 else f"{count} videos"
    return ", ".join(names) + (f" and {count - len(names)} more" if count > len(names) else "")


def _names(video_ids: list[str]) -> dict[str, str]:
    with service().database.read() as session:
        found = session.execute(select(Video.id, Video.filename).where(Video.id.in_(video_ids)))
        names = {video_id: filename for video_id, filename in found}
    return {video_id: names[video_id] for video_id in video_ids if video_id in names}


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else 0


def _videos(count: int) -> str:
    return "1 video was" if count == 1 else f"{count} videos were"
