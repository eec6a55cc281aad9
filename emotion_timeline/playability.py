"""Which recordings browsers play by themselves, at the timeline's times; the others get a preview.

It is decided from what the probe said of the file. A sound track that browsers can't decode goes unnoticed: the
pictures are what the timeline is about.
"""

from collections.abc import Mapping
from typing import Any

_MP4 = "mov,mp4,m4a,3gp,3g2,mj2"
_WEBM = "matroska,webm"  # one name for both; with these codecs it is WebM, or near enough
_EIGHT_BIT = frozenset({"yuv420p", "yuvj420p"})
_H264 = {"h264": _EIGHT_BIT}
_VP8 = dict.fromkeys(("vp8", "libvpx"), _EIGHT_BIT | {"yuva420p"})
_VP9 = dict.fromkeys(("vp9", "libvpx-vp9"), _EIGHT_BIT | {"yuva420p"})
_AV1 = dict.fromkeys(("av1", "libdav1d", "libaom-av1"), _EIGHT_BIT | {"yuv420p10le"})
# By container, for each codec (as ffmpeg calls its decoder) the pixel formats that Chromium, Firefox and Safari decode:
# https://developer.mozilla.org/docs/Web/Media/Guides/Formats/Video_codecs
_PLAYED = {_MP4: _H264 | _VP9 | _AV1, _WEBM: _VP8 | _VP9 | _AV1}


def plays_in_browsers(info: Mapping[str, Any]) -> bool:
    """Whether browsers play a recording as it is.

    Args:
        info: emotion_timeline.media.plan.VideoInfo as a dictionary.

    Returns:
        False also where browsers would not show it as the timeline tells it; see is_shown_truly.
    """
    formats = _PLAYED.get(info.get("container", ""), {}).get(info.get("codec", ""), frozenset())
    return info.get("pixel_format") in formats and is_shown_truly(info)


def is_shown_truly(info: Mapping[str, Any]) -> bool:
    """Whether a browser that decodes a recording shows it at the timeline's times, and in its coordinates.

    Times that are missing in the file had to be made up. Where pictures change their size, each browser shows them in
    its own way; the timeline brings them to one. What was turned by request, no browser turns.
    """
    if info.get("rotate"):
        return False
    size = [info.get("width"), info.get("height")]
    return bool(info.get("trusted_timestamps")) and all(list(other) == size for other in info.get("picture_sizes", ()))
