"""Addresses of the pictures that were made of a video, for those that are there: pages ask for no other."""

from pathlib import Path

from web.service import service


def face_picture(video_id: str, face_id: int) -> str | None:
    """Of a face at its best; None when it was not made."""
    return _address(video_id, f"faces/{face_id}.jpg")


def frame_picture(video_id: str, frame: int) -> str | None:
    """Of a frame; None when it was not made."""
    return _address(video_id, f"pictures/{frame}.jpg")


def _address(video_id: str, name: str) -> str | None:
    folder = Path(service().settings.data_dir) / "derived" / video_id
    return f"/api/v1/videos/{video_id}/{name}" if (folder / name).is_file() else None
