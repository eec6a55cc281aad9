"""Faces and moments of a video, in the HTTP API, and what pages share with it."""

from flask import Blueprint, url_for

from emotion_timeline.db import videos
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.views import cast, moments
from emotion_timeline.views.cast import Card
from web.faces.schemas import LARGEST_ID, FaceBody, FaceChange, FacesPage, Moment, MomentsPage
from web.http.operations import operation
from web.http.schemas import SelfLink
from web.http.service import Service, service
from web.renders.addresses import face_picture, frame_picture

blueprint = Blueprint("faces", __name__, url_prefix="/api/v1/videos/<video_id>")


@blueprint.get("/faces")
@operation("faces", problems=(409,))
def index(video_id: str) -> FacesPage:
    """The faces of a video as they are shown, hidden ones too, longest on screen first."""
    found = [_described(video_id, card) for card in find_cards(service(), video_id)]
    return FacesPage(video_id=video_id, emotions=list(EMOTIONS), faces=found)


@blueprint.patch(f"/faces/<int(max={LARGEST_ID}):face_id>")
@operation("faces", {200: "The card that the face is on then"}, (409,))
def update(video_id: str, face_id: int, body: FaceChange) -> FaceBody:
    """Name, merge or hide a face, or undo it. Answers with the card that the face is on then."""
    return _described(video_id, change(service(), video_id, face_id, body))


@blueprint.get("/moments")
@operation("faces", problems=(409,))
def strongest(video_id: str) -> MomentsPage:
    """The strongest moments of each emotion."""
    return MomentsPage(video_id=video_id, moments=find_moments(service(), video_id))


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
        found = moments.strongest(session, video_id)
    return [Moment.of(moment, picture=frame_picture(video_id, moment.frame)) for moment in found]


def change(service: Service, video_id: str, face_id: int, wanted: FaceChange) -> Card:
    """Change a face, all that is named or nothing; the card that the face is on then.

    Raises:
        NotFound: no such video or face.
        Conflict: the video is not done, or that can't be done with this face.
    """
    with service.database.write() as session:
        cast.require_done(videos.get(session, video_id))
        if wanted.merged_into is not None:
            cast.merge(session, video_id, face_id, wanted.merged_into)
        elif "merged_into" in wanted.model_fields_set:
            cast.split(session, video_id, face_id)
        if "name" in wanted.model_fields_set:
            cast.rename(session, video_id, face_id, wanted.name)
        if "hidden" in wanted.model_fields_set:
            (cast.hide if wanted.hidden else cast.show)(session, video_id, face_id)
        return cast.card(session, video_id, face_id)


def _described(video_id: str, card: Card) -> FaceBody:
    return FaceBody.of(
        card,
        frames=card.sums.frames,
        frames_classified=card.sums.frames_classified,
        first_timestamp_s=card.sums.first_timestamp_s,
        last_timestamp_s=card.sums.last_timestamp_s,
        on_screen_s=card.sums.on_screen_s,
        emotion_frames=card.sums.emotion_frames,
        emotion_shares=card.sums.shares,
        emotion_means=card.sums.means,
        picture=face_picture(video_id, card.face_id),
        links=SelfLink(self=url_for("faces.update", video_id=video_id, face_id=card.face_id)),
    )
