"""The pages. They work without JavaScript; small modules in static/ keep them up to date by asking for the same
fragments that the pages are made of, so that nothing is rendered in two places."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as WerkzeugResponse

from emotion_timeline import playability
from emotion_timeline.config import served_network
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.errors import ModelError
from emotion_timeline.labels import Labels
from web.exports import api as exports_api
from web.faces.pages import faces_of, moments_of
from web.http.problems import Problem
from web.http.schemas import ClipRange
from web.http.service import service
from web.notes import api as notes_api
from web.recordings import api as recordings_api
from web.recordings import searches, selection
from web.recordings.schemas import Analysis, VideoBody
from web.timeline import bands
from web.uploads import options
from web.uploads.intake import Outcome, accept, reanalyze

blueprint = Blueprint("pages", __name__)

_PAGE_LENGTH = 25
_ACTIVE = ("queued", "running")


@blueprint.get("/")
def index() -> str:
    """The form and the list."""
    return _index(refusal=None)


@blueprint.get("/videos")
def listing() -> str:
    """The list alone."""
    return render_template("recordings/_list.html", **_listed())


@blueprint.post("/videos")
def upload() -> WerkzeugResponse:
    """Upload from the form."""
    try:
        outcome = accept(service())
    except Problem as problem:
        return Response(_index(refusal=problem.sentence), problem.status)
    return _show(outcome)


@blueprint.get("/videos/<video_id>")
def video(video_id: str) -> str:
    """One video."""
    found = recordings_api.find(service(), video_id)
    notice = recordings_api.duplicate_sentence(found.status) if "again" in request.args else None
    return render_template(
        "recordings/video.html",
        video=found,
        notice=notice,
        is_active=found.status in _ACTIVE,
        is_shown_truly=playability.is_shown_truly(found.video.model_dump()),
        has_recording=service().settings.recording(video_id).exists(),
        emotions=EMOTIONS,
        comparable=_comparable(found),
        figures=bands.figures(found.model.name, found.model.version),
        meaning=found.labels.meaning,
        **(_results(video_id) if found.status == "done" else {}),
        **_analyses(found),
        **_faces(found),
    )


@blueprint.get("/videos/<video_id>/analyses")
def analyses(video_id: str) -> str:
    """The analyses of a video's recording, alone."""
    found = recordings_api.find(service(), video_id)
    return render_template("recordings/_analyses.html", video=found, **_analyses(found))


@blueprint.get("/videos/<video_id>/progress")
def progress(video_id: str) -> str:
    """How far a video is, alone."""
    return render_template("recordings/_progress.html", video=recordings_api.find(service(), video_id))


@blueprint.post("/videos/<video_id>/cancel")
def cancel(video_id: str) -> WerkzeugResponse:
    """Stop, and show the video."""
    recordings_api.stop(service(), video_id)
    return redirect(url_for(".video", video_id=video_id), 303)


@blueprint.post("/videos/<video_id>/retry")
def retry(video_id: str) -> WerkzeugResponse:
    """Queue again, and show the video."""
    recordings_api.queue_again(service(), video_id)
    return redirect(url_for(".video", video_id=video_id), 303)


@blueprint.post("/videos/<video_id>/reanalyze")
def analyze_again(video_id: str) -> WerkzeugResponse:
    """Analyse by the network that is served now, and show that video. What is only turned keeps its labels."""
    wished = options.read(request.form)
    if "rotate" not in request.form:
        return _show(reanalyze(service(), video_id, wished.labels))
    own = recordings_api.find(service(), video_id).labels
    return _show(reanalyze(service(), video_id, own if own in _label_sets() else None, wished.rotate))


@blueprint.post("/videos/<video_id>/delete")
def delete(video_id: str) -> WerkzeugResponse:
    """Delete, and show the list."""
    recordings_api.remove(service(), video_id)
    return redirect(url_for(".index"), 303)


def _show(outcome: Outcome) -> WerkzeugResponse:
    again = None if outcome.is_new else 1  # None leaves it out of the address
    return redirect(url_for(".video", video_id=outcome.video.id, again=again), 303)


def _faces(found: VideoBody) -> dict[str, Any]:
    return faces_of(found.id) | moments_of(found.id) if found.status == "done" else {}


def _analyses(found: VideoBody) -> dict[str, Any]:
    """All analyses of a recording, newest first, and what the network that is served could make besides."""
    together = sorted((found, *found.analyses), key=lambda analysis: analysis.created_at, reverse=True)
    return {"analyses": together, "offered": _offered(together, found)}


def _results(video_id: str) -> dict[str, Any]:
    """What the page of a video that is done shows besides."""
    return {
        "notes": notes_api.find(video_id),
        "band": bands.band(video_id),
        "band_size": (bands.WIDTH, bands.HEIGHT),
        **exports_api.offered(video_id),
    }


def _comparable(found: VideoBody) -> list[Analysis]:
    """Other timelines of the recording, those of the same frames first: they differ by the network alone."""
    done = [other for other in found.analyses if other.status == "done"]
    return sorted(done, key=lambda other: _frames(other) != _frames(found))


def _frames(analysis: Analysis) -> tuple[float | None, ClipRange | None, int]:
    """What decides which frames are analysed, and how they are turned."""
    return analysis.sample_hz, analysis.clip, analysis.rotate


def _offered(analyses: Sequence[Analysis], found: VideoBody) -> list[tuple[Labels, str]]:
    """For each set of labels that the network served now gives, them and the version; without those that were put to
    these frames of the recording before."""
    try:
        network = served_network(service().settings.model_dir)
    except ModelError:
        return []  # its folder was taken away under the running service; what is there can be shown without it
    known = {analysis.model.version for analysis in analyses if _frames(analysis) == _frames(found)}
    versions = [(labels, network.version_by(labels)) for labels in Labels if labels in network.labels]
    return [(labels, version) for labels, version in versions if version not in known]


def _index(refusal: str | None) -> str:
    return render_template(
        "recordings/index.html",
        refusal=refusal,
        report=selection.report(request.args),
        max_bytes=service().settings.max_upload_bytes,
        label_sets=_label_sets(),
        **_listed(),
    )


def _label_sets() -> list[Labels]:
    """What the network served now can give, that which is given unless asked otherwise first."""
    settings = service().settings
    try:
        network = served_network(settings.model_dir)
        usual = network.chosen(settings.labels)
    except ModelError:
        return []  # told when something is uploaded
    return [usual, *(labels for labels in network.labels if labels is not usual)]


def _listed() -> dict[str, Any]:
    search, page = searches.lenient(request.args)
    found, total = recordings_api.find_page(service(), search, _PAGE_LENGTH, (page - 1) * _PAGE_LENGTH)
    return {
        "videos": found,
        "total": total,
        "search": search,
        "address": searches.address(search, page),
        "page": page,
        "pages": max(1, -(-total // _PAGE_LENGTH)),
        "is_active": any(video.status in _ACTIVE for video in found),
        "kinds": [*EMOTIONS, "absent", "unreadable"],
    }
