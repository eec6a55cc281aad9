"""Write docs/formats.md: which kinds of recordings are tested, from the tests' own tables of clips.

python -m scripts.formats    write it anew; a test holds it
"""

from pathlib import Path

from scripts.readme import table
from tests.media.kinds import KINDS, OTHERS, REFUSED, WHAT
from tests.media.make import CLIPS, Clip

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "formats.md"
_CONTAINERS = {
    "3gp": "3GP", "apng": "animated PNG", "asf": "ASF", "avi": "AVI", "avif": "AVIF", "dv": "DV", "flv": "FLV",
    "gif": "GIF", "h264": "none", "hevc": "none", "ivf": "IVF", "m2ts": "MPEG-TS (.m2ts)", "mkv": "Matroska",
    "mov": "MOV", "mp4": "MP4", "mpg": "MPEG-PS", "mxf": "MXF", "nut": "NUT", "ogv": "Ogg", "ts": "MPEG-TS",
    "vob": "MPEG-PS (.vob)", "webm": "WebM", "wmv": "ASF (.wmv)", "wtv": "WTV",
}  # fmt: skip
_CODECS = {
    "apng": "PNG", "cinepak": "Cinepak", "dnxhd": "DNxHR", "dvvideo": "DV", "ffv1": "FFV1", "flv": "Sorenson H.263",
    "gif": "GIF", "h263": "H.263", "huffyuv": "HuffYUV", "jpeg2000": "JPEG 2000", "libsvtav1": "AV1", "libvpx": "VP8",
    "libvpx-vp9": "VP9", "libx264": "H.264", "libx265": "HEVC", "mjpeg": "Motion JPEG", "mpeg1video": "MPEG-1",
    "mpeg2video": "MPEG-2", "mpeg4": "MPEG-4", "msmpeg4": "MS MPEG-4", "prores_ks": "ProRes", "qtrle": "Animation",
    "rawvideo": "none", "wmv1": "WMV 7", "wmv2": "WMV 8", "zmbv": "ZMBV",
}  # fmt: skip
_COMPARED = "each frame and its time; segments as one straight decode"
_TURNED = "segments as one straight decode; pictures upright"
_HEAD = """# What is tested

Whatever FFmpeg decodes is taken. These kinds are tested with every change, on clips that the tests make
(`tests/media`): each frame carries its number as a barcode, so that a test can tell which frame it was given, and at
which time it has to be. This page is made from the tests' tables by `python -m scripts.formats`.

Pictures that people see, previews and overlays are turned upright, have square pixels, and are tone-mapped where the
recording is HDR (PQ or HLG, by ITU-R BT.2390). What is analysed is upright and has square pixels too, but HDR's signal
as it is stored. The network has learnt from usual pictures: expect it to do worse on HDR.
"""


def document() -> str:
    """The page."""
    head = ("Container", "Codec", "What is special", "What is checked")
    rows = [_row(clip, WHAT[clip.name], _TURNED if clip.rotation != (0, False) else _COMPARED) for clip in CLIPS]
    rows += [_row(kind.clip, kind.what, "each frame and its time") for kind in KINDS]
    rows += OTHERS
    refused = table(("What", "Code"), [(what, f"`{code}`") for code, what in REFUSED.items()])
    return (
        f"{_HEAD}\n{table(head, sorted(rows, key=_order))}\n\n## What is refused\n\n"
        f"With a sentence that says why and what to do:\n\n{refused}\n"
    )


def _row(clip: Clip, what: str, checked: str) -> tuple[str, str, str, str]:
    return _CONTAINERS[clip.name.rsplit(".", 1)[1]], _CODECS[clip.codec], what, checked


def _order(row: tuple[str, ...]) -> tuple[str, str]:
    return row[0].lower(), row[1].lower()


def main() -> None:
    """Write it."""
    DOCUMENT.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
