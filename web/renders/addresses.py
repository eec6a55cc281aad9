"""Addresses of the pictures that were made of a video, for those that are there: pages ask for no other."""

from flask import url_for

from web.http.service import service


def face_picture(video_id: str, face_id: int) -> str | None:
    """Of a face at its best; None when it was not made."""
    if not _is_made(video_id, f"faces/{face_id}.jpg"):
        return None
    return url_for("media.face", video_id=video_id, face_id=face_id)


def frame_picture(video_id: str, frame: int) -> str | None:
    """Of a frame; None when it was not made."""
    if not _is_made(video_id, f"pictures/{frame}.jpg"):
        return None
    return url_for("media.picture", video_id=video_id, frame=frame)


def _is_made(video_id: str, name: str) -> bool:
    return (service().settings.derived(video_id) / name).is_file()
