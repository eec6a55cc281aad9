"""Faces and moments of a video, in the HTTP API, and what pages share with it."""

import unicodedata
from typing import Any

from flask import Blueprint, url_for

from emotion_timeline.db import videos
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.views import cast, moments
from emotion_timeline.views.cast import Card
from emotion_timeline.views.moments import Moment
from web.faces.schemas import FaceBody, FaceChange, FacesPage, MomentsPage
from web.http import bodies
from web.http.openapi import Answer, describes
from web.http.problems import Problem
from web.http.service import Service, service
from web.renders.addresses import face_picture, frame_picture

LARGEST_ID = 2**31 - 1  # that the database can hold

blueprint = Blueprint("faces", __name__, url_prefix="/api/v1/videos/<video_id>")

_LONGEST_NAME = 100
_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")  # control characters, half characters, line and paragraph breaks


@blueprint.get("/faces")
@describes("faces", {200: Answer("All of them", FacesPage)}, (409,))
def index(video_id: str) -> dict[str, Any]:
    """The faces of a video as they are shown, hidden ones too, longest on screen first."""
    found = find_cards(service(), video_id)
    return {"video_id": video_id, "emotions": list(EMOTIONS), "faces": [described(video_id, card) for card in found]}


@blueprint.patch(f"/faces/<int(max={LARGEST_ID}):face_id>")
@describes("faces", {200: Answer("The card that the face is on then", FaceBody)}, (400, 409, 413), body=FaceChange)
def update(video_id: str, face_id: int) -> dict[str, Any]:
    """Name, merge or hide a face, or undo it. Answers with the card that the face is on then."""
    return described(video_id, change(service(), video_id, face_id, checked(bodies.anything())))


@blueprint.get("/moments")
@describes("faces", {200: Answer("The moments", MomentsPage)}, (409,))
def strongest(video_id: str) -> dict[str, Any]:
    """The strongest moments of each emotion."""
    return {"video_id": video_id, "moments": [pictured(video_id, m) for m in find_moments(service(), video_id)]}


def find_cards(service: Service, video_id: str) -> list[Card]:
    """The cards of a video's faces.

    Raises:
        NotFound: no such video.
        Conflict: it is not done.
    """
    with service.database.read() as session:
        cast.require_done(videos.get(session, video_id))
        return cast.cards(session, video_id)


def find_moments(service: Service, video_id: str) -> list[Moment]:
    """The strongest moments of a video. Raises as find_cards does."""
    with service.database.read() as session:
        cast.require_done(videos.get(session, video_id))
        return moments.strongest(session, video_id)


def change(service: Service, video_id: str, face_id: int, wanted: dict[str, Any]) -> Card:
    """Change a face as checked() lets through, all of it or nothing; the card that the face is on then.

    Raises:
        NotFound: no such video or face.
        Conflict: the video is not done, or that can't be done with this face.
    """
    with service.database.write() as session:
        cast.require_done(videos.get(session, video_id))
        if "merged_into" in wanted:
            if wanted["merged_into"] is None:
                cast.split(session, video_id, face_id)
            else:
                cast.merge(session, video_id, face_id, wanted["merged_into"])
        if "name" in wanted:
            cast.rename(session, video_id, face_id, wanted["name"])
        if "hidden" in wanted:
            (cast.hide if wanted["hidden"] else cast.show)(session, video_id, face_id)
        return cast.card(session, video_id, face_id)


def checked(wanted: Any) -> dict[str, Any]:
    """A change of a face as it may be made: any of `name`, `hidden` and `merged_into`.

    Raises:
        Problem: 400 for everything else.
    """
    if not isinstance(wanted, dict):
        expected = "a JSON object with any of `name`, `hidden` and `merged_into`, sent as application/json"
        raise Problem(400, "bad_body", f"What was expected is {expected}.")
    for name, value in wanted.items():
        if name not in _FIELDS:
            raise Problem(400, "unknown_field", f"A face has `name`, `hidden` and `merged_into`, but no {name[:40]!r}.")
        if not _FIELDS[name][0](value):
            raise Problem(400, f"bad_{name}", f"`{name}` was expected to be {_FIELDS[name][1]}.")
    name = wanted.get("name")
    return wanted if name is None else {**wanted, "name": name.strip() or None}


def _is_name(value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, str) or len(value.strip()) > _LONGEST_NAME:
        return False
    return not any(unicodedata.category(c) in _UNPRINTABLE for c in value.strip())


def _is_face(value: Any) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_ID)


_FIELDS = {
    "name": (_is_name, f"text of at most {_LONGEST_NAME} characters in one line, or null for no name"),
    "hidden": (lambda value: isinstance(value, bool), "true or false"),
    "merged_into": (_is_face, "the number of another face, or null to split this one off"),
}


def described(video_id: str, card: Card) -> dict[str, Any]:
    """A card as the API shows it."""
    return {
        "face_id": card.face_id,
        "name": card.name,
        "hidden": card.hidden,
        "merged": list(card.merged),
        "frames": card.sums.frames,
        "frames_classified": card.sums.frames_classified,
        "first_timestamp_s": round(card.sums.first_timestamp_s, 6),
        "last_timestamp_s": round(card.sums.last_timestamp_s, 6),
        "on_screen_s": round(card.sums.on_screen_s, 3),
        "best_frame": card.best_frame,
        "best_timestamp_s": round(card.best_timestamp_s, 6),
        "best_box": [round(value, 2) for value in card.best_box],
        "emotion_frames": card.sums.emotion_frames,
        "emotion_shares": _rounded(card.sums.shares),
        "emotion_means": _rounded(card.sums.means),
        "picture": face_picture(video_id, card.face_id),
        "links": {"self": url_for("faces.update", video_id=video_id, face_id=card.face_id)},
    }


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 6) for name, value in values.items()}


def pictured(video_id: str, moment: Moment) -> dict[str, Any]:
    """A moment as the API shows it."""
    return {
        "emotion": moment.emotion,
        "face_id": moment.face_id,
        "frame": moment.frame,
        "timestamp_s": round(moment.timestamp_s, 6),
        "probability": round(moment.probability, 6),
        "box": [round(value, 2) for value in moment.box],
        "picture": frame_picture(video_id, moment.frame),
    }
