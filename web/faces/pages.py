"""Faces and moments on the page of a video: fragments of it, and forms that work without JavaScript."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.views.cast import Card
from web.faces import api as faces_api
from web.faces.schemas import LARGEST_ID, FaceChange
from web.http.formatting import clock
from web.http.service import service
from web.http.validation import validated
from web.renders.addresses import face_picture

blueprint = Blueprint("faces_pages", __name__, url_prefix="/videos/<video_id>")

_SHORT_S = 1.0  # on screen, under which a face is more often a passer-by or an error than somebody
_FEW = 6  # cards that are shown even if all are short
_CHOICES = 12  # up to here another face is chosen from a list, beyond by typing


@blueprint.get("/faces")
def cards(video_id: str) -> str:
    """The cards alone."""
    return render_template("faces/_face_cards.html", **faces_of(video_id))


@blueprint.get("/moments")
def moments(video_id: str) -> str:
    """The moments alone."""
    return render_template("faces/_moment_tiles.html", **moments_of(video_id))


@blueprint.post(f"/faces/<int(max={LARGEST_ID}):face_id>")
def change(video_id: str, face_id: int) -> Response:
    """Change a face by a form, and show the card that it is on then."""
    card = faces_api.change(service(), video_id, face_id, _wanted())
    return redirect(url_for("pages.video", video_id=video_id, _anchor=f"face-{card.face_id}"), 303)


def _wanted() -> FaceChange:
    """What the form asks for."""
    fields: dict[str, Any] = request.form.to_dict()
    if fields.get("merged_into") == "none":
        fields["merged_into"] = None
    return validated(FaceChange, fields, strict=False)


def faces_of(video_id: str) -> dict[str, Any]:
    """What the cards are made of."""
    found = faces_api.find_cards(service(), video_id)
    seen = [card for card in found if not card.hidden]
    short = [card for card in seen if _is_short(card)]
    if len(short) == len(seen):
        short = seen[_FEW:]
    return {
        "face_video_id": video_id,
        "face_emotions": EMOTIONS,
        "faces": [card for card in seen if card not in short],
        "short_faces": short,
        "hidden_faces": [card for card in found if card.hidden],
        "other_faces": seen,
        "choose_by_typing": len(seen) > _CHOICES + 1,
        "face_pictures": {card.face_id: face_picture(video_id, card.face_id) for card in found},
    }


def _is_short(card: Card) -> bool:
    """A face that somebody has named or merged is there for a reason, however short."""
    return card.sums.on_screen_s < _SHORT_S and card.name is None and not card.merged


def moments_of(video_id: str) -> dict[str, Any]:
    """What the moments are made of."""
    labels = {card.face_id: card.label for card in faces_api.find_cards(service(), video_id)}
    found = faces_api.find_moments(service(), video_id)
    return {
        "moments_video_id": video_id,
        "moments": {emotion: [m for m in found if m.emotion == emotion] for emotion in EMOTIONS},
        "face_labels": labels,
    }


@blueprint.app_template_filter()
def lasting(seconds: float) -> str:
    """A length of time, to a tenth where that matters: 0.4 s, 9.9 s, 0:10, 1:02:03."""
    return f"{seconds:.1f} s" if seconds < 9.95 else clock(seconds)


@blueprint.app_template_filter()
def moment(timestamp_s: float) -> str:
    """A time in the recording to a tenth, cut and not rounded: 0:07.3, 1:02:03.0."""
    tenths = int(timestamp_s * 10)
    return f"{clock(tenths // 10)}.{tenths % 10}"
